"""F-beta of boxes against a pairing written as plain loops over boxes of whole pixels, with exact fractions."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.tables import Table
from tests.oracles.test_scikit_learn import close, outputs
from tests.scoring.builders import many

SIDES = ("x1", "y1", "x2", "y2")
PARAMS = {name: name for name in SIDES} | {"at": 0.5, "beta": 2.0}
Box = tuple[int, int, int, int, int]

pixel, side = st.integers(0, 3), st.integers(1, 3)
drawn = st.lists(st.builds(lambda x, y, w, h, s: (x, y, x + w, y + h, s), pixel, pixel, side, side, side), max_size=4)
images = st.lists(st.tuples(drawn, drawn, st.integers(0, 2)), min_size=1, max_size=4)


def table(each: Sequence[Sequence[Box]]) -> Table:
    rows = [(image, *box) for image, boxes in enumerate(each) for box in boxes]
    columns = {name: np.array([row[i + 1] for row in rows], dtype=float) for i, name in enumerate((*SIDES, "score"))}
    return many([row[0] for row in rows], columns, n_cases=len(each))


def area(x1: int, y1: int, x2: int, y2: int) -> int:
    return max(0, x2 - x1) * max(0, y2 - y1)


def overlap(one: Box, other: Box, way: str) -> Fraction:
    (a, b, c, d, _), (x, y, z, w, _) = one, other
    shared = area(max(a, x), max(b, y), min(c, z), min(d, w))
    union = area(a, b, c, d) + area(x, y, z, w) - shared
    hull = area(min(a, x), min(b, y), max(c, z), max(d, w))
    return Fraction(shared, union) - (Fraction(hull - union, hull) if way == "giou" else 0)


def found(true: Sequence[Box], boxes: Sequence[Box], way: str, *, scored: bool) -> int:
    free, waiting, hits = list(range(len(true))), list(range(len(boxes))), 0
    while True:
        pairs = [(overlap(boxes[i], true[j], way), i, j) for i in waiting for j in free]
        pairs = [pair for pair in pairs if pair[0] >= Fraction(1, 2)]
        if not pairs:
            return hits
        if scored:
            _, i, j = min(pairs, key=lambda pair: (-boxes[pair[1]][4], pair[1], -pair[0], pair[2]))
        else:
            _, i, j = min(pairs, key=lambda pair: (-pair[0], pair[1], pair[2]))
        waiting.remove(i)
        free.remove(j)
        hits += 1


@pytest.mark.parametrize("way", ["iou", "giou"])
@pytest.mark.parametrize("scored", [True, False])
@settings(max_examples=50, deadline=None, derandomize=True)
@given(cases=images)
def test_f2_of_images_and_of_all(way: str, scored: bool, cases: list[tuple[list[Box], list[Box], int]]) -> None:
    true, boxes, weight = zip(*cases, strict=True)
    params = PARAMS | {"overlap": way} | ({"score": "score"} if scored else {})
    counts = np.array([[found(t, b, way, scored=scored), len(b), len(t)] for t, b in zip(true, boxes, strict=True)])
    each = [5 * h / (4 * t + p) if t + p else 1.0 for h, p, t in counts.tolist()]
    mean = outputs("fbeta_boxes", table(true), table(boxes), {**params, "empty": "one"}, weight)["fbeta_boxes"]
    assert close(mean, float(np.average(each, weights=weight)) if sum(weight) else np.nan)
    hits, predicted, there = np.array(weight) @ counts
    pooled = outputs("pooled_fbeta_boxes", table(true), table(boxes), params, weight)
    assert close(pooled["pooled_fbeta_boxes"], 5 * hits / (4 * there + predicted) if there + predicted else np.nan)
    assert close(pooled["recall"], hits / there if there else np.nan)
    assert close(pooled["precision"], hits / predicted if predicted else np.nan)
