"""One upload with a file for each table: a ZIP, a .tar or a .tar.gz, told apart by the first bytes.

Only the files that are wanted are unpacked, into memory and within the limits; nothing is written, and no member is
opened by its path. Folders inside the archive are ignored: a file is found by the last part of its name.
"""

import io
import unicodedata
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from scoring.issues import IssueLog, Tell
from scoring.readers.limits import Limits, Unusable
from scoring.readers.members import Member, tar_members, zip_members
from scoring.readers.nearby import folded
from scoring.readers.unpack import WORKBOOKS, is_gzip, is_litter, is_tar, is_zip, open_gzip
from scoring.spec import TableSpec

_CHUNK = 1 << 16
_NAMED = 20  # files that a sentence lists


def split_entry(stream: BinaryIO, tables: Sequence[TableSpec], limits: Limits, log: IssueLog) -> dict[str, BinaryIO]:
    """The upload as one seekable stream per table, by the table's name; what is wrong goes to `log`.

    For one table that is the upload itself. Each table that is not in the result is told in `log`. All tables together
    are held to `limits.expanded_bytes`. Raises nothing because of what the bytes are.
    """
    if len(tables) == 1:
        return {tables[0].name: stream}
    taken = _Taken(tables, limits, log)
    try:
        for member in _members(stream, tables, taken):
            taken.add(member)
    except Unusable as fault:
        tell: Tell = log.add
        tell(fault.code, **fault.fields)
    else:
        taken.finish()
    return taken.files


def base_name(path: str) -> str:
    """The last part of a path, NFC, whichever slashes it has."""
    return unicodedata.normalize("NFC", path.replace("\\", "/").rpartition("/")[2])


def _members(stream: BinaryIO, tables: Sequence[TableSpec], taken: "_Taken") -> Iterator[Member]:
    uploaded = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    head = stream.read(_CHUNK)[:512]
    stream.seek(0)
    if not head:
        raise Unusable("E-EMPTY")
    if uploaded > taken.limits.expanded_bytes:
        raise Unusable("E-SIZE", megabytes=taken.limits.expanded_bytes // 1_000_000)
    if is_zip(head):
        taken.allow(max(taken.limits.ratio * uploaded, taken.limits.ratio_from_bytes))
        return zip_members(stream)
    if is_tar(head):
        return tar_members(stream.read)
    inner = open_gzip(stream, taken.limits) if is_gzip(head) else None
    if inner is None or not is_tar(inner.peek(512)):
        raise Unusable("E-ARCHIVE-TABLES", names=", ".join(base_name(table.file) for table in tables))
    return tar_members(inner.read)


class _Taken:
    """The tables found so far. `files`: by name of table, those whose file has the right name."""

    def __init__(self, tables: Sequence[TableSpec], limits: Limits, log: IssueLog) -> None:
        self.limits, self.files = limits, dict[str, BinaryIO]()
        self._tables, self._log = tables, log
        self._right = {base_name(table.file): table.name for table in tables}
        self._nearly = {folded(name): table for name, table in self._right.items()}
        self._misnamed: dict[str, tuple[str, BinaryIO]] = {}
        self._others: list[str] = []
        self._told: set[str] = set()
        self._left, self._allowed = limits.expanded_bytes, limits.expanded_bytes

    def allow(self, most: int) -> None:
        """At most so many bytes, because more would be a bomb."""
        self._allowed = min(self._allowed, most)

    def add(self, member: Member) -> None:
        """Keep the member if it is the file of a table. Raises `Unusable` where it is too much or damaged."""
        if is_litter(member.name):
            return
        name = base_name(member.name)
        if name in WORKBOOKS:
            raise Unusable("E-WORKBOOK")
        table = self._right.get(name) or self._nearly.get(folded(name))
        if table is None:
            self._others.append(name)
        elif member.refused:
            self._tell(table, member.refused, member.name)
        elif table in self.files and name in self._right:
            self._tell(table, "E-FILE-TWICE", member.name)
        elif name in self._right:
            self._keep(self.files, table, member)
        elif table not in self._misnamed:
            kept: dict[str, BinaryIO] = {}
            self._keep(kept, table, member)
            self._misnamed |= {table: (name, stream) for table, stream in kept.items()}
        else:
            self._others.append(name)

    def finish(self) -> None:
        """Tell what is missing, what is idle, and what has nearly the right name and is read for its other faults."""
        right = {table: name for name, table in self._right.items()}
        for table, (name, stream) in self._misnamed.items():
            if table in self.files:
                self._others.append(name)
            else:
                self._log.add("E-FILE-NAME", table=table, value=name, right=right[table])
                self.files[table] = stream
        found = [*(right[table] for table in self.files), *self._others]
        listed = ", ".join(found[:_NAMED]) + (", …" if len(found) > _NAMED else "")
        for spec in self._tables:
            if spec.name not in self.files and spec.name not in self._told:
                self._log.add("E-FILE-MISSING", table=spec.name, value=right[spec.name], found=listed or "-")
        for name in self._others:
            self._log.add("W-FILE-EXTRA", value=name)

    def _tell(self, table: str, code: str, name: str) -> None:
        self._told.add(table)
        self._log.add(code, table=table, value=name)

    def _keep(self, files: dict[str, BinaryIO], table: str, member: Member) -> None:
        if member.size > self._left:
            raise Unusable("E-SIZE", megabytes=self.limits.expanded_bytes // 1_000_000)
        if member.size > self._allowed:
            raise Unusable("E-ARCHIVE-BOMB", ratio=self.limits.ratio)
        self._left, self._allowed = self._left - member.size, self._allowed - member.size
        kept = io.BytesIO()
        while data := member.read(_CHUNK):
            kept.write(data)
        kept.seek(0)
        head = kept.read(512)
        kept.seek(0)
        if is_zip(head) or is_gzip(head) or is_tar(head):
            self._tell(table, "E-ARCHIVE-NESTED", member.name)
            return
        files[table] = kept
