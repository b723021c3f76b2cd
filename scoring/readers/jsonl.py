"""JSON lines as cells of text: one object per line, keys in any order, all faults of its form reported at once.

A number keeps the text that it is written with, so that it is read by the same grammar as in CSV. In a column of
numbers a text is refused even where it reads like a number: "0.5" in quotation marks is a slip that others would have
to undo. An id, a label or a text may be written as a number, and is then its text. null is an empty cell.
"""

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, BinaryIO, cast

from scoring.issues import IssueLog, Tell
from scoring.readers.cells import Odd
from scoring.readers.csv import Sheet
from scoring.readers.encoding import Lines
from scoring.readers.faults import Faults
from scoring.readers.header import Wanted, choose_delimiter, matches
from scoring.readers.limits import Limits, TooLong, Unusable
from scoring.readers.shapes import Shapes
from scoring.readers.texts import all_whole, quoted, truth, whole_text
from scoring.readers.unpack import drain, open_plain

_FORMAT = "JSON lines"
_BLANKS = " \t\r\n"
_SHOWN = 100
_BATCH = 4_096


class _Number(str):
    """A JSON number as it is written."""

    __slots__ = ()


def _constant(name: str) -> Odd:
    """NaN, Infinity and -Infinity, which JSON does not have and Python writes."""
    return Odd(name, "E-NAN" if name == "NaN" else "E-INF")


# An object becomes a tuple of its keys and values, with what repeats; an array is a list.
_DECODER = json.JSONDecoder(
    object_pairs_hook=tuple, parse_float=_Number, parse_int=_Number, parse_constant=_constant
)  # fmt: skip
_Object = tuple[tuple[str, Any], ...]
_ABSENT = Odd("", "E-KEY-MISSING")


def read_sheet(stream: BinaryIO, *, wanted: Wanted, most_rows: int, limits: Limits, log: IssueLog, table: str) -> Sheet:
    """Read one file, from a seekable stream; all faults go to `log`. At most `most_rows` rows are held."""
    sheet, tell = Sheet(), cast(Tell, partial(log.add, table=table))
    try:
        plain = open_plain(stream, limits)
        rows = _Rows(wanted, sheet, log, table, limits)
        lines = Lines(plain, limits=limits, log=log, table=table)  # when it goes, it closes `plain`
        _read(lines, rows, most_rows, tell)
        drain(plain)
    except Unusable as fault:
        tell(fault.code, **fault.told(_FORMAT))
        sheet.complete = False
    return sheet


def _read(lines: Lines, rows: "_Rows", most_rows: int, tell: Tell) -> None:
    try:
        for line, text in _texts(lines, rows.limits.record_characters):
            if not rows.count:
                _recognise(text, line, rows.wanted)
            if rows.count >= most_rows:
                rows.sheet.complete = False
                tell("E-ROWS", line=line, most=most_rows)
                return
            if not rows.add(text, line):
                return
        if not rows.count:
            rows.sheet.complete = False
            tell("E-EMPTY")
    except TooLong:
        rows.sheet.complete = False
        tell("E-FIELD-SIZE", line=lines.start, most=rows.limits.record_characters)
    finally:  # where the bytes break off, the rows before are diagnosed too
        rows.finish()


def _texts(lines: Lines, most: int) -> Iterator[tuple[int, str]]:
    """Number and text of each line that is not blank. Raises `TooLong`."""
    while True:
        lines.begin()
        block = lines.quiet_lines()
        if block and max(map(len, block)) <= most:
            first = lines.number + 1
            lines.number += len(block)
        else:
            lines.unread(block)
            line = next(lines, None)
            if line is None:
                return
            block, first = [line], lines.number
        for number, line in enumerate(block, first):
            text = line.strip(_BLANKS)
            if text:
                yield number, text


def _recognise(text: str, line: int, wanted: Wanted) -> None:
    """Raises `Unusable` where the first line shows that the file is something else."""
    if text.startswith("[") or text == "{":
        raise Unusable("E-JSON-WHOLE", line=line)
    cells = text.replace('"', "").split(choose_delimiter(text, wanted.names))
    if not text.startswith("{") and matches(cells, wanted.names):
        raise Unusable("E-FORMAT", found="CSV")


