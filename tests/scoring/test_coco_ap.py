"""COCO AP: its rules one by one, on boxes that can be checked by hand. The oracle is pycocotools, in tests/oracles."""

from collections.abc import Sequence

import numpy as np
import pytest

from scoring.issues import Issue
from scoring.metric import ReferenceRefused
from scoring.metrics import coco_ap as module
from scoring.metrics.coco_ap import CORNERS, SIZES, coco_ap
from scoring.metrics.coco_matching import iou
from scoring.tables import Table
from tests.scoring.builders import index, many

LABELS = ["LY", "MO"]
PARAMS = {name: name for name in (*SIZES, "class", "score")} | {"labels": LABELS}
Cell = tuple[int, tuple[float, float, float, float], str]
BOX, FAR = (0.0, 0.0, 10.0, 10.0), (50.0, 0.0, 10.0, 10.0)
TRUTH: list[Cell] = [(0, BOX, "LY"), (0, FAR, "MO"), (1, BOX, "LY")]


def boxes(cells: Sequence[Cell], *, scores: Sequence[float] | None = None, n_cases: int = 2) -> Table:
    box = np.array([cell[1] for cell in cells], dtype=float).reshape(-1, 4)
    columns = dict(zip(SIZES, box.T, strict=True)) | {"class": np.array([cell[2] for cell in cells], dtype=str)}
    columns["score"] = np.ones(len(cells)) if scores is None else np.array(scores)
    return many([cell[0] for cell in cells], columns, n_cases=n_cases)


def scored(truth: Table, entry: Table, **params: str) -> dict[str, float]:
    made = coco_ap.tabulate(truth, entry, PARAMS | params)
    found = coco_ap.aggregate(made, np.ones((1, made.n_cases)))[0]
    return dict(zip(coco_ap.outputs(PARAMS), found.tolist(), strict=True))


def test_perfect_is_1_and_areas_without_objects_are_undefined() -> None:
    found = scored(boxes(TRUTH), boxes(TRUTH))
    assert {name for name, value in found.items() if value == 1.0} == {
        "ap",
        "ap50",
        "ap75",
        "ap_small",
        "ap/LY",
        "ap/MO",
    }
    assert np.isnan([found["ap_medium"], found["ap_large"]]).all()
    assert coco_ap.card.reason("ap_large") == coco_ap.card.reason("ap/LY") == "no-truth"


def test_no_detections_at_all_are_0() -> None:
    found = scored(boxes(TRUTH), boxes([]))
    assert [found[name] for name in ("ap", "ap50", "ap/LY", "ap/MO")] == [0.0] * 4


def test_an_image_without_boxes_costs_nothing_unless_something_is_found_there() -> None:
    truth, right = boxes(TRUTH, n_cases=3), boxes(TRUTH, n_cases=3)
    assert scored(truth, right)["ap"] == 1.0
    wrong = boxes([*TRUTH, (2, BOX, "MO")], scores=[1, 1, 1, 2], n_cases=3)
    assert scored(truth, wrong)["ap/MO"] == 0.5
    assert scored(truth, wrong)["ap/LY"] == 1.0


def test_a_class_without_true_boxes_is_left_out_whatever_is_found_of_it() -> None:
    found = scored(boxes([TRUTH[0]]), boxes([TRUTH[0], TRUTH[1]]))
    assert np.isnan(found["ap/MO"])
    assert found["ap"] == found["ap/LY"] == 1.0


def test_a_second_detection_of_a_box_is_false() -> None:
    twice = boxes([TRUTH[0], TRUTH[0], TRUTH[2]], scores=[0.9, 0.8, 0.7])
    assert scored(boxes([TRUTH[0], TRUTH[2]]), twice)["ap"] == pytest.approx((51 + 50 * 2 / 3) / 101, rel=1e-15)


def test_a_false_detection_below_all_hits_costs_nothing_and_above_them_it_does() -> None:
    cells: list[Cell] = [(0, FAR, "LY"), TRUTH[0], TRUTH[2]]
    truth = boxes([TRUTH[0], TRUTH[2]])
    ordered = sorted(cells, key=lambda cell: cell[0])
    assert scored(truth, boxes(ordered, scores=[0.1, 0.9, 0.9]))["ap"] == 1.0
    assert scored(truth, boxes(ordered, scores=[0.9, 0.1, 0.1]))["ap"] == pytest.approx(2 / 3, rel=1e-15)


