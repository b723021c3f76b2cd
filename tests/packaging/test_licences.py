"""Licences of what ./run installs: permissive or file-level copyleft; others are named here, each with its reason."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, distribution

from tests.packaging.locks import pins

ALLOWED = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0"),
    *("Python-2.0", "Unlicense", "Zlib"),
}
CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
# psycopg: the only maintained PostgreSQL driver for SQLAlchemy that speaks libpq. LGPL-3.0 asks nothing of Arbitre as
# long as the package is an unmodified dependency that a user can replace, which a virtual environment is.
NAMED = {"psycopg": "LGPL-3.0-only", "psycopg-binary": "LGPL-3.0-only"}


def licence(package: Distribution) -> str:
    """The SPDX expression of a package: its own, else from its classifier, else its licence field as written."""
    metadata = package.metadata
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    ends = [
        line.rpartition(" :: ")[2] for line in metadata.get_all("Classifier") or [] if line.startswith("License ::")
    ]
    known = [CLASSIFIERS[end] for end in ends if end in CLASSIFIERS]
    return " AND ".join(known) or str(metadata.json.get("license", "unknown"))


def terms(expression: str) -> set[str]:
    """The licence names of an SPDX expression."""
    return {word for word in re.split(r"[\s()]+", expression) if word not in {"", "AND", "OR"}}


def test_every_locked_package_has_a_licence_on_the_list() -> None:
    here = [name for name, (pin, _) in pins("requirements.lock").items() if pin.marker is None or pin.marker.evaluate()]
    found = {name: licence(distribution(name)) for name in here}
    assert len(found) > 60
    assert {name: text for name, text in found.items() if not terms(text) <= ALLOWED} == NAMED
