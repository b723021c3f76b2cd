"""Which small cells of a table of subgroups are kept back, and which others with them. No I/O.

A subgroup variable splits the cases, and their total is known: what is kept back follows, all together, from the total
and the cells that are shown. Cases without a group are in no cell, and follow from the total in the same way. So as
many further cells are kept back as make what follows large.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LIVE_LEAST = 20
"""Fewest clusters of a part of the cases that is told of while a board is live, and can be asked again and again."""
COMPANION = "withheld"
"""Reason of a cell that is kept back only because a small one would follow from it."""
_WHOLE = "all"


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


def companions(cells: Iterable[Cell], *, least: int) -> frozenset[str]:
    """The slices that must be kept back beside the small ones, of each variable with a small cell or a small rest.

    The rest: the cases of `all` that are in no cell; without `all` among the cells there is none. The smallest go first
    (by clusters, then cases, then name; empty ones last), until what is kept back, with the rest, is two non-empty
    parts or more and surely `least` clusters together; all of them where that cannot be reached.
    """
    by_slice = {cell.slice: cell for cell in sorted(cells, key=lambda cell: cell.small)}
    by_variable: dict[str, list[Cell]] = defaultdict(list)
    for cell in by_slice.values():
        variable = variable_of(cell.slice)
        if variable is not None:
            by_variable[variable].append(cell)
    whole = by_slice.get(_WHOLE)
    return frozenset(cell.slice for found in by_variable.values() for cell in _companions(found, whole, least))


def _companions(cells: list[Cell], whole: Cell | None, least: int) -> list[Cell]:
    hidden = [cell for cell in cells if cell.small]
    shown = sorted((cell for cell in cells if not cell.small), key=_order)
    rest = whole is not None and whole.n_cases > sum(cell.n_cases for cell in cells)
    total = sum(cell.n_clusters for cell in cells) if whole is None else whole.n_clusters
    if not hidden and (not rest or _surely([], shown, total) >= least):
        return []
    added: list[Cell] = []
    while shown and not _safe([*hidden, *added], shown, rest=rest, total=total, least=least):
        added.append(shown.pop(0))
    return added


def _order(cell: Cell) -> tuple[bool, int, int, str]:
    return cell.n_cases == 0, cell.n_clusters, cell.n_cases, cell.slice


def _safe(hidden: Sequence[Cell], shown: Sequence[Cell], *, rest: bool, total: int, least: int) -> bool:
    parts = sum(cell.n_cases > 0 for cell in hidden) + rest
    return parts >= 2 and _surely(hidden, shown, total) >= least


def _surely(hidden: Sequence[Cell], shown: Sequence[Cell], total: int) -> int:
    """How many clusters all that is not shown has at least.

    A cluster with cases in two cells counts in both, so neither the sum over the hidden cells nor the total less the
    sum over the shown ones is exact: the first may be too many, the second too few. The second never says too many,
    nor does the largest hidden cell; where no cluster lies in two cells, the second is exact.
    """
    apart = total - sum(cell.n_clusters for cell in shown)
    return max(apart, *(cell.n_clusters for cell in hidden), 0)
