"""The lock files as data."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-check.lock")


def pins(lock: str) -> dict[str, tuple[Requirement, int]]:
    """Package name, lower case → its pinned requirement and the number of its hashes."""
    found = {}
    for entry in PROJECT.joinpath(lock).read_text().replace("\\\n", "").splitlines():
        if entry and not entry.lstrip().startswith("#"):
            line, *hashes = re.split(r"\s+--hash=sha256:", entry.strip())
            requirement = Requirement(line)
            found[requirement.name.lower()] = (requirement, len(hashes))
    return found
