"""The CytologIA score: against plain loops on small random images, and its rules one by one."""

import random

import numpy as np
import pytest

from scoring.boxes import giou
from scoring.issues import Issue
from scoring.metric import ReferenceRefused
from scoring.metrics.cytologia import cytologia
from scoring.rounding import round12
from scoring.tables import Table
from tests.acceptance.cytologia_slow import SIDES, Row, slow_score
from tests.scoring.builders import index, many

LABELS = ["LY", "MO", "PNN"]
PARAMS = {side: side for side in SIDES} | {"class": "class", "labels": LABELS}


def rows(*cells: tuple[str, tuple[int, int, int, int], str]) -> list[Row]:
    """Rows of image, box, class; ids are positions from 1."""
    return [
        {"trustii_id": str(i), "NAME": name, **dict(zip(SIDES, map(str, box), strict=True)), "class": label}
        for i, (name, box, label) in enumerate(cells, 1)
    ]


def as_table(source: list[Row], names: list[str]) -> Table:
    ordered = sorted(source, key=lambda row: (names.index(row["NAME"]), int(row["trustii_id"])))
    columns: dict[str, object] = {side: np.array([float(row[side]) for row in ordered]) for side in SIDES}
    columns["class"] = np.array([row["class"] for row in ordered], dtype=str)
    return many([names.index(row["NAME"]) for row in ordered], columns, n_cases=len(names))  # type: ignore[arg-type]


def scored(truth: list[Row], answers: list[Row]) -> dict[str, float]:
    names = sorted({row["NAME"] for row in truth})
    made = cytologia.tabulate(as_table(truth, names), as_table(answers, names), PARAMS)
    found = cytologia.aggregate(made, np.ones((1, len(names))))[0]
    return dict(zip(cytologia.outputs(PARAMS), found.tolist(), strict=True))


SQUARE, FAR = (0, 0, 10, 10), (20, 0, 30, 10)
TRUTH = rows(("a", SQUARE, "LY"), ("a", FAR, "MO"), ("b", SQUARE, "PNN"))


def test_perfect_is_1() -> None:
    assert scored(TRUTH, TRUTH)["score"] == 1.0


def test_giou_of_pairs() -> None:
    one = np.array([[0, 0, 10, 10]] * 4, dtype=float)
    other = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 0, 30, 10], [0, 10, 10, 20]], dtype=float)
    assert giou(one, other).tolist() == [1.0, 1 / 3, -1 / 3, 0.0]


def test_boxes_too_large_for_areas_are_as_bad_as_can_be() -> None:
    assert giou(np.array([[0.0, 0, 10, 10]]), np.array([[-1e308, -1e308, 1e308, 1e308]])).tolist() == [-1.0]


def test_one_prediction_may_serve_several_cells_and_unmatched_ones_cost_nothing() -> None:
    one = rows(("a", SQUARE, "LY"))
    both = [one[0], *rows(("b", SQUARE, "PNN"), ("b", FAR, "LY"), ("b", (0, 0, 9, 9), "MO"))]
    assert scored(TRUTH, both)["f1/PNN"] == 1.0
    assert scored(TRUTH, both)["f1/LY"] == 2 / 3
    assert scored(TRUTH, both)["f1/MO"] == 0.0


def test_a_missing_image_has_giou_minus_1_and_none_is_a_class_of_its_own() -> None:
    found = scored(TRUTH, TRUTH[:2])
    assert found["giou"] == 2 / 3
    assert found["f1/PNN"] == 0.0
    assert found["macro_f1"] == 2 / 4
    assert found["score"] == 0.2 * (2 / 3) + 0.8 * (2 / 4)


def test_without_a_missing_image_there_is_no_none() -> None:
    assert scored(TRUTH, [TRUTH[0], TRUTH[2]])["macro_f1"] == (2 / 3 + 0 + 1) / 3


def test_of_equally_good_boxes_the_lowest_id_decides_whatever_the_order_of_the_file() -> None:
    truth = rows(("a", SQUARE, "LY"))
    answers = rows(("a", SQUARE, "MO"), ("a", SQUARE, "LY"))
    assert scored(truth, answers)["f1/LY"] == scored(truth, answers[::-1])["f1/LY"] == 0.0
    first = rows(("a", SQUARE, "LY"), ("a", SQUARE, "MO"))
    assert scored(truth, first)["f1/LY"] == scored(truth, first[::-1])["f1/LY"] == 1.0


