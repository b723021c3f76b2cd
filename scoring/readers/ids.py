"""Which case, and which expected row, each row of a file is about."""

import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from scoring.issues import Tell
from scoring.readers.nearby import Key, Nearby

Places = NDArray[np.intp]


def normal(cells: Sequence[str]) -> list[str]:
    """The cells in NFC: é as one character and as e with an accent are the same id."""
    if "".join(cells).isascii():
        return list(cells)
    return [cell if cell.isascii() else unicodedata.normalize("NFC", cell) for cell in cells]


def find_keys(
    keys: Sequence[Key], known: Mapping[Key, int], *, lines: Sequence[int], column: str, tell: Tell
) -> tuple[Places, frozenset[int]]:
    """(rows,) position of each key in `known`, -1 where unknown; and the positions that unknown ones nearly were.

    What was meant is named in E-ID-ZEROS and E-ID-FORM, and never taken for it; else E-ID-SCIENTIFIC, E-ID-UNKNOWN.
    """
    found = list(map(known.get, keys))
    if None not in found:
        return np.array(found, dtype=np.intp), frozenset()
    near, meant = Nearby(known), set()
    for key, place, line in zip(keys, found, lines, strict=True):
        if place is None:
            meant.add(_tell_unknown(key, near, known, line, column, tell))
    return np.array([-1 if p is None else p for p in found], dtype=np.intp), frozenset(meant - {-1})


def _tell_unknown(key: Key, near: Nearby, known: Mapping[Key, int], line: int, column: str, tell: Tell) -> int:
    if not any(part.strip() for part in key):
        tell("E-CELL-EMPTY", line=line, column=column, value="")
        return -1
    code, right = near.find(key)
    if right is None:
        tell(code, line=line, column=column, value=written(key))
        return -1
    tell(code, line=line, column=column, value=written(key), right=written(right))
    return known[right]


def written(key: Sequence[str]) -> str:
    """A key as text."""
    return " / ".join(key)


def numbered(keys: Sequence[Key]) -> Places:
    """(rows,) a number for each different key: equal where keys are."""
    numbers: dict[Key, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.intp)


def first_rows(places: Places) -> tuple[Places, Places, Places]:
    """Rows whose place (0 or more) was not there before; the other rows; and for each of these the row that was."""
    known = np.flatnonzero(places >= 0)
    _, first, which = np.unique(places[known], return_index=True, return_inverse=True)
    again = np.ones(known.size, dtype=np.bool_)
    again[first] = False
    return np.sort(known[first]), known[again], known[first[which[again]]]
