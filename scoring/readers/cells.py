"""One column of cells into numbers or labels: a fast path for a good column, a diagnosis of each cell for a bad one.

`float()` alone takes nan, inf, 1e999, 1_0 and full-width digits, so a strict grammar stands before it.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from scoring.issues import Field
from scoring.readers.faults import Faults
from scoring.readers.nearby import Nearby, bare
from scoring.spec import ColumnSpec

_NUMBER = re.compile(r"[ \t]*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t]*")
_PLAIN = re.compile(r"[0-9.eE+\- \t,]*")
_INTEGER = re.compile(r"[ \t]*[+-]?0*[0-9]{1,18}(?:\.0*)?[ \t]*")
_DECIMAL_COMMA = re.compile(r"\s*[+-]?[0-9]*,[0-9]+(?:[eE][+-]?[0-9]+)?\s*")
_PERCENT_SIGN = re.compile(r"\s*[+-]?[0-9]+(?:[.,][0-9]*)?\s*%\s*")
_NOT_A_NUMBER = {"nan", "na", "n/a", "#n/a", "null", "none", "nil", "-nan", "+nan", "<na>", "#value!", "#div/0!", "nat"}
_INFINITE = {sign + word for sign in ("", "+", "-") for word in ("inf", "infinity", "∞")}
_PERCENT_SHARE = 0.5
_DIGITS = re.compile(r"[0-9+\- \t,]*")
_WHOLE = re.compile(r"[ \t]*[+-]?[0-9]+[ \t]*")
_LARGEST = 10**18 - 1

Column = NDArray[Any]


class Odd(str):
    """A cell that is no cell: true, a list, a text where a number must be, nothing. `code`: what to tell of it.

    Equal to itself only, so that it is never taken for the label or the id that it reads like.
    """

    code: str

    def __new__(cls, text: str, code: str) -> "Odd":
        """`text`: as it is shown; no number."""
        cell = super().__new__(cls, text)
        cell.code = code
        return cell

    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__


class Numbers(Sequence[str]):
    """Cells that came as numbers, and are text only where somebody looks. `values`: float64 or int64."""

    def __init__(self, values: NDArray[Any]) -> None:
        """`values`: (rows,)."""
        self.values = values

    def __len__(self) -> int:
        """Rows."""
        return len(self.values)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> "Numbers": ...
    def __getitem__(self, at: int | slice) -> "str | Numbers":
        """The number in as few digits as give it again."""
        return Numbers(self.values[at]) if isinstance(at, slice) else repr(self.values[at].item())

    def __iter__(self) -> Iterator[str]:
        """Each as text."""
        return map(repr, self.values.tolist())


def read_column(
    spec: ColumnSpec, cells: Sequence[str], lines: Sequence[int], faults: Faults, *, text_bytes: int
) -> Column | None:
    """(rows,) float64, int64, int32 codes of labels, or str, by the type of `spec`; None where a cell is at fault.

    `text_bytes`: the most memory that the column may take, if it is one of text.
    """
    if spec.type == "text":
        return _texts(cells, lines, faults, text_bytes)
    if spec.type == "label":
        return _labels(spec, cells, lines, faults)
    numbers = _integers(cells) if spec.type == "integer" else _floats(cells)
    if numbers is not None and _in_range(spec, numbers):
        return numbers
    _diagnose_numbers(spec, cells, lines, faults)
    return None


def _texts(cells: Sequence[str], lines: Sequence[int], faults: Faults, most: int) -> Column | None:
    """numpy gives every text of a column the room of the longest: 4 bytes a character."""
    if Odd in set(map(type, cells)):
        for cell, line in zip(cells, lines, strict=True):
            if isinstance(cell, Odd):
                faults.add(cell.code, line, cell)
        faults.flush(len(cells))
        return None
    longest = max(map(len, cells), default=0)
    if 4 * longest * len(cells) <= most:
        return np.array(cells, dtype=np.str_)
    at = next(i for i, cell in enumerate(cells) if len(cell) == longest)
    faults.add("E-FIELD-SIZE", lines[at], cells[at], most=most // (4 * len(cells)))
    faults.flush(len(cells))
    return None


def _floats(cells: Sequence[str]) -> NDArray[np.float64] | None:
    """None where a cell is no finite number. Of what `_PLAIN` lets through, `float()` takes the grammar above."""
    if isinstance(cells, Numbers):
        numbers = np.asarray(cells.values, dtype=np.float64)
        return numbers if np.isfinite(numbers).all() else None
    if not _PLAIN.fullmatch(",".join(cells)):
        return None
    try:
        numbers = np.array(list(map(float, cells)), dtype=np.float64)
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def _integers(cells: Sequence[str]) -> NDArray[np.int64] | None:
    """None where a cell is no whole number of at most 18 digits; `int()` takes just these of what `_DIGITS` passes."""
    if isinstance(cells, Numbers) and cells.values.dtype == np.int64:
        low, high = int(cells.values.min(initial=0)), int(cells.values.max(initial=0))
        return cells.values if max(-low, high) <= _LARGEST else None
    try:
        if _DIGITS.fullmatch(",".join(cells)):
            numbers = np.array(list(map(int, cells)), dtype=np.int64)
            if not numbers.size or max(-numbers.min(), numbers.max()) <= _LARGEST:
                return numbers
    except (ValueError, OverflowError):
        pass
    if not all(map(_INTEGER.fullmatch, cells)):
        return None
    return np.array([int(cell.partition(".")[0]) for cell in cells], dtype=np.int64)


def bounds(spec: ColumnSpec) -> tuple[float, float]:
    """Lowest and highest value of the column, both allowed; infinite where open."""
    low, high = (0.0, 1.0) if spec.type == "probability" else (-np.inf, np.inf)
    return low if spec.low is None else spec.low, high if spec.high is None else spec.high


def _in_range(spec: ColumnSpec, numbers: NDArray[Any]) -> bool:
    low, high = bounds(spec)
    return not numbers.size or bool(numbers.min() >= low and numbers.max() <= high)


def _diagnose_numbers(spec: ColumnSpec, cells: Sequence[str], lines: Sequence[int], faults: Faults) -> None:
    low, high = bounds(spec)
    percent = spec.type == "probability" and high <= 1 and _looks_like_percent(cells)
    for cell, line in zip(cells, lines, strict=True):
        found = _fault_of_number(cell, spec.type == "integer")
        if found:
            faults.add(found[0], line, cell, **found[1])
        elif not low <= float(cell) <= high:
            if percent:
                faults.add("E-PERCENT", line, cell, right=f"{float(cell) / 100:.12g}")
            else:
                faults.add("E-RANGE", line, cell, **_range_fields(low, high))
    faults.flush(len(cells), whole=("E-PERCENT",) if percent else ())


def _looks_like_percent(cells: Sequence[str]) -> bool:
    """At least half of the numbers lie in (1, 100], and none outside [0, 100]."""
    numbers = np.array([float(cell) for cell in cells if _NUMBER.fullmatch(cell)])
    inside = numbers.size and numbers.min() >= 0 and numbers.max() <= 100
    return bool(inside and (numbers > 1).mean() >= _PERCENT_SHARE)


def _range_fields(low: float, high: float) -> dict[str, Field]:
    return {"low": "-∞" if np.isinf(low) else f"{low:.12g}", "high": "∞" if np.isinf(high) else f"{high:.12g}"}


def _fault_of_number(cell: str, whole: bool) -> tuple[str, dict[str, Field]] | None:
    """Code and fields of what is wrong with how the cell is written; None for a finite number."""
    word = cell.strip().lower()
    if isinstance(cell, Odd):
        return cell.code, {}
    if not word:
        return "E-CELL-EMPTY", {}
    if _NUMBER.fullmatch(cell):
        if np.isinf(float(cell)):
            return "E-INF", {}
        if not whole or _INTEGER.fullmatch(cell):
            return None
        return ("E-RANGE", _range_fields(-_LARGEST, _LARGEST)) if _WHOLE.fullmatch(cell) else ("E-INTEGER", {})
    if word in _NOT_A_NUMBER:
        return "E-NAN", {}
    if word in _INFINITE:
        return "E-INF", {}
    if _DECIMAL_COMMA.fullmatch(cell):
        return "E-DECIMAL-COMMA", {"right": word.replace(",", ".")}
    if _PERCENT_SIGN.fullmatch(cell):
        number = float(word.rstrip("%").strip().replace(",", "."))
        return "E-PERCENT", {"right": f"{number / 100:.12g}"}
    return "E-NUMBER", {}


def _labels(spec: ColumnSpec, cells: Sequence[str], lines: Sequence[int], faults: Faults) -> NDArray[np.int32] | None:
    codes = {unicodedata.normalize("NFC", label): code for code, label in enumerate(spec.labels)}
    found = list(map(codes.get, cells))
    if None in found:
        found = [None if isinstance(cell, Odd) else codes.get(unicodedata.normalize("NFC", cell)) for cell in cells]
    if None not in found:
        return np.array(found, dtype=np.int32)
    near = Nearby((label,) for label in spec.labels)
    for cell, code, line in zip(cells, found, lines, strict=True):
        if code is None:
            kind, fields = _fault_of_label(spec, cell, near)
            faults.add(kind, line, cell, **fields)
    faults.flush(len(cells))
    return None


def _fault_of_label(spec: ColumnSpec, cell: str, near: Nearby) -> tuple[str, dict[str, Field]]:
    if isinstance(cell, Odd):
        return cell.code, {}
    if not cell.strip():
        return "E-CELL-EMPTY", {}
    _, right = near.find((cell,))
    if right is not None:
        return "E-LABEL-FORM", {"right": right[0]}
    index = bare(cell)
    numbered = any(label.isdigit() for label in spec.labels)  # the names are numbers themselves, as COCO's are
    if not numbered and index.isascii() and index.isdigit() and int(index[:9]) <= len(spec.labels):
        return "E-LABEL-INDEX", {"labels": ", ".join(spec.labels)}
    return "E-LABEL", {"labels": ", ".join(spec.labels)}
