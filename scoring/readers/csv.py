"""Cells of a hostile CSV file as text, column by column, with all faults of its form reported at once."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import BinaryIO

from scoring.issues import Field, IssueLog, Tell
from scoring.readers.encoding import Lines
from scoring.readers.header import Wanted, choose_delimiter, locate, matches, tell_extra
from scoring.readers.limits import Limits, TooLong, Unusable
from scoring.readers.ragged import Ragged
from scoring.readers.unpack import drain, open_plain

_SEP_LINE = re.compile(r'"?sep=.?"?\s*', re.IGNORECASE)


@dataclass
class Sheet:
    """What was read: every list in `columns`, and `lines`, has one element per row.

    `columns`: name → cells as written. `lines`: 1-based line where the row begins. `extra`: number of columns not used.
    `broken`: rows with a wrong number of cells; `places`: name → position in the header. `complete`: False where
    something was not read, so that what is absent must not be called missing.
    """

    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)
    extra: int = 0
    broken: list[list[str]] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    complete: bool = True


@dataclass(frozen=True)
class _File:
    lines: Lines
    wanted: Wanted
    most_rows: int
    limits: Limits
    log: IssueLog
    table: str

    def tell(self, code: str, *, value: str | None = None, **fields: Field) -> None:
        """Report an issue on the record that is being read."""
        tell: Tell = self.log.add
        tell(code, table=self.table, line=self.lines.start, value=value, **fields)


@dataclass(frozen=True)
class _Body:
    """The rows below the header. `take`: position in a row, and where the cells of that column are kept."""

    reader: Iterator[list[str]]
    delimiter: str
    ragged: Ragged
    take: Sequence[tuple[int, list[str]]]


def read_sheet(stream: BinaryIO, *, wanted: Wanted, most_rows: int, limits: Limits, log: IssueLog, table: str) -> Sheet:
    """Read one file, from a seekable stream; all faults go to `log`. At most `most_rows` rows are held."""
    sheet = Sheet()
    try:
        plain = open_plain(stream, limits)
        lines = Lines(plain, limits=limits, log=log, table=table)
        _read(_File(lines, wanted, most_rows, limits, log, table), sheet)
        drain(plain)
    except Unusable as fault:
        tell: Tell = partial(log.add, table=table)
        tell(fault.code, **fault.told("CSV"))
        sheet.complete = False
    return sheet


def _read(file: _File, sheet: Sheet) -> None:
    text = iter(file.lines)
    try:
        first = _first_line(file, text)
        if first.lstrip().startswith(("{", "[")) and not matches(first.split(","), file.wanted.names):
            raise Unusable("E-FORMAT", found="JSON")
        delimiter = choose_delimiter(first, file.wanted.names)
        if delimiter != ",":
            file.tell("E-DELIM", found="TAB" if delimiter == "\t" else delimiter)
        reader = csv.reader(chain([first], text), delimiter=delimiter, strict=True)
        header = _record(file, sheet, reader)
        body = _locate(file, sheet, header, reader, delimiter) if header else None
        if body:
            _read_body(file, sheet, body)
    except StopIteration:
        file.log.add("E-EMPTY", table=file.table)
        sheet.complete = False
    except TooLong:
        _tell_too_long(file, sheet, file.limits.record_characters)


def _first_line(file: _File, text: Iterator[str]) -> str:
    """The line that begins the header: the first that is not blank. `sep=;`, meant for Excel, is reported and left."""
    while True:
        file.lines.begin()
        line = next(text)
        if _SEP_LINE.fullmatch(line):
            file.tell("E-SEP-LINE", value=line.strip())
        elif line.strip():
            return line


def _locate(
    file: _File, sheet: Sheet, header: Sequence[str], reader: Iterator[list[str]], delimiter: str
) -> _Body | None:
    tell = partial(file.log.add, table=file.table, line=file.lines.start)
    places = locate(header, wanted=file.wanted, most=file.limits.columns, tell=tell)
    if places is None:
        sheet.complete = False
        return None
    sheet.places, sheet.extra = places, tell_extra(header, places, tell)
    numeric = [name for name in file.wanted.numeric if name in places]
    kept: dict[str, list[str]] = {name: [] for name in places}
    sheet.columns = kept
    take = [(place, kept[name]) for name, place in places.items()]
    return _Body(reader, delimiter, Ragged(len(header), numeric, file.log, file.table), take)


def _read_body(file: _File, sheet: Sheet, body: _Body) -> None:
    file.lines.regroup()
    try:
        _read_rows(file, sheet, body)
    except TooLong:
        _tell_too_long(file, sheet, file.limits.record_characters)
    finally:  # where the bytes break off, the rows before are diagnosed too
        body.ragged.flush(len(sheet.lines) + len(sheet.broken))
    if not sheet.lines and not sheet.broken and sheet.complete:
        file.log.add("E-EMPTY-ROWS", table=file.table)
        sheet.complete = False


def _read_rows(file: _File, sheet: Sheet, body: _Body) -> None:
    lines = file.lines
    while True:
        lines.begin()
        if _read_quiet_rows(file, sheet, body):
            continue
        row = _record(file, sheet, body.reader)
        if row is None:
            return
        if not any(row):  # refused, or blank: spreadsheets end a file with rows of delimiters
            continue
        if len(sheet.lines) + len(sheet.broken) >= file.most_rows:
            sheet.complete = False
            file.tell("E-ROWS", most=file.most_rows)
            return
        if len(row) == body.ragged.width:
            sheet.lines.append(lines.start)
            for place, cells in body.take:
                cells.append(row[place])
        else:
            sheet.broken.append(row[: body.ragged.width])
            body.ragged.add(row, lines.start)


def _read_quiet_rows(file: _File, sheet: Sheet, body: _Body) -> bool:
    """Many rows at once, where each is one line and nothing is wrong with any; else False: they are read one by one."""
    lines, block = file.lines, file.lines.quiet_lines()
    try:
        batch = list(csv.reader(block, delimiter=body.delimiter, strict=True))
    except csv.Error:
        batch = []
    room = file.most_rows - len(sheet.lines) - len(sheet.broken)
    good = len(batch) == len(block) <= room and set(map(len, batch)) == {body.ragged.width}
    columns = list(zip(*batch, strict=True)) if good else []
    if not good or not all(columns[0]):
        lines.unread(block)
        return False
    sheet.lines.extend(range(lines.number + 1, lines.number + 1 + len(batch)))
    lines.number += len(batch)
    for place, cells in body.take:
        cells.extend(columns[place])
    return True


def _record(file: _File, sheet: Sheet, reader: Iterator[list[str]]) -> list[str] | None:
    """The next record; [] where it is blank or `csv` refuses it, None where reading ends. Raises `TooLong`."""
    try:
        return next(reader, None)
    except csv.Error as fault:
        sheet.complete = False
        if "field limit" not in str(fault):
            file.tell("E-QUOTE")
            return []
        _tell_too_long(file, sheet, csv.field_size_limit())
        return [] if file.lines.number == file.lines.start else None


def _tell_too_long(file: _File, sheet: Sheet, most: int) -> None:
    """What is too long on one line is a giant cell; over several lines it is a quote that was never closed."""
    sheet.complete = False
    if file.lines.number <= file.lines.start:
        file.tell("E-FIELD-SIZE", most=most)
    else:
        file.tell("E-QUOTE")