class _Rows:
    """What was read so far. `count`: lines that are not blank."""

    def __init__(self, wanted: Wanted, sheet: Sheet, log: IssueLog, table: str, limits: Limits) -> None:
        self.wanted, self.sheet, self.limits, self.count = wanted, sheet, limits, 0
        self._tell = cast(Tell, partial(log.add, table=table))
        self._shapes = Shapes(wanted, self._tell, limits.columns)
        self._numeric, self._required = frozenset(wanted.numeric), frozenset(wanted.required)
        self._faults = {name: Faults(log, table=table, column=name) for name in (None, *wanted.ids)}
        self._columns: dict[str, list[str]] = {}
        self._broken: list[dict[str, str]] = []
        self._waiting: list[tuple[int, tuple[Any, ...]]] = []
        self._alike: tuple[str, ...] = ()

    def add(self, text: str, line: int) -> bool:
        """One line; False where reading must end."""
        self.count += 1
        pairs = self._decoded(text, line)
        if pairs is None:
            self.sheet.complete = False
            return True
        keys, values = zip(*pairs, strict=True) if pairs else ((), ())
        if keys != self._alike or len(self._waiting) >= _BATCH:
            self._add_waiting()
            self._alike = keys
        shape = self._shapes.of(keys, line)
        if shape is None:
            self.sheet.complete = False
            return False
        self._waiting.append((line, values))
        return True

    def _add_waiting(self) -> None:
        """The rows that wait, which have the same keys: together where nothing is odd in them, else one by one."""
        waiting, self._waiting = self._waiting, []
        if not waiting or self._add_quickly(waiting):
            return
        for line, values in waiting:
            self._add_row(values, line)

    def _add_quickly(self, waiting: Sequence[tuple[int, tuple[Any, ...]]]) -> bool:
        shape = self._shapes.of(self._alike, waiting[0][0])
        if shape is None or shape.twice is not None or not self._columns.keys() <= shape.places.keys():
            return False
        columns = list(zip(*(values for _, values in waiting), strict=True))
        for name, place in shape.places.items():
            if place is None or not self._plain(columns[place], numeric=name in self._numeric):
                return False
        for name, place in shape.places.items():
            if place is not None:
                self._column(name).extend(columns[place])
        self.sheet.lines.extend(line for line, _ in waiting)
        return True

    @staticmethod
    def _plain(values: Sequence[Any], *, numeric: bool) -> bool:
        kinds = set(map(type, values))
        if numeric or not kinds <= {str, _Number}:
            return kinds == {_Number}
        return all_whole(values)

    def _add_row(self, values: Sequence[Any], line: int) -> None:
        shape = self._shapes.of(self._alike, line)
        assert shape is not None, "it was found when the row came"
        row = {name: self._cell(name, values, place) for name, place in shape.places.items()}
        # While no object has had an id, its column is what is missing, and the rows are read for their other faults.
        odd = [name for name in self.wanted.ids if isinstance(row[name], Odd) and name in self._shapes.columns]
        for name in odd:
            fault = cast(Odd, row[name])
            self._faults[name].add(fault.code, line, fault)
        if shape.twice is not None:
            self._tell("E-JSON-DUP", line=line, column=shape.twice)
        if odd or shape.twice is not None:
            self._broken.append(row)
            return
        for name in self._columns.keys() | row.keys():
            self._column(name).append(row.get(name, ""))
        self.sheet.lines.append(line)

    def _column(self, name: str) -> list[str]:
        if name not in self._columns:
            self._columns[name] = [""] * len(self.sheet.lines)
        return self._columns[name]

    def finish(self) -> None:
        """Hand over the columns that some object had, and tell what is missing."""
        self._add_waiting()
        sheet, names = self.sheet, list(self._shapes.columns)
        if self._columns or self._broken:
            self._shapes.tell_missing()
        sheet.columns = {name: self._columns.get(name, []) for name in names}
        sheet.places = {name: place for place, name in enumerate(names)}
        sheet.broken = [[row.get(name, "") for name in names] for row in self._broken]
        sheet.extra = len(self._shapes.extra)
        for faults in self._faults.values():
            faults.flush(self.count)

    def _cell(self, name: str, values: Sequence[Any], place: int | None) -> str:
        if place is None:
            return _ABSENT if name in self._required else ""
        value = values[place]
        kind = type(value)
        if kind is _Number or kind is Odd:
            return cast(str, value)
        if kind is str:
            if name in self._numeric:
                return quoted(value) if value else ""
            return whole_text(value)
        if value is None:
            return ""
        if kind is bool:
            return truth(value)
        return Odd("{…}" if kind is tuple else "[…]", "E-CELL-NESTED")

    def _decoded(self, text: str, line: int) -> _Object | None:
        """The object on a line; None where there is none, which is told."""
        try:
            value, end = _DECODER.raw_decode(text)
        except json.JSONDecodeError as fault:
            self._faults[None].add("E-JSON", line, text[:_SHOWN], at=fault.pos + 1)
            return None
        except RecursionError:
            self._faults[None].add("E-JSON-DEPTH", line, text[:_SHOWN])
            return None
        if end < len(text):
            self._faults[None].add("E-JSON", line, text[:_SHOWN], at=end + 1)
            return None
        if type(value) is not tuple:
            self._faults[None].add("E-JSON-OBJECT", line, text[:_SHOWN])
            return None
        return value
