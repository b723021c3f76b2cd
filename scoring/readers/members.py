"""Members of an uploaded archive, one after the other: names, kinds and sizes first, contents where they are asked for.

The tar reader is our own and goes forward only: `tarfile` seeks to wherever a header says, keeps every member, and
reads extended headers of any length.
"""

import stat
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from scoring.readers.limits import Unusable
from scoring.readers.unpack import directory_of, files_of, refusal, whole

MEMBERS = 10_000
_CHUNK = 1 << 16
_BLOCK = 512
_HEADER_BYTES = 1 << 16  # of one long name or one set of extended attributes
_FILES, _EMPTY = (b"0", b"\0", b"7"), (b"1", b"2", b"3", b"4", b"5", b"6")
_FOLDER, _LONG_NAME, _EXTENDED, _SKIPPED = b"5", b"L", b"x", (b"g", b"K", b"X")

Read = Callable[[int], bytes]


@dataclass(frozen=True)
class Member:
    """One file of an archive. `size`: as declared. `refused`: code of why it cannot be read; None where it can.

    `read`: at most so many bytes more of it, b"" at its end; until the next member is asked for. Raises `Unusable`.
    """

    name: str
    size: int
    read: Read
    refused: str | None = None


def zip_members(stream: BinaryIO) -> Iterator[Member]:
    """Files of a ZIP, without its folders. Raises `Unusable`."""
    archive = directory_of(stream)
    infos = files_of(archive)
    _count(len(infos))
    for info in infos:
        kind = stat.S_IFMT(info.external_attr >> 16)
        strange = "E-ARCHIVE-LINK" if kind not in (0, stat.S_IFREG) else refusal(info)
        yield Member(_zip_name(info), info.file_size, _zip_reader(archive, info), strange)


def _zip_reader(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Read:
    opened: list[Read] = []

    def read(most: int) -> bytes:
        if not opened:
            opened.append(whole(lambda: archive.open(info)).read)
        return whole(lambda: opened[0](most))

    return read


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Some programs write UTF-8 names without saying so; zipfile then takes them for cp437."""
    try:
        return info.filename if info.flag_bits & 0x800 else info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def tar_members(read: Read) -> Iterator[Member]:
    """Files of a tar, links and devices among them, without its folders; then reads to the end. Raises `Unusable`."""
    name, size, count = "", -1, 0
    while True:
        header = _exactly(read, _BLOCK)
        if header == bytes(_BLOCK):
            break
        kind, length = header[156:157], _checked_size(header)
        if kind == _LONG_NAME:
            name = _text(_padded(read, length).rstrip(b"\0"))
        elif kind == _EXTENDED:
            name, size = _extended(_padded(read, length), name)
        elif kind in _SKIPPED:
            _padded(read, length)
        else:
            _count(count := count + 1)
            length = size if size >= 0 else length
            content = _Content(read, 0 if kind in _EMPTY else length)
            if kind != _FOLDER:
                strange = None if kind in _FILES else "E-ARCHIVE-LINK"
                yield Member(name or _name(header), content.left, content.read, strange)
            content.skip()
            name, size = "", -1
    while read(_CHUNK):
        pass


class _Content:
    """What one header announces, and the zeros that fill its last block."""

    def __init__(self, read: Read, size: int) -> None:
        self._read, self.left, self._fill = read, size, -size % _BLOCK

    def read(self, most: int) -> bytes:
        data = self._read(min(most, self.left)) if self.left else b""
        if self.left and not data:
            raise Unusable("E-ARCHIVE-DAMAGED")
        self.left -= len(data)
        return data

    def skip(self) -> None:
        while self.left:
            self.read(_CHUNK)
        _exactly(self._read, self._fill)


def _count(members: int) -> None:
    if members > MEMBERS:
        raise Unusable("E-ARCHIVE-MANY", most=MEMBERS)


def _exactly(read: Read, length: int) -> bytes:
    data = b""
    while len(data) < length:
        piece = read(length - len(data))
        if not piece:
            raise Unusable("E-ARCHIVE-DAMAGED")
        data += piece
    return data


def _padded(read: Read, length: int) -> bytes:
    if length > _HEADER_BYTES:
        raise Unusable("E-ARCHIVE-DAMAGED")
    return _exactly(read, length + -length % _BLOCK)[:length]


def _checked_size(header: bytes) -> int:
    """Size of the member, after the header's checksum."""
    if sum(header[:148]) + 8 * ord(" ") + sum(header[156:]) != _number(header[148:156]):
        raise Unusable("E-ARCHIVE-DAMAGED")
    return _number(header[124:136])


def _number(field: bytes) -> int:
    """Octal digits, or (GNU) a big-endian number where the first bit is set."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if not all(digit in b"01234567" for digit in digits):
        raise Unusable("E-ARCHIVE-DAMAGED")
    return int(digits or b"0", 8)


def _name(header: bytes) -> str:
    name, prefix = (part.partition(b"\0")[0] for part in (header[:100], header[345:500]))
    return _text(prefix + b"/" + name if prefix and header[257:263] == b"ustar\0" else name)


def _text(raw: bytes) -> str:
    return unicodedata.normalize("NFC", raw.decode("utf-8", "replace"))


def _extended(raw: bytes, name: str) -> tuple[str, int]:
    """Path and size of the next member in pax records, "LENGTH KEY=VALUE\\n" each; -1 where no size is given."""
    size = -1
    while raw:
        digits, _, _ = raw[:10].partition(b" ")
        length = int(digits) if digits.isdigit() else 0
        record, raw = raw[len(digits) + 1 : length - 1], raw[length:]
        if length <= len(digits) + 1 or b"=" not in record:
            raise Unusable("E-ARCHIVE-DAMAGED")
        key, _, value = record.partition(b"=")
        name = _text(value) if key == b"path" else name
        size = int(value) if key == b"size" and value.isdigit() and len(value) < 20 else size
        if key.startswith(b"GNU.sparse"):
            raise Unusable("E-ARCHIVE-LINK", value="GNU.sparse")
    return name, size
