"""Fetching one file: resumed where it broke off, checked against its sha256, and never written outside the folder."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.cli.answers import not_reached
from app.cli.client import BASE, Api, steadily
from app.cli.errors import Fault, Invalid, Unreachable, Usage

CHUNK = 1 << 20
_OWN_BYTES = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
"""Through no link; and on Windows, where a line end would otherwise become two bytes, the bytes as they are."""
_DEVICES = frozenset({"CON", "PRN", "AUX", "NUL", *(f"{kind}{n}" for kind in ("COM", "LPT") for n in range(1, 10))})
"""Names that Windows keeps for devices, with any ending."""


@dataclass(frozen=True)
class Wanted:
    """One file of a challenge: its path there, its length in bytes, its digest, and the API path of its bytes."""

    path: str
    size: int
    sha256: str
    url: str


def place(folder: Path, path: str) -> Path:
    """Where `path` of the server goes below `folder`; makes the folders between.

    Errors: Fault for a path that would leave the folder, Usage where a link or a file stands in the way.
    """
    parts = path.split("/")
    if any(map(_is_bad, parts)) or not path.isprintable():
        raise Fault(f"The server names a file {path!r}, which would not stay inside {folder}. It was not fetched.")
    where = folder
    for part in parts[:-1]:
        where = where / part
        _make_folder(where)
    target = where / parts[-1]
    if target.is_symlink() or target.is_dir():
        raise Usage(f"{target} is a link or a folder here. Move it away, or choose another folder with -o.")
    return target


def fetch(
    api: Api, wanted: Wanted, target: Path, *, progress: Callable[[int], None], tell: Callable[[str], None]
) -> None:
    """Bring `wanted` to `target`. What arrived stays in `<target>.part`, and the next run goes on from there.

    `progress` is called with the bytes that are there. Errors: Unreachable (run again), Fault for a wrong digest.
    """
    part = target.with_name(target.name + ".part")
    with _open_part(part) as stream:
        if _arrived(stream) > wanted.size:
            stream.truncate(0)
        resumed = _arrived(stream) > 0
        _fill(api, wanted, stream, progress, tell)
        if resumed and _digest(stream) != wanted.sha256:
            # The beginning may be of an older version of the file: once more from the start.
            stream.truncate(0)
            _fill(api, wanted, stream, progress, tell)
        if _digest(stream) != wanted.sha256:
            stream.truncate(0)
            raise Fault(f"{wanted.path} arrived damaged (wrong sha256), so it was not kept. Try again later.")
        os.fsync(stream.fileno())
    part.replace(target)


def same(path: Path, wanted: Wanted) -> bool:
    """Whether the file is there already, byte for byte."""
    if not path.is_file() or path.stat().st_size != wanted.size:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == wanted.sha256


def _fill(
    api: Api, wanted: Wanted, stream: BinaryIO, progress: Callable[[int], None], tell: Callable[[str], None]
) -> None:
    """Ask for what is missing until all of it is there; pause and give up only while nothing comes at all."""

    def attempt() -> None:
        before = _arrived(stream)
        try:
            _receive(api, wanted, stream, progress)
        except Unreachable as error:
            if not error.may_pass or _arrived(stream) == before:
                raise
        if _arrived(stream) == before:
            raise Fault(f"The server sent less of {wanted.path} than it announced. Run the command again to go on.")

    while _arrived(stream) < wanted.size:
        steadily(attempt, tell=tell)


def _receive(api: Api, wanted: Wanted, stream: BinaryIO, progress: Callable[[int], None]) -> None:
    """Append what one answer brings."""
    import httpx

    start = _arrived(stream)
    headers = {"Accept": "*/*", "Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    try:
        with api.http.stream("GET", BASE + wanted.url, headers=headers) as answer:
            if not answer.is_success:
                answer.read()
                api.refuse(answer, wanted.url)
            if start and answer.status_code != 206:
                stream.truncate(0)
            stream.seek(0, os.SEEK_END)
            for chunk in answer.iter_raw():
                _append(stream, chunk, wanted)
                progress(stream.tell())
    except httpx.TransportError as error:
        raise not_reached(error, address=api.address) from error


def _is_bad(part: str) -> bool:
    """Whether a name leads elsewhere, on this system or on Windows."""
    if part in {"", ".", ".."} or any(sign in part for sign in "\\\0:"):
        return True
    return sys.platform == "win32" and (part[-1] in ". " or part.partition(".")[0].strip().upper() in _DEVICES)


def _append(stream: BinaryIO, chunk: bytes, wanted: Wanted) -> None:
    if stream.tell() + len(chunk) > wanted.size:
        stream.truncate(0)
        raise Fault(f"The server sent more of {wanted.path} than it announced, so it was not kept. Try again later.")
    try:
        stream.write(chunk)
        stream.flush()
    except OSError as error:
        raise Invalid(
            f"{wanted.path} cannot be written here ({error.strerror}). Free some space and run it again."
        ) from error


def _open_part(part: Path) -> BinaryIO:
    try:
        # no link may stand for the part: it would lead the bytes out of the folder
        handle = os.open(part, os.O_RDWR | os.O_CREAT | _OWN_BYTES, 0o666)
    except OSError as error:
        raise Usage(f"{part} cannot be written ({error.strerror}). Choose another folder with -o.") from error
    return os.fdopen(handle, "r+b")


def _make_folder(where: Path) -> None:
    try:
        where.mkdir(exist_ok=True)
        is_folder = stat.S_ISDIR(where.lstat().st_mode)
    except OSError as error:
        raise Usage(f"{where} cannot be made a folder ({error.strerror}). Choose another folder with -o.") from error
    if not is_folder:
        raise Usage(f"{where} is a link here. Move it away, or choose another folder with -o.")


def _arrived(stream: BinaryIO) -> int:
    return stream.seek(0, os.SEEK_END)


def _digest(stream: BinaryIO) -> str:
    stream.seek(0)
    found = hashlib.sha256()
    while chunk := stream.read(CHUNK):
        found.update(chunk)
    return found.hexdigest()
