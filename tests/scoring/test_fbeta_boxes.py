"""F-beta of boxes by hand: who is paired with whom, images without boxes, both ways to measure overlap."""

from typing import Any

import numpy as np
import pytest

from scoring.metric import ReferenceRefused
from scoring.metrics.box_pairs import overlap
from scoring.metrics.fbeta_boxes import fbeta_boxes, pooled_fbeta_boxes
from scoring.rounding import round12
from scoring.tables import Table
from tests.scoring.builders import index, many

SIDES = ("x1", "y1", "x2", "y2")
COLUMNS = {name: name for name in SIDES}
Row = tuple[Any, ...]


def boxes(rows: list[Row], n: int) -> Table:
    """Rows of image, x1, y1, x2, y2, and where given score and kind."""
    columns = {name: np.array([row[i + 1] for row in rows], dtype=float) for i, name in enumerate(SIDES)}
    columns["score"] = np.array([row[5] if len(row) > 5 else 0.5 for row in rows], dtype=float)
    kind = np.array([row[6] if len(row) > 6 else "a" for row in rows], dtype=str)
    return many([row[0] for row in rows], {**columns, "kind": kind}, n_cases=n)


def values(
    true: list[Row], found: list[Row], n: int = 1, *, metric: Any = pooled_fbeta_boxes, **more: Any
) -> list[float]:
    params = {**COLUMNS, "at": 0.5, "overlap": "iou", "beta": 1.0, "empty": "one", **more}
    made = metric.tabulate(boxes(true, n), boxes(found, n), params)
    told: list[float] = round12(metric.aggregate(made, np.ones((1, n))))[0].tolist()
    return told


def test_one_true_box_is_found_once() -> None:
    """Two predictions on one box, and one elsewhere: 1 found of 3 predicted and 2 true."""
    true = [(0, 0, 0, 10, 10), (0, 50, 50, 60, 60)]
    found = [(0, 0, 0, 10, 10), (0, 0, 0, 10, 9), (0, 80, 80, 90, 90)]
    assert values(true, found) == [round12(2 / 5), round12(1 / 3), 1 / 2]
    assert values(true, found, beta=2)[0] == round12(5 / (4 * 2 + 3))


def test_the_threshold_itself_suffices() -> None:
    half = [(0, 0, 0, 10, 5)]
    assert values([(0, 0, 0, 10, 10)], half)[0] == 1.0
    assert values([(0, 0, 0, 10, 10)], half, at=0.51)[0] == 0.0


def test_with_scores_the_surest_takes_what_it_overlaps_most_and_without_the_best_pair_comes_first() -> None:
    """A covers both true boxes by 0.5 and more, and the first a little better; B covers the first only."""
    true = [(0, 0, 0, 10, 10), (0, 0, 2, 10, 12)]
    sure, unsure = (0, 0, 0.5, 10, 10.5, 0.9), (0, 0, -1, 10, 9, 0.1)
    assert values(true, [sure, unsure], score="score", at=0.75)[2] == 0.5
    assert values(true, [(*sure[:5], 0.1), (*unsure[:5], 0.9)], score="score", at=0.7)[2] == 1.0
    assert values(true, [sure, unsure], at=0.75)[2] == 0.5


def test_classes_pair_among_themselves() -> None:
    true, found = [(0, 0, 0, 10, 10, 1, "a")], [(0, 0, 0, 10, 10, 1, "b")]
    assert values(true, found)[0] == 1.0
    by_class: Any = {"class": "kind"}
    assert values(true, found, **by_class)[0] == 0.0


def test_the_mean_over_images_and_all_boxes_together() -> None:
    """One of one found; none of three."""
    true = [(0, 0, 0, 1, 1), (1, 0, 0, 1, 1), (1, 2, 0, 3, 1), (1, 4, 0, 5, 1)]
    assert values(true, [(0, 0, 0, 1, 1)], 2, metric=fbeta_boxes) == [0.5]
    assert values(true, [(0, 0, 0, 1, 1)], 2) == [2 / 5, 1.0, 1 / 4]


def test_an_image_without_true_boxes_has_0_with_predictions_and_else_what_is_declared() -> None:
    true, found = [(0, 0, 0, 1, 1)], [(0, 0, 0, 1, 1), (1, 0, 0, 1, 1)]
    assert values(true, found, 3, metric=fbeta_boxes) == [round12((1 + 0 + 1) / 3)]
    assert values(true, found, 3, metric=fbeta_boxes, empty="skip") == [(1 + 0) / 2]
    assert values([], [], 2, metric=fbeta_boxes) == [1.0]
    assert np.isnan(values([], [], 2, metric=fbeta_boxes, empty="skip")).all()
    assert np.isnan(values([], [], 2)).all()
    assert [pooled_fbeta_boxes.card.reason(name) for name in ("precision", "recall")] == ["no-boxes", "no-truth"]


def test_a_missing_image_misses_its_boxes() -> None:
    assert values([(0, 0, 0, 1, 1), (1, 0, 0, 1, 1)], [(0, 0, 0, 1, 1)], 2, metric=fbeta_boxes) == [0.5]


def test_generalised_overlap_counts_what_lies_between() -> None:
    one, other = np.array([[0.0, 0, 2, 2], [0, 0, 1, 1]]), np.array([[1.0, 0, 3, 2], [2, 0, 3, 1]])
    assert overlap(one, other, generalised=False).tolist() == [1 / 3, 0.0]
    assert round12(overlap(one, other, generalised=True)).tolist() == [round12(1 / 3), round12(-1 / 3)]
    diagonal = ([(0, 0, 0, 10, 10)], [(0, 2, 2, 12, 12)])
    assert (values(*diagonal, at=0.45)[0], values(*diagonal, at=0.45, overlap="giou")[0]) == (1.0, 0.0)


def test_coordinates_of_any_size() -> None:
    for unit in (1e-9, 1.0, 1e100):
        box = (0, 0.0, 0.0, unit, unit)
        assert values([box], [box], overlap="giou")[0] == 1.0
    assert values([(0, 0, 0, 1e200, 1e200)], [(0, 0, 0, 1e200, 1e200)])[0] == 0.0


def test_width_and_height_instead_of_corners() -> None:
    columns = {"x": [2.0], "y": [2.0], "width": [5.0], "height": [4.0]}
    table = many([0], columns, n_cases=1)
    params = {name: name for name in columns} | {"at": 0.5, "overlap": "iou", "beta": 1.0, "empty": "one"}
    made = fbeta_boxes.tabulate(table, table, params)
    assert fbeta_boxes.case_values(made).tolist() == [1.0]


def test_what_is_no_box() -> None:
    wrong = boxes([(0, 5, 0, 5, 1)], 1)
    (issue,) = fbeta_boxes.validate(index(1), wrong, COLUMNS)
    assert (issue.code, issue.column) == ("E-BOX", "x1")
    with pytest.raises(ReferenceRefused, match="a box without width or height"):
        values([(0, 5, 0, 5, 1)], [])
