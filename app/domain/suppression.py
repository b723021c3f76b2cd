"""Which small cells of a table of subgroups are kept back, and which others with them. No I/O.

A subgroup variable splits the cases, and their total is known: a single cell that is kept back follows from the total
and the other cells by subtraction. So a second one is kept back too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

LIVE_LEAST = 20
"""Fewest clusters of a part of the cases that is told of while a board is live, and can be asked again and again."""
COMPANION = "withheld"
"""Reason of a cell that is kept back only because a small one would follow from it."""


@dataclass(frozen=True)
class Cell:
    """One part of the cases: `slice` as in a value (`subgroup:sex=F`, `site:lyon`). `small`: too small to be shown."""

    slice: str
    n_cases: int
    n_clusters: int
    small: bool


def variable_of(slice: str) -> str | None:
    """What a slice is a cell of: `subgroup:sex`, `site`; None for the whole and for splits."""
    kind, _, rest = slice.partition(":")
    if kind == "site":
        return kind
    return f"{kind}:{rest.partition('=')[0]}" if kind == "subgroup" else None


def companions(cells: Iterable[Cell]) -> frozenset[str]:
    """The slices that must be kept back beside the small ones: one for each variable with exactly one small cell.

    The smallest of the others by clusters, then cases, then name; empty cells only where there are no others.
    """
    by_variable: dict[str, list[Cell]] = defaultdict(list)
    for cell in set(cells):
        variable = variable_of(cell.slice)
        if variable is not None:
            by_variable[variable].append(cell)
    return frozenset(slice for found in by_variable.values() for slice in _companion(found))


def _companion(cells: list[Cell]) -> list[str]:
    others = [cell for cell in cells if not cell.small]
    if len(cells) - len(others) != 1 or not others:
        return []
    chosen = min(others, key=lambda cell: (cell.n_cases == 0, cell.n_clusters, cell.n_cases, cell.slice))
    return [chosen.slice]