def test_a_crowd_is_neither_found_nor_missed_and_may_be_taken_many_times() -> None:
    truth = boxes([TRUTH[0], (0, (0.0, 20.0, 100.0, 100.0), "LY")])
    truth = many(truth.case, {**truth.columns, "iscrowd": np.array([0.0, 1.0])}, n_cases=2)
    inside: list[Cell] = [(0, (10.0, 30.0, 5.0, 5.0), "LY"), (0, (40.0, 30.0, 5.0, 5.0), "LY"), TRUTH[0]]
    assert scored(truth, boxes(inside, scores=[0.9, 0.8, 0.7]), crowd="iscrowd")["ap"] == 1.0
    assert scored(truth, boxes(inside, scores=[0.9, 0.8, 0.7]))["ap"] < 0.5


def test_the_area_of_the_reference_decides_the_range_of_an_object() -> None:
    truth = boxes([(0, (0.0, 0.0, 100.0, 100.0), "LY")])
    truth = many(truth.case, {**truth.columns, "area": np.array(["900.5"])}, n_cases=2)
    found = scored(truth, boxes([(0, (0.0, 0.0, 100.0, 100.0), "LY")]), area="area")
    assert (found["ap_small"], np.isnan(found["ap_large"])) == (1.0, True)


def test_iou() -> None:
    one = np.array([BOX, BOX, BOX, (0, 0, 1e200, 1e200)])
    other = np.array([BOX, (5, 0, 10, 10), FAR, (0, 0, 1e200, 1e200)])
    assert iou(one, other, np.zeros(4, dtype=bool)).tolist() == [1.0, 1 / 3, 0.0, 0.0]
    assert iou(one[:2], other[:2], np.ones(2, dtype=bool)).tolist() == [1.0, 0.5]


def test_without_scores_the_order_of_images_decides() -> None:
    truth = boxes([TRUTH[0], TRUTH[2]])
    params = {name: part for name, part in PARAMS.items() if name != "score"}
    for cells, expected in (([TRUTH[0], (1, FAR, "LY")], 51 / 101), ([(0, FAR, "LY"), TRUTH[2]], 51 / 101 / 2)):
        made = coco_ap.tabulate(truth, boxes(cells), params)
        assert coco_ap.aggregate(made, np.ones((1, 2)))[0, 0] == pytest.approx(expected, rel=1e-15)


def test_turned_and_empty_boxes_are_told_with_their_image() -> None:
    cells: list[Cell] = [(0, (0, 0, -5, 10), "LY"), (1, (0, 0, 5, 0), "LY"), (1, BOX, "LY")]
    assert coco_ap.validate(index(2), boxes(cells), PARAMS) == [
        Issue("E-BOX-SIZE", column="width", value="width=-5", fields={"case": "c00000"}),
        Issue("E-BOX-SIZE", column="height", value="height=0", fields={"case": "c00001"}),
    ]
    corners = {name: name for name in (*CORNERS, "class")} | {"labels": LABELS}
    turned = many([0], {"x1": [5.0], "y1": [0.0], "x2": [0.0], "y2": [9.0], "class": ["LY"]}, n_cases=1)
    assert coco_ap.validate(index(1), turned, corners) == [
        Issue("E-BOX", column="x1", value="x1=5 x2=0", fields={"case": "c00000", "other": "x2"})
    ]


def test_a_reference_that_cannot_be_used_says_why() -> None:
    truth, entry = boxes(TRUTH), boxes(TRUTH)
    with pytest.raises(ReferenceRefused, match="a box without width or height"):
        coco_ap.tabulate(boxes([(0, (0, 0, 0, 9), "LY")]), entry, PARAMS)
    with pytest.raises(ReferenceRefused, match="no column 'iscrowd'"):
        coco_ap.tabulate(truth, entry, PARAMS | {"crowd": "iscrowd"})
    texts = many(truth.case, {**truth.columns, "area": np.array(["9", "", "x"])}, n_cases=2)
    with pytest.raises(ReferenceRefused, match="column 'area' of the reference must hold numbers"):
        coco_ap.tabulate(texts, entry, PARAMS | {"area": "area"})
    negative = many(truth.case, {**truth.columns, "area": np.array([9.0, -1, 9])}, n_cases=2)
    with pytest.raises(ReferenceRefused, match="a number below 0"):
        coco_ap.tabulate(negative, entry, PARAMS | {"area": "area"})


def test_weights_come_in_chunks_that_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    made = coco_ap.tabulate(boxes(TRUTH), boxes(TRUTH, scores=[0.9, 0.5, 0.2]), PARAMS)
    weights = np.arange(80).reshape(40, 2) % 5
    together = coco_ap.aggregate(made, weights)
    monkeypatch.setattr(module, "_CHUNK", 1)
    np.testing.assert_array_equal(coco_ap.aggregate(made, weights), together)
