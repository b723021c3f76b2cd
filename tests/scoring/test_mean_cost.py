"""Mean cost by hand, with the matrix of the TissueNet challenge of 2020 (four grades of cervical lesions)."""

import numpy as np
import pytest

from scoring.metrics.mean_cost import mean_cost
from scoring.params import check_params
from scoring.rounding import round12
from tests.scoring.builders import spec, table, value

GRADES = ["0", "1", "2", "3"]
COSTS = [[0, 0.1, 0.7, 1], [0.1, 0, 0.3, 0.7], [0.7, 0.3, 0, 0.3], [1, 0.7, 0.3, 0]]
PARAMS = {"label": "label", "prediction": "answer", "labels": GRADES, "costs": COSTS}
TABLE = spec(answer=GRADES)


def test_each_answer_costs_what_the_row_of_its_true_label_says() -> None:
    reference = table({"label": list("0123")})
    assert value(mean_cost, reference, table({"answer": list("0123")}), PARAMS) == 0.0
    assert round12(value(mean_cost, reference, table({"answer": list("1302")}), PARAMS)) == 0.45


def test_rows_are_the_truth() -> None:
    lopsided = PARAMS | {"labels": ["0", "1"], "costs": [[0, 5], [1, 0]]}
    assert value(mean_cost, table({"label": ["0"]}), table({"answer": ["1"]}), lopsided) == 5.0


def test_a_missing_case_and_an_answer_outside_the_labels_cost_the_worst_of_their_row() -> None:
    reference = table({"label": list("0123")})
    entry = table({"answer": list("01  ")}, missing=[0, 0, 1, 1])
    assert value(mean_cost, reference, entry, PARAMS) == (0.7 + 1) / 4
    assert value(mean_cost, table({"label": ["1"]}), table({"answer": ["9"]}), PARAMS) == 0.7


def test_case_values_are_the_costs() -> None:
    made = mean_cost.tabulate(table({"label": list("03")}), table({"answer": list("30")}), PARAMS)
    assert mean_cost.case_values(made).tolist() == [1.0, 1.0]
    assert np.isnan(mean_cost.aggregate(made, np.zeros((1, 2)))).all()


@pytest.mark.parametrize(
    ("costs", "told"),
    [
        ([[0, 1], [1, 0]], "must be 4 rows of 4 numbers, one for each label, not 2 rows of 2"),
        ([*COSTS[:3], [0, 1]], "must be 4 rows of 4 numbers, one for each label, not 4 rows of 2, 4"),
        ([*COSTS[:3], [0, 1, 2, -1]], ", place 4, place 4 must be at least 0, not -1"),
        ([*COSTS[:3], [0, 1, 2, float("nan")]], ", place 4, place 4 must be a number, not nan"),
        ([*COSTS[:3], 5], ", place 4 must be a list, not 5"),
    ],
)
def test_the_matrix_is_a_square_of_numbers_of_0_or_more(costs: list[object], told: str) -> None:
    (found,) = check_params(mean_cost.card, PARAMS | {"costs": costs}, TABLE)
    assert found == f"parameter costs of mean_cost{'' if told.startswith(',') else ' '}{told}"
