"""Rows that have more or fewer cells than the header."""

import re
from collections.abc import Sequence
from itertools import pairwise

from scoring.issues import IssueLog
from scoring.readers.faults import Faults

_WHOLE_PART = re.compile(r"\s*[+-]?[0-9]+")
_FRACTION = re.compile(r"[0-9]+(?:[eE][+-]?[0-9]+)?\s*")


class Ragged:
    """Reports such rows; where `0,93` without quotes explains the surplus cells, it says that instead."""

    def __init__(self, width: int, numeric: Sequence[str], log: IssueLog, table: str) -> None:
        """`width`: cells of the header. `numeric`: columns of numbers that the file has."""
        self.width, self._numeric = width, len(numeric)
        self._lengths = Faults(log, table=table, column=None)
        self._commas = Faults(log, table=table, column=numeric[0] if len(numeric) == 1 else None)

    def add(self, row: list[str], line: int) -> None:
        """`row` has another number of cells than the header."""
        surplus = len(row) - self.width
        if 0 < surplus <= self._numeric:
            pairs = [pair for pair in pairwise(row) if _is_decimal_comma(*pair)]
            if len(pairs) >= surplus:
                whole, fraction = pairs[-1][0].strip(), pairs[-1][1].strip()
                self._commas.add("E-DECIMAL-COMMA", line, f"{whole},{fraction}", right=f"{whole}.{fraction}")
                return
        start = ", ".join(row[:20])
        self._lengths.add("E-ROW-LENGTH", line, start, found=len(row), expected=self.width)

    def flush(self, rows: int) -> None:
        """Report. `rows`: all rows of the file."""
        self._commas.flush(rows)
        self._lengths.flush(rows)


def _is_decimal_comma(whole: str, fraction: str) -> bool:
    return bool(_WHOLE_PART.fullmatch(whole) and _FRACTION.fullmatch(fraction))
