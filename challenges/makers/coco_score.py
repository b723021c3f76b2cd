"""COCO's average precision of boxes written slowly, from its description: the independent check of the fast one.

Plain loops over plain numbers; imports nothing of `scoring`. For entries without confidences: the detections stand in
the order of their pictures. The tests compare it with pycocotools on every example of the challenge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from challenges.makers.cytologia_score import Row

THRESHOLDS = [0.5 + 0.05 * step for step in range(10)]
AREAS = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
MOST = 100  # detections of a class in a picture
_NEAR = 1e-9  # IoUs are fractions of whole pixels: one that is a threshold must count as one

Cells = Mapping[tuple[str, float], float]


def slow_ap(truth: Sequence[Row], entry: Sequence[Row]) -> dict[str, float]:
    """`ap`, `ap50`, `ap75`, `ap_small`, `ap_medium`, `ap_large` and `ap/<class>`, those that are defined.

    Only the first row of an id counts; pictures and their rows are taken in the order of `truth`.
    """
    order = {row.trustii_id: place for place, row in enumerate(truth)}
    first: dict[str, Row] = {}
    for row in entry:
        first.setdefault(row.trustii_id, row)
    kept = sorted(first.values(), key=lambda row: order[row.trustii_id])
    each = {label: _of_class(label, truth, kept) for label in sorted({row.label for row in truth})}
    values = {
        "ap": _mean(each, "all", THRESHOLDS),
        "ap50": _mean(each, "all", THRESHOLDS[:1]),
        "ap75": _mean(each, "all", THRESHOLDS[5:6]),
        **{f"ap_{area}": _mean(each, area, THRESHOLDS) for area in ("small", "medium", "large")},
        **{f"ap/{label}": _mean({label: own}, "all", THRESHOLDS) for label, own in each.items()},
    }
    return {name: value for name, value in values.items() if value is not None}


def _mean(each: Mapping[str, Cells], area: str, thresholds: Sequence[float]) -> float | None:
    found = [own[area, threshold] for own in each.values() for threshold in thresholds if (area, threshold) in own]
    return fmean(found) if found else None


def _of_class(label: str, truth: Sequence[Row], entry: Sequence[Row]) -> Cells:
    """Average precision by range of areas and threshold, where there is something to find."""
    true: dict[str, list[Row]] = {row.name: [] for row in truth}
    found: dict[str, list[Row]] = {row.name: [] for row in truth}
    for rows, by_picture in ((truth, true), (entry, found)):
        for row in rows:
            if row.label == label:
                by_picture[row.name].append(row)
    pictures = [(true[name], found[name][:MOST]) for name in true]
    values = {}
    for area in AREAS:
        wanted = sum(_within(row, area) for rows, _ in pictures for row in rows)
        for threshold in THRESHOLDS:
            if wanted:
                hits = [hit for picture in pictures for hit in _hits(*picture, area, threshold)]
                values[area, threshold] = _area_below_curve(hits, wanted)
    return values


def _hits(true: Sequence[Row], found: Sequence[Row], area: str, threshold: float) -> list[bool]:
    """Whether each detection that counts is right, in order."""
    taken: set[int] = set()
    hits = []
    for row in found:
        free = [place for place in range(len(true)) if place not in taken]
        near = [place for place in free if _iou(row, true[place]) >= threshold - _NEAR]
        best = max(near, key=lambda place: (_within(true[place], area), _iou(row, true[place]), place), default=None)
        if best is not None:
            taken.add(best)
        if _within(row if best is None else true[best], area):
            hits.append(best is not None)
    return hits


def _area_below_curve(hits: Sequence[bool], wanted: int) -> float:
    """Mean over the recalls 0, 0.01 … 1 of the highest precision at that recall or beyond."""
    points = [(sum(hits[: n + 1]), n + 1) for n in range(len(hits))]
    # percent * 0.01 as a float may lie above the fraction that it stands for, for COCO's authors as well
    at = [[right / n for right, n in points if right / wanted >= percent * 0.01] for percent in range(101)]
    return fmean(max(precisions, default=0.0) for precisions in at)


def _within(row: Row, area: str) -> bool:
    low, high = AREAS[area]
    return low <= (row.x2 - row.x1) * (row.y2 - row.y1) <= high


def _iou(a: Row, b: Row) -> float:
    width = max(0.0, min(a.x2, b.x2) - max(a.x1, b.x1))
    height = max(0.0, min(a.y2, b.y2) - max(a.y1, b.y1))
    both = (a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1)
    return width * height / (both - width * height)
