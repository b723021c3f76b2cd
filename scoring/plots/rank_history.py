"""A team's rank over time: a line that steps at each change, the interval of the rank behind it, rank 1 at the top."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 480, 200
LEFT, RIGHT, TOP, BOTTOM = 44.0, 468.0, 16.0, 164.0
TICKS = 4
"""At most so many lines of ranks."""


@dataclass(frozen=True)
class Point:
    """From `at` (seconds since 1970) on, this rank (1 is best) and its interval; None where there was none."""

    at: float
    rank: int | None
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True)
class Step:
    """A stretch with one rank, from `start` to `end`, in units of the picture; `band`: top and bottom of the interval.

    `mark`: whether its beginning is marked.
    """

    start: float
    end: float
    y: float
    band: tuple[float, float] | None
    mark: bool


@dataclass(frozen=True)
class RankHistory:
    """What is drawn: steps in order of time, (y, rank) of the lines, and the first and last moment."""

    steps: tuple[Step, ...]
    ticks: tuple[tuple[float, int], ...]
    first: float
    last: float


@dataclass(frozen=True)
class Text:
    """The words: a title and a description for who cannot see it, and how ranks and moments are written."""

    title: str
    description: str
    rank: Callable[[int], str]
    moment: Callable[[float], str]


def data(points: Sequence[Point], *, until: float) -> RankHistory | None:
    """Lay out the points (ascending in time) up to the moment `until`; None where no point has a rank.

    A stretch without a rank is a gap. Every change is marked while there are few.
    """
    ranked = [point for point in points if point.rank is not None]
    if not ranked:
        return None
    first, last = points[0].at, max(until, points[-1].at)
    worst = max(max(p.rank or 1, p.high or 1) for p in ranked)
    best = min(min(p.rank or worst, p.low or worst) for p in ranked)

    def x(at: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * ((at - first) / (last - first) if last > first else 0.0), 2)

    def y(rank: int) -> float:
        share = (rank - best) / (worst - best) if worst > best else 0.5
        return round(TOP + (BOTTOM - TOP) * share, 2)

    ends = [*(point.at for point in points[1:]), last]
    steps = tuple(
        Step(
            start=x(point.at),
            end=x(end) if last > first else RIGHT,
            y=y(point.rank),
            band=None if point.low is None or point.high is None else (y(point.low), y(point.high)),
            mark=len(points) <= 60,
        )
        for point, end in zip(points, ends, strict=True)
        if point.rank is not None
    )
    return RankHistory(steps, tuple((y(rank), rank) for rank in _ticks(best, worst)), first, last)


def svg(data: RankHistory, text: Text) -> str:
    """The picture as an SVG element: classes only, no inline style."""
    parts = [
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="rank-title rank-text">',
        f'<title id="rank-title">{escape(text.title)}</title><desc id="rank-text">{escape(text.description)}</desc>',
        *(_tick(y, text.rank(rank)) for y, rank in data.ticks),
        *(_band(step) for step in data.steps if step.band is not None),
        f'<path class="line" d="{_path(data.steps)}"/>',
        *(f'<circle class="point" cx="{step.start}" cy="{step.y}" r="3"/>' for step in data.steps if step.mark),
        f'<text class="label" x="{LEFT}" y="188">{escape(text.moment(data.first))}</text>',
    ]
    if data.last > data.first:
        parts.append(f'<text class="label end" x="{RIGHT}" y="188">{escape(text.moment(data.last))}</text>')
    return "".join([*parts, "</svg>"])


def _ticks(best: int, worst: int) -> list[int]:
    """Whole ranks from `best` to `worst`, both among them, about evenly, at most TICKS."""
    steps = min(worst - best, TICKS - 1)
    return [best + round(place * (worst - best) / steps) for place in range(steps + 1)] if steps else [best]


def _tick(y: float, label: str) -> str:
    return (
        f'<line class="tick" x1="{LEFT}" x2="{RIGHT}" y1="{y}" y2="{y}"/>'
        f'<text class="label end" x="{LEFT - 8}" y="{round(y + 5, 2)}">{escape(label)}</text>'
    )


def _band(step: Step) -> str:
    top, bottom = step.band or (step.y, step.y)
    width, height = round(step.end - step.start, 2), round(bottom - top, 2)
    return f'<rect class="band" x="{step.start}" y="{top}" width="{width}" height="{height}"/>'


def _path(steps: Sequence[Step]) -> str:
    """One line; where a stretch does not begin where the one before ended, the pen is lifted."""
    drawn, at = [], None
    for step in steps:
        drawn.append(f"V{step.y}" if at == step.start else f"M{step.start} {step.y}")
        drawn.append(f"H{step.end}")
        at = step.end
    return "".join(drawn)
