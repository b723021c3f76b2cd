"""The CytologIA score written slowly, straight from its description: the independent check of the fast one.

Plain loops over plain numbers; imports nothing of `scoring`. Both are compared on every example of the challenge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

NO_CLASS = "None"


class Row(NamedTuple):
    """One line of a file: id of the expected cell, image, box with x1 < x2 and y1 < y2, class."""

    trustii_id: str
    name: str
    x1: float
    y1: float
    x2: float
    y2: float
    label: str


def slow_score(truth: Sequence[Row], entry: Sequence[Row]) -> dict[str, float]:
    """`score`, `giou`, `macro_f1` and `f1/<class>` of each class that occurs, of predictions against true boxes.

    Only the first row of an id counts. A true box takes the box of highest GIoU in its image, of equal ones the one
    whose id comes first in `truth`; an image without predictions has GIoU -1 and the class "None".
    """
    order = {row.trustii_id: place for place, row in enumerate(truth)}
    first: dict[str, Row] = {}
    for row in entry:
        first.setdefault(row.trustii_id, row)
    by_image: dict[str, list[Row]] = {}
    for row in sorted(first.values(), key=lambda row: order[row.trustii_id]):
        by_image.setdefault(row.name, []).append(row)
    overlaps, answers = [], []
    for row in truth:
        overlap, label = _taken(row, by_image.get(row.name, []))
        overlaps.append((overlap + 1) / 2)
        answers.append(label)
    each = _f1_by_class([row.label for row in truth], answers)
    located, classified = sum(overlaps) / len(overlaps), sum(each.values()) / len(each)
    return {
        "score": 0.2 * located + 0.8 * classified,
        "giou": located,
        "macro_f1": classified,
        **{f"f1/{label}": value for label, value in each.items() if label != NO_CLASS},
    }


def _taken(row: Row, predictions: Sequence[Row]) -> tuple[float, str]:
    best, label = -1.0, NO_CLASS
    for place, prediction in enumerate(predictions):
        overlap = giou(row, prediction)
        if place == 0 or overlap > best:
            best, label = overlap, prediction.label
    return best, label


def giou(a: Row, b: Row) -> float:
    """Generalised intersection over union of two boxes, in (-1, 1] (Rezatofighi et al. 2019)."""
    width = max(0.0, min(a.x2, b.x2) - max(a.x1, b.x1))
    height = max(0.0, min(a.y2, b.y2) - max(a.y1, b.y1))
    shared = width * height
    union = (a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - shared
    hull = (max(a.x2, b.x2) - min(a.x1, b.x1)) * (max(a.y2, b.y2) - min(a.y1, b.y1))
    return shared / union - (hull - union) / hull


def _f1_by_class(truth: Sequence[str], answers: Sequence[str]) -> Mapping[str, float]:
    """F1 of each class that occurs in truth or answers; in no case 0 / 0, since each occurs."""
    result = {}
    for label in sorted({*truth, *answers}):
        hits = sum(1 for t, a in zip(truth, answers, strict=True) if t == a == label)
        result[label] = 2 * hits / (truth.count(label) + answers.count(label))
    return result
