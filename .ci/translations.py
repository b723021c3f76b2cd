"""Build hook: compiles every catalogue of web/locale, for the wheel as for the editable clone.

A catalogue with a wrong placeholder stops the build, so a page can never fail on one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def compile_catalogue(source: Path) -> None:
    """Writes the .mo file beside the .po file. Raises ValueError naming file, line and fault."""
    with source.open("rb") as stream:
        catalogue = read_po(stream, abort_invalid=True)
    for message, faults in catalogue.check():
        raise ValueError(f"{source}, line {message.lineno}: {faults[0]}. Correct the translation of {message.id!r}.")
    with source.with_suffix(".mo").open("wb") as stream:
        write_mo(stream, catalogue)


class Translations(BuildHookInterface[Any]):
    """Runs before hatchling collects the files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (hatchling's signature)
        for source in sorted(Path(self.root, "web", "locale").glob("*/LC_MESSAGES/*.po")):
            compile_catalogue(source)
