"""Boxes of an entry that are no boxes, told with their image."""

from collections.abc import Iterable
from functools import partial

from scoring.cases import CaseIndex
from scoring.columns import numbers
from scoring.issues import Issue, make_issue
from scoring.metrics.listing import listed
from scoring.tables import Table


def corner_issues(cases: CaseIndex, entry: Table, pairs: Iterable[tuple[str, str]]) -> list[Issue]:
    """E-BOX for each row and each pair of columns whose first number is not below the second."""
    found: list[Issue] = []
    for low, high in pairs:
        wrong = numbers(entry, low) >= numbers(entry, high)
        found += listed(wrong, partial(_corner_issue, cases, entry, low, high))
    return found


def size_issues(cases: CaseIndex, entry: Table, columns: Iterable[str]) -> list[Issue]:
    """E-BOX-SIZE for each row and each of the columns whose number is not above 0."""
    found: list[Issue] = []
    for column in columns:
        found += listed(numbers(entry, column) <= 0, partial(_size_issue, cases, entry, column))
    return found


def _corner_issue(cases: CaseIndex, entry: Table, low: str, high: str, row: int) -> Issue:
    read = f"{low}={entry.columns[low][row]:.12g} {high}={entry.columns[high][row]:.12g}"
    return make_issue("E-BOX", column=low, value=read, case=cases.ids[entry.case[row]], other=high)


def _size_issue(cases: CaseIndex, entry: Table, column: str, row: int) -> Issue:
    read = f"{column}={entry.columns[column][row]:.12g}"
    return make_issue("E-BOX-SIZE", column=column, value=read, case=cases.ids[entry.case[row]])
