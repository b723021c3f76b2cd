"""Brings the catalogues of web/locale up to date with the messages of the code: python .ci/messages.py

New messages are added without a translation and gone ones are dropped; a test fails until every message has one.
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
KEYWORDS = {**DEFAULT_KEYWORDS, "N_": None}


def template() -> Catalog:
    """Every message of the code, with where it stands."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    found = Catalog(project="Arbitre", charset="utf-8")
    for name, line, message, comments, context in extract_from_dir(ROOT, methods, options, KEYWORDS):
        found.add(message, None, [(name, line)], auto_comments=comments, context=context)
    for text in _cards():
        found.add(text, None, [("scoring/registry.py", 1)])
    return found


def _cards() -> list[str]:
    """Texts on the cards of the built-in metrics, which other programs read too."""
    from scoring.registry import BUILT_IN

    return [text for metric in BUILT_IN.values() for text in (metric.card.title, metric.card.missing)]


def main() -> None:
    """Update every catalogue in place."""
    wanted = template()
    for path in sorted((ROOT / "web" / "locale").glob("*/LC_MESSAGES/messages.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.parent.parent.name)
        wanted.creation_date = catalogue.creation_date
        catalogue.update(wanted, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        catalogue.header_comment = "# Translations of Arbitre. Kept up to date by .ci/messages.py."
        with path.open("wb") as file:
            write_po(file, catalogue, width=120, sort_by_file=True, include_lineno=False, ignore_obsolete=True)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