def test_the_same_box_and_class_twice_changes_nothing() -> None:
    assert scored(TRUTH, TRUTH + rows(("a", SQUARE, "LY"))) == scored(TRUTH, TRUTH)


def test_a_class_that_occurs_nowhere_is_undefined_and_left_out() -> None:
    found = scored(TRUTH[:2], TRUTH[:2])
    assert np.isnan(found["f1/PNN"])
    assert found["macro_f1"] == 1.0
    assert cytologia.card.reason("f1/PNN") == "label-absent"


@pytest.mark.parametrize("seed", range(30))
def test_plain_loops_on_random_images(seed: int) -> None:
    rng = random.Random(seed)
    names = [f"i{i}" for i in range(8)]

    def cell() -> tuple[str, tuple[int, int, int, int], str]:
        x, y = rng.randrange(4), rng.randrange(4)
        return rng.choice(names), (x, y, x + rng.randint(1, 3), y + rng.randint(1, 3)), rng.choice(LABELS)

    truth = rows(*(cell() for _ in range(20)))
    held = sorted({row["NAME"] for row in truth})
    answers = [row for row in rows(*(cell() for _ in range(20))) if row["NAME"] in held]
    expected = slow_score(truth, answers)
    found = scored(truth, answers)
    assert {key: round12(found[key]) for key in expected} == {key: round12(part) for key, part in expected.items()}
    assert all(np.isnan(found[key]) for key in set(found) - set(expected))


def test_a_split_is_scored_as_if_it_were_the_whole() -> None:
    answers = rows(("a", SQUARE, "LY"), ("a", FAR, "LY"), ("b", SQUARE, "PNN"))
    made = cytologia.tabulate(as_table(TRUTH, ["a", "b"]), as_table(answers, ["a", "b"]), PARAMS)
    found = cytologia.aggregate(made, np.array([[1, 0]]))[0]
    assert found[2] == scored(TRUTH[:2], answers[:2])["macro_f1"] == (2 / 3 + 0) / 2


def test_swapped_and_empty_boxes_are_told_with_their_image() -> None:
    entry = as_table(rows(("a", (10, 0, 0, 10), "LY"), ("b", (0, 5, 5, 5), "LY"), ("b", SQUARE, "LY")), ["a", "b"])
    assert cytologia.validate(index(2), entry, PARAMS) == [
        Issue("E-BOX", column="x1", value="x1=10 x2=0", fields={"case": "c00000", "other": "x2"}),
        Issue("E-BOX", column="y1", value="y1=5 y2=5", fields={"case": "c00001", "other": "y2"}),
    ]


def test_very_many_wrong_boxes_are_counted_and_not_listed() -> None:
    entry = many(np.zeros(100_000), {side: np.zeros(100_000) for side in SIDES}, n_cases=1)
    found = cytologia.validate(index(1), entry, PARAMS)
    assert len(found) == 100
    assert sum(issue.fields.get("count", 1) for issue in found) == 200_000  # type: ignore[misc]


def test_a_reference_with_an_empty_box_or_an_unknown_class_is_refused() -> None:
    entry = as_table(TRUTH, ["a", "b"])
    with pytest.raises(ReferenceRefused, match="a box whose first corner"):
        cytologia.tabulate(as_table(rows(("a", (5, 5, 5, 9), "LY")), ["a", "b"]), entry, PARAMS)
    with pytest.raises(ReferenceRefused, match="'class' of the reference holds 'XX'"):
        cytologia.tabulate(as_table(rows(("a", SQUARE, "XX")), ["a", "b"]), entry, PARAMS)


def test_more_pairs_in_one_image_than_are_compared_at_once() -> None:
    n = 1500
    low = np.arange(n, dtype=float)
    columns = {"x1": low, "y1": low, "x2": low + 5, "y2": low + 5, "class": np.full(n, "LY")}
    crowd = many(np.zeros(n), columns, n_cases=1)
    made = cytologia.tabulate(crowd, crowd, PARAMS)
    assert cytologia.aggregate(made, np.ones((1, 1)))[0, 0] == 1.0
