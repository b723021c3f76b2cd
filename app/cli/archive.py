"""A challenge folder as a tar stream: the same bytes for the same files, sent without being held in memory or on disk.

Members are sorted by path and carry neither times nor owners. The length is known before the first byte is read, so
that a server can refuse an archive that is too large at once.
"""

from __future__ import annotations

import tarfile
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.cli.errors import Invalid, Usage

_BLOCK = tarfile.BLOCKSIZE
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Member:
    """One file of the archive: its path inside, where it lies, its size in bytes."""

    name: str
    path: Path
    size: int


def folder_members(root: Path) -> list[Member]:
    """The files of a folder, sorted by path, without what desktops, Python and git leave behind.

    Errors: Usage when there is no such folder, Invalid for links and special files (a link could send a file from
    outside the folder).
    """
    from challenges.layout import is_noise

    if not root.is_dir():
        raise Usage(f"{root} is not a folder." if root.exists() else f"There is no folder {root}.")
    found = []
    for path in root.rglob("*"):
        name = unicodedata.normalize("NFC", path.relative_to(root).as_posix())
        if is_noise(name) or (path.is_dir() and not path.is_symlink()):
            continue
        if path.is_symlink() or not path.is_file():
            raise Invalid(f"{path} is a link or a special file. Put the file itself there, or remove it.")
        found.append(Member(name, path, path.stat().st_size))
    return sorted(found, key=lambda member: member.name.encode())


def archive_size(members: list[Member]) -> int:
    """Length of `archive_bytes(members)` in bytes."""
    body = sum(len(_header(member)) + member.size + _padding(member.size) for member in members)
    return body + _closing(body)


def archive_bytes(members: list[Member]) -> Iterator[bytes]:
    """The tar (POSIX pax), chunk by chunk. Errors: Invalid for a file that changed size since it was listed."""
    sent = 0
    for member in members:
        header = _header(member)
        yield header
        yield from _content(member)
        yield bytes(_padding(member.size))
        sent += len(header) + member.size + _padding(member.size)
    yield bytes(_closing(sent))


def _header(member: Member) -> bytes:
    info = tarfile.TarInfo(member.name)
    info.size, info.mode = member.size, 0o644
    return info.tobuf(tarfile.PAX_FORMAT)


def _content(member: Member) -> Iterator[bytes]:
    left = member.size
    with member.path.open("rb") as stream:
        while left and (chunk := stream.read(min(_CHUNK, left))):
            left -= len(chunk)
            yield chunk
        if left or stream.read(1):
            raise Invalid(f"{member.path} changed while it was sent. Send it again when nothing writes to it.")


def _padding(size: int) -> int:
    return -size % _BLOCK


def _closing(size: int) -> int:
    """Two zero blocks, then up to a whole tar record, as tar itself writes it."""
    return 2 * _BLOCK + -(size + 2 * _BLOCK) % tarfile.RECORDSIZE
