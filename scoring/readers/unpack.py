"""Plain bytes out of what was uploaded: plain, gzip, or a ZIP that holds one file. Streamed, with caps.

The form is told by the first bytes, never by a name. Nothing is written, no member is opened by its path, and only what
zlib expands is accepted (bzip2 and LZMA members may ask for gigabytes of dictionary).
"""

import errno
import io
import zipfile
import zlib
from collections.abc import Callable
from typing import IO, BinaryIO, TypeAlias, TypeVar

from scoring.readers.limits import Limits, Unusable

T = TypeVar("T")
Plain: TypeAlias = "io.BufferedReader[_Capped]"

_CHUNK = 1 << 16
_GZIP, _ZIP = b"\x1f\x8b", b"PK"
_DIRECTORY_BYTES = 4 << 20  # a list of files longer than this is not read: it would hold tens of thousands of files
_GZIP_MEMBERS = 100_000
WORKBOOKS = ("[Content_Types].xml", "mimetype")
_ENCRYPTED = 0x1 | 0x40
_LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
_OTHERS = (
    (b"PAR1", "Parquet"),
    (b"\xd0\xcf\x11\xe0", "Excel (.xls)"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!\x1a\x07", "RAR"),
    (b"%PDF-", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x93NUMPY", "NumPy"),
    (b"\x89HDF", "HDF5"),
)


def open_plain(stream: BinaryIO, limits: Limits, *, accepted: bytes = b"") -> Plain:
    """A reader of the plain bytes of `stream` (seekable, read from its start). `accepted`: first bytes that are right.

    Raises `Unusable` (E-ARCHIVE…, E-WORKBOOK, E-FORMAT, E-SIZE) here or on any later read.
    """
    uploaded = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    magic = stream.read(4)
    stream.seek(0)
    packed = is_gzip(magic) or is_zip(magic)
    if is_gzip(magic):
        plain = open_gzip(stream, limits)
    else:
        source: Callable[[int], bytes] = _only_member(stream).read if packed else stream.read
        plain = io.BufferedReader(_Capped(source, uploaded if packed else None, limits), _CHUNK)
    _refuse_other_formats(plain.peek(512), packed, accepted)
    return plain


def open_gzip(stream: BinaryIO, limits: Limits) -> Plain:
    """A reader of what a gzip file holds, from its start. Raises `Unusable` here or on any later read."""
    uploaded = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    return io.BufferedReader(_Capped(_Gunzip(stream).read, uploaded, limits), _CHUNK)


def is_gzip(head: bytes) -> bool:
    """By the first bytes of a file."""
    return head.startswith(_GZIP)


def is_zip(head: bytes) -> bool:
    """By the first bytes of a file."""
    return head.startswith(_ZIP) and head[2:4] in (b"\3\4", b"\5\6", b"\7\x08")


def is_tar(head: bytes) -> bool:
    """By the first 512 bytes of a file."""
    return head[257:262] == b"ustar"


def drain(plain: Plain) -> None:
    """Read to the end and keep nothing, so that a bomb, a cut archive or a wrong checksum is told whatever came before.

    Raises `Unusable`.
    """
    while plain.read(_CHUNK):
        pass


class _Capped(io.RawIOBase):
    """Counts what comes out, refuses too much of it, and gives every fault of an archive one form."""

    def __init__(self, source: Callable[[int], bytes], uploaded: int | None, limits: Limits) -> None:
        self._source, self._uploaded, self._limits, self._done = source, uploaded, limits, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        most = min(len(buffer), _CHUNK)
        data = self._source(most) if self._uploaded is None else whole(lambda: self._source(most))
        buffer[: len(data)] = data
        self._done += len(data)
        limits = self._limits
        if self._uploaded is not None and self._done > max(limits.ratio * self._uploaded, limits.ratio_from_bytes):
            raise Unusable("E-ARCHIVE-BOMB", ratio=limits.ratio)
        if self._done > limits.expanded_bytes:
            raise Unusable("E-SIZE", megabytes=limits.expanded_bytes // 1_000_000)
        return len(data)


class _Gunzip:
    """gzip by zlib alone: one or several members, padding zeros at the end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._inflate, self._members, self._rest = stream, zlib.decompressobj(31), 1, b""

    def read(self, most: int) -> bytes:
        while True:
            if self._inflate.eof and not self._next_member():
                return b""
            self._rest = self._rest or self._stream.read(_CHUNK)
            if not self._rest:
                raise Unusable("E-ARCHIVE-DAMAGED")
            data = self._inflate.decompress(self._rest, most)
            self._rest = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            if data:
                return data

    def _next_member(self) -> bool:
        while not (rest := self._rest.lstrip(b"\0")):
            self._rest = self._stream.read(_CHUNK)
            if not self._rest:
                return False
        self._members += 1
        if self._members > _GZIP_MEMBERS:
            raise Unusable("E-ARCHIVE-DAMAGED")
        self._rest, self._inflate = rest, zlib.decompressobj(31)
        return True


class _ShortReads:
    """The stream for `zipfile`, which would otherwise read a list of files of any length into memory."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, most: int = -1) -> bytes:
        if most > _DIRECTORY_BYTES:
            raise Unusable("E-ARCHIVE-DAMAGED")
        return self._stream.read(most if most >= 0 else _DIRECTORY_BYTES)


def directory_of(stream: BinaryIO) -> zipfile.ZipFile:
    """A ZIP with its list of files read, which may not be too long. Raises `Unusable`."""
    return whole(lambda: zipfile.ZipFile(_ShortReads(stream)))


def files_of(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Its members without folders. `ZipInfo.is_dir` raises IndexError for a member without a name."""
    return [member for member in archive.infolist() if not member.filename.endswith("/")]


def refusal(member: zipfile.ZipInfo) -> str | None:
    """The code of why a member cannot be read; None where it can."""
    if member.flag_bits & _ENCRYPTED:
        return "E-ARCHIVE-ENCRYPTED"
    return None if member.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) else "E-ARCHIVE-METHOD"


def _only_member(stream: BinaryIO) -> IO[bytes]:
    archive = directory_of(stream)
    members = [m for m in files_of(archive) if not is_litter(m.filename)]
    if any(m.filename in WORKBOOKS for m in members):
        raise Unusable("E-WORKBOOK")
    if len(members) != 1:
        raise Unusable("E-ARCHIVE", found=len(members))
    refused = refusal(members[0])
    if refused:
        raise Unusable(refused)
    return whole(lambda: archive.open(members[0]))


def is_litter(name: str) -> bool:
    """Files that desktops leave in archives."""
    last = name.rpartition("/")[2]
    return name.startswith(_LITTER[0]) or last in _LITTER[1:] or last.startswith("._")


def whole(read: Callable[[], T]) -> T:
    """`read()`, where whatever zipfile and zlib raise on damaged bytes is one problem with one name."""
    try:
        return read()
    except (Unusable, MemoryError):
        raise
    except Exception as fault:  # zipfile raises struct.error, ValueError, UnicodeDecodeError… depending on the damage
        if isinstance(fault, OSError) and fault.errno not in (None, errno.EINVAL):
            raise  # the disk, not the archive
        raise Unusable("E-ARCHIVE-DAMAGED") from fault


def _refuse_other_formats(head: bytes, packed: bool, accepted: bytes) -> None:
    if accepted and head.startswith(accepted):
        return
    if packed and head.startswith((_GZIP, _ZIP + b"\3\4", _ZIP + b"\5\6")):
        raise Unusable("E-ARCHIVE-NESTED")
    for magic, name in _OTHERS:
        if head.startswith(magic):
            raise Unusable("E-FORMAT", found=name)
    if is_tar(head):
        raise Unusable("E-FORMAT", found="tar")
