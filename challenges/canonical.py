"""One form for all folders that are the same challenge: what its digest covers, and what an export gives back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rfc8785

from challenges.folder import ChallengeFolder
from challenges.layout import SPEC_FILE
from challenges.spec import ChallengeSpec
from challenges.toml_text import to_toml


def canonical(folder: ChallengeFolder) -> bytes:
    """RFC 8785 JSON of the folder: the spec without keys equal to their default, and the sha256 of each other file.

    Comments, blanks, key order and offsets of moments in challenge.toml do not count.
    """
    files = {name: file_digest(path) for name, path in folder.files.items() if name != SPEC_FILE}
    return rfc8785.dumps({"challenge": plain(folder.spec), "files": files})


def digest(folder: ChallengeFolder) -> str:
    """sha256 (64 hex digits) of the canonical form."""
    return hashlib.sha256(canonical(folder)).hexdigest()


def plain(spec: ChallengeSpec) -> dict[str, Any]:
    """The spec as plain JSON without keys equal to their default; moments in UTC."""
    return spec.model_dump(mode="json", exclude_defaults=True)


def exported(folder: ChallengeFolder) -> Mapping[str, bytes | Path]:
    """The folder as it is handed back: challenge.toml written from the model, all other files as they are."""
    return {**folder.files, SPEC_FILE: to_toml(folder.spec).encode()}


def file_digest(path: Path) -> str:
    """sha256 (64 hex digits) of a file's bytes, read in bounded memory."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
