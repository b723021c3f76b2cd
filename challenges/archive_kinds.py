"""The two kinds of archive a challenge may arrive in, as names, kinds and sizes first and contents on request.

`zipfile` and `tarfile` read tables and headers into memory at whatever length the archive declares. `Metered` stands
between them and the stream: it refuses more than a budget of such reading, so a hostile archive cannot fill memory.
"""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal, Protocol, cast

DAMAGED = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, OSError, NotImplementedError, ValueError)

_ZIP_TABLE = 16_000_000  # 100,000 members with names of 100 characters
_TAR_HEADER = 100_000  # one member: its header, long names, extended attributes
_TAIL = 1_000_000  # padding after the end mark, at most
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


class Refused(Exception):
    """The archive as a whole cannot be read; `code` is a code of `challenges.messages`, `limit` what it exceeds."""

    def __init__(self, code: str, limit: str | None = None, found: str | None = None) -> None:
        self.code = code
        self.limit = limit
        self.found = found
        super().__init__(code)


@dataclass(frozen=True)
class Member:
    """One member as its header declares it. `name` is relative, without `./` in front and `/` at the end."""

    name: str
    kind: Literal["file", "folder", "link", "special", "encrypted", "method"]
    size: int
    handle: Any = None


class Archive(Protocol):
    """What both kinds offer: all members in order, then the contents of a file."""

    def members(self) -> Iterator[Member]: ...
    def open(self, member: Member) -> BinaryIO: ...


class Metered(io.RawIOBase):
    """A seekable view of a stream that gives out `budget` bytes until it is filled again; None means no budget."""

    def __init__(self, stream: BinaryIO, budget: int | None) -> None:
        self.stream = stream
        self.budget = budget

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, all if negative. Errors: Refused when the budget has not that many left."""
        if self.budget is None:
            return self.stream.read(size)
        data = self.stream.read(self.budget + 1 if size < 0 else size) if size <= self.budget else b""
        if max(size, len(data)) > self.budget:
            raise Refused("A-HEADERS")
        self.budget -= len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self.stream.seek(offset, whence)

    def tell(self) -> int:
        return self.stream.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def open_archive(stream: BinaryIO) -> Archive:
    """The archive of a seekable stream, told by its first bytes. Errors: Refused for any other kind of file."""
    stream.seek(0)
    head = stream.read(512)
    stream.seek(0)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ZipArchive(stream)
    if head.startswith(b"\x1f\x8b"):
        return TarArchive(cast(BinaryIO, gzip.GzipFile(fileobj=stream)))
    if head[257:262] == b"ustar":
        return TarArchive(stream)
    raise _other_kind(head)


def _other_kind(head: bytes) -> Refused:
    if not head:
        return Refused("A-EMPTY")
    known = {
        b"7z\xbc\xaf": "7-Zip",
        b"Rar!": "RAR",
        b"BZh": "bzip2",
        b"\xfd7zXZ": "xz",
        b"\x28\xb5\x2f\xfd": "Zstandard",
    }
    name = next((name for magic, name in known.items() if head.startswith(magic)), None)
    return Refused("A-KIND-NAMED", found=name) if name else Refused("A-KIND")


class ZipArchive:
    """A zip file with stored or deflated members."""

    def __init__(self, stream: BinaryIO) -> None:
        meter = Metered(stream, _ZIP_TABLE)
        try:
            self.zip = zipfile.ZipFile(cast(BinaryIO, meter))
        except DAMAGED as error:
            raise Refused("A-DAMAGED", found=str(error)) from error
        meter.budget = None

    def members(self) -> Iterator[Member]:
        for info in self.zip.infolist():
            yield Member(_zip_name(info).removeprefix("./").rstrip("/"), _zip_kind(info), info.file_size, info)

    def open(self, member: Member) -> BinaryIO:
        return cast(BinaryIO, self.zip.open(member.handle))


def _zip_kind(info: zipfile.ZipInfo) -> Literal["file", "folder", "link", "special", "encrypted", "method"]:
    mode = stat.S_IFMT(info.external_attr >> 16)
    if info.is_dir():
        return "folder"
    if mode == stat.S_IFLNK:
        return "link"
    if mode not in (0, stat.S_IFREG):
        return "special"
    if info.flag_bits & 1:
        return "encrypted"
    return "file" if info.compress_type in _METHODS else "method"


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Some programs write UTF-8 names without saying so; zipfile then reads them as cp437."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


class TarArchive:
    """A tar file, already uncompressed."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.meter = Metered(stream, _TAR_HEADER)

    def members(self) -> Iterator[Member]:
        tar = tarfile.open(fileobj=cast(BinaryIO, self.meter), mode="r:")  # noqa: SIM115 read again by open()
        while info := tar.next():
            yield Member(info.name.removeprefix("./"), _tar_kind(info), info.size, (tar, info))
            self.meter.budget = _TAR_HEADER
        self._finish(tar.offset)

    def _finish(self, offset: int) -> None:
        """An archive cut off between two members has no end mark; reading on to the end verifies a gzip checksum."""
        self.stream.seek(offset)
        if self.stream.read(512) != bytes(512):
            raise Refused("A-CUT")
        if len(self.stream.read(_TAIL)) == _TAIL:
            raise Refused("A-TAIL")

    def open(self, member: Member) -> BinaryIO:
        self.meter.budget = None
        tar, info = member.handle
        content = tar.extractfile(info)
        return cast(BinaryIO, content)


def _tar_kind(info: tarfile.TarInfo) -> Literal["file", "folder", "link", "special"]:
    if info.isdir():
        return "folder"
    if info.issym() or info.islnk():
        return "link"
    return "file" if info.isreg() and not info.issparse() else "special"
