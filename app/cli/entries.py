"""What is sent as one entry: a file as it is, or the files of several tables in one ZIP that is always the same."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.cli.errors import Usage

EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first moment that a ZIP can hold."""


@dataclass(frozen=True)
class File:
    """The file to send; size (bytes) and digest were taken from the same bytes. `name` is what the server is told."""

    path: Path
    size: int
    sha256: str
    name: str


def read_file(path: Path, *, name: str = "") -> File:
    """The file's size and digest. Errors: Usage when it is not there, is a folder or cannot be read."""
    if path.is_dir():
        raise Usage(f"{path} is a folder. Name the file in it with your predictions.")
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            return File(path, stream.tell(), digest, name or path.name)
    except FileNotFoundError as error:
        raise Usage(f"There is no file {path}. Check its name and the folder you are in.") from error
    except OSError as error:
        raise Usage(f"{path} cannot be read ({error.strerror}).") from error


@contextmanager
def one_entry(files: Mapping[str, Path]) -> Iterator[File]:
    """One file to send for `files` (name in the entry -> path): the only one as it is, several as a ZIP.

    The same bytes under the same names give the same ZIP on every machine and in every order: fixed times, sorted
    names, stored without compression, whose result depends on the library. Errors: as `read_file`.
    """
    if len(files) == 1:
        ((name, path),) = files.items()
        yield read_file(path, name=name)
        return
    for path in files.values():
        read_file(path)
    with tempfile.TemporaryDirectory(prefix="arbitre-") as folder:
        target = Path(folder) / "entry.zip"
        with zipfile.ZipFile(target, "w") as archive:
            for name in sorted(files):
                _add(archive, name, files[name])
        yield read_file(target)


def table_files(phase: Mapping[str, Any]) -> dict[str, str]:
    """Table name -> name of its file, of a phase as the API gives it; empty where it does not say."""
    tables = (phase.get("scoring") or {}).get("tables") or []
    return {str(table["name"]): str(table["file"]) for table in tables}


def named_files(paths: Sequence[Path], phase: Mapping[str, Any]) -> dict[str, Path]:
    """Name in the entry -> path. A single file keeps its own name; several are named after the tables of the phase.

    Errors: Usage for a file that is no table's, and for two of the same table.
    """
    if len(paths) == 1:
        return {paths[0].name: paths[0]}
    tables, found = table_files(phase), dict[str, Path]()
    for path in paths:
        name = tables.get(path.stem, path.name)
        if tables and name not in tables.values():
            raise Usage(
                f"{path} is no table of this phase. Name the files as its tables: {', '.join(sorted(tables.values()))}."
            )
        if name in found:
            raise Usage(f"{found[name]} and {path} are both for {name}. Name one file for each table.")
        found[name] = path
    return found


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    member = zipfile.ZipInfo(name, EARLIEST)
    # What Python would take from the system it runs on.
    member.create_system, member.external_attr = 3, 0o644 << 16
    large = path.stat().st_size >= zipfile.ZIP64_LIMIT
    with path.open("rb") as source, archive.open(member, "w", force_zip64=large) as sink:
        shutil.copyfileobj(source, sink, 1 << 20)
