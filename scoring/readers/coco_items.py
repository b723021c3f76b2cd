"""The boxes of a file in COCO's form, one after the other, into columns."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from scoring.issues import IssueLog
from scoring.readers.cells import Odd
from scoring.readers.csv import Sheet
from scoring.readers.faults import Faults
from scoring.readers.header import Wanted
from scoring.readers.json_stream import Number
from scoring.readers.texts import quoted, truth, whole_text

_BOX = ("x", "y", "width", "height")
_BBOX = "bbox"
_OF_TRUTH = {"iscrowd": "0", "area": ""}  # what stands for a key that an annotation has not
_SHOWN = 100
_BLOCK = 1 << 12


class Cells(Sequence[str]):
    """A column of very many short texts, packed in blocks: as objects they would take 60 bytes each."""

    def __init__(self) -> None:
        """Empty."""
        self._full: list[str | list[str]] = []
        self._open: list[str] = []

    def append(self, cell: str) -> None:
        """One more; it holds no NUL, or is an `Odd`."""
        self._open.append(cell)
        if len(self._open) == _BLOCK:
            odd = Odd in set(map(type, self._open))
            self._full.append(self._open if odd else "\0".join(self._open))
            self._open = []

    def __len__(self) -> int:
        """How many."""
        return _BLOCK * len(self._full) + len(self._open)

    def __iter__(self) -> Iterator[str]:
        """In order."""
        for block in self._full:
            yield from _unpacked(block)
        yield from self._open

    def __getitem__(self, place: Any) -> Any:
        """One cell."""
        block, rest = divmod(range(len(self))[place], _BLOCK)
        return self._open[rest] if block == len(self._full) else _unpacked(self._full[block])[rest]


def _unpacked(block: str | list[str]) -> list[str]:
    return block.split("\0") if isinstance(block, str) else block


class Items:
    """Takes boxes as decoded JSON; what is wrong with one as such goes to `log`, and its row to `sheet.broken`."""

    def __init__(self, wanted: Wanted, sheet: Sheet, log: IssueLog, table: str) -> None:
        """`sheet` is filled; until `finish` its columns are not there."""
        reference = wanted.keep_others
        self._otherwise: Mapping[str, str] = _OF_TRUTH if reference else {}
        names = [name for name in wanted.names if name not in self._otherwise and not (reference and name == "score")]
        self._needed = list(dict.fromkeys(_BBOX if name in _BOX else name for name in names))
        self._names = [*names, *self._otherwise]
        self._numeric, self._ids = frozenset(wanted.numeric), [name for name in wanted.ids if name in names]
        self._sizes = [name for name in _BOX[2:] if name in names]
        self._columns = {name: Cells() for name in self._names}
        self._sheet, self._log, self._table = sheet, log, table
        self._faults: dict[str | None, Faults] = {}
        self._extra: dict[str, None] | None = None if reference else {}
        self._shapes: set[tuple[str, ...]] = set()

    def add(self, item: Any, line: int) -> None:
        """One box, or whatever stands in its place. `line`: its position in the list, from 1."""
        if type(item) is not tuple:
            self._tell(None, "E-COCO-ITEM", line, _text(item))
            self._sheet.complete = False
            return
        given = dict(item)
        whole = self._has_form(item, given, line)
        row = [self._cell(name, given.get(name, self._otherwise.get(name, ""))) for name in self._names]
        cells = dict(zip(self._names, row, strict=True))
        odd = [name for name in self._ids if type(cells[name]) is Odd]
        for name in odd:
            self._tell(name, cast(Odd, cells[name]).code, line, cells[name])
        if odd or not whole:
            self._sheet.broken.append([str(cell) for cell in row])
            return
        self._tell_size(cells, line)
        self._sheet.lines.append(line)
        for name, cell in cells.items():
            self._columns[name].append(cell)

    def finish(self) -> None:
        """Hand the columns over, and tell what was collected. An `area` that no annotation has is no column."""
        rows = len(self._sheet.lines) + len(self._sheet.broken)
        kept = [name for name in self._names if name != "area" or any(self._columns[name])]
        self._sheet.columns = cast(dict[str, list[str]], {name: self._columns[name] for name in kept})
        self._sheet.places = {name: place for place, name in enumerate(self._names) if name in kept}
        self._sheet.extra = len(self._extra or ())
        for faults in self._faults.values():
            faults.flush(rows)

    def _has_form(self, item: Sequence[tuple[str, Any]], given: dict[str, Any], line: int) -> bool:
        """Whether it has every key once and a box, whose sides are then `given` like keys."""
        good = True
        keys = tuple(key for key, _ in item)
        if keys not in self._shapes:
            good = self._has_keys(keys, line)
        box = given.pop(_BBOX, None)
        if type(box) is list and len(box) == len(_BOX):
            given.update(zip(_BOX, box, strict=True))
        elif _BBOX in keys:
            self._tell(_BBOX, "E-BBOX", line, _text(box))
            return False
        return good

    def _has_keys(self, keys: tuple[str, ...], line: int) -> bool:
        """Whether these keys are good, and then they are known to be."""
        twice = _repeated(keys)
        if twice is not None:
            self._tell(twice, "E-JSON-DUP", line, twice)
        missing = [key for key in self._needed if key not in keys]
        for key in missing:
            self._tell(key, "E-KEY-MISSING", line, ", ".join(keys[:20]))
        for place, key in enumerate(keys, 1):
            if self._extra is not None and key not in self._needed and key not in self._extra:
                self._tell_extra(key, place, line)
        if twice is None and not missing and len(self._shapes) < _SHOWN:
            self._shapes.add(keys)
        return twice is None and not missing

    def _tell_extra(self, key: str, place: int, line: int) -> None:
        if self._extra is not None and len(self._extra) < _SHOWN:
            self._extra[key] = None
            self._log.add("W-COL-EXTRA", table=self._table, line=line, column=key, place=place)

    def _cell(self, name: str, value: Any) -> str:
        kind = type(value)
        if kind is Number or kind is Odd:
            return cast(str, value)
        if kind is str:
            return quoted(value) if value and name in self._numeric else whole_text(value)
        if value is None:
            return ""
        return truth(value) if kind is bool else Odd(_text(value), "E-CELL-NESTED")

    def _tell_size(self, cells: Mapping[str, str], line: int) -> None:
        """Width and height are above 0; whether they are numbers is looked at later."""
        for name in self._sizes:
            cell = cells[name]
            if type(cell) is Number and float(cell) <= 0:
                case = cells[self._ids[0]] if self._ids else "?"
                fault = self._faults.setdefault(name, Faults(self._log, table=self._table, column=name))
                fault.add("E-BOX-SIZE", line, f"{name}={cell}", case=case)

    def _tell(self, column: str | None, code: str, line: int, value: str) -> None:
        column = None if column is None else column[:_SHOWN]
        if len(self._faults) > _SHOWN:  # a hostile file has another key in every item
            column = None
        self._faults.setdefault(column, Faults(self._log, table=self._table, column=column)).add(code, line, value)


def _repeated(keys: Sequence[str]) -> str | None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            return key
        seen.add(key)
    return None


def _text(value: Any) -> str:
    """A decoded value, as it may be shown."""
    if type(value) is tuple:
        return "{…}"
    if type(value) is list:
        shown = ", ".join("[…]" if type(part) is list else _text(part) for part in value[:8])
        return f"[{shown}, …]" if len(value) > 8 else f"[{shown}]"
    if isinstance(value, Number | Odd):
        return value[:_SHOWN]
    return f'"{value[:_SHOWN]}"' if isinstance(value, str) else {None: "null", True: "true", False: "false"}[value]
