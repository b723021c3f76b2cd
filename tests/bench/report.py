"""What a bench measured, beside what it compares with: medians of ways that took turns, printed with their ratios."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """One way of doing the work. `seconds`: median. `note`: what else was seen."""

    way: str
    seconds: float
    note: str = ""


@dataclass(frozen=True)
class Report:
    """`rows`: the first is what the others are compared with. `results`: what was computed, for tests to look at."""

    title: str
    rows: Sequence[Row]
    notes: Sequence[str] = ()
    results: Mapping[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """The title, a line per way, the notes."""
        wide = max(len(row.way) for row in self.rows)
        first = self.rows[0].seconds
        lines = [
            f"  {row.way:<{wide}}  {_shown(row.seconds):>9}  {row.seconds / first:>9.2f}x  {row.note}".rstrip()
            for row in self.rows
        ]
        return "\n".join([self.title, *lines, *(f"  - {note}" for note in self.notes)])


def table(reports: Sequence[Report]) -> str:
    """All ways of all reports as one table in Markdown, each beside the first of its report."""
    lines = ["| what | way | time | ratio |", "|---|---|---|---|"]
    for report in reports:
        for i, row in enumerate(report.rows):
            ratio = f"{row.seconds / report.rows[0].seconds:.2f}"
            note = f" ({row.note})" if row.note else ""
            lines.append(f"| {'' if i else report.title} | {row.way}{note} | {_shown(row.seconds)} | {ratio} |")
    return "\n".join(lines)


def seconds(act: Callable[[], object]) -> float:
    """How long one call takes."""
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def turns(ways: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, float]:
    """Median seconds of each way. They take turns, so that whatever else the machine does hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, act in ways.items():
            taken[name].append(seconds(act))
    return {name: statistics.median(each) for name, each in taken.items()}


def _shown(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.1f} ms"
