"""MAE and RMSE by hand: what a missing case costs, and numbers of the reference that are written as text."""

from dataclasses import replace

import numpy as np
import pytest

from scoring.metric import ParamsRefused, ReferenceRefused
from scoring.metrics.errors import mae, rmse
from scoring.params import check_params
from tests.scoring.builders import index, spec, table, value

PARAMS = {"label": "age", "value": "guess"}
REFERENCE = table({"age": [50.0, 60.0, 70.0]})
ENTRY = table({"guess": [53.0, 56.0, 70.0]})


def test_mean_size_and_root_of_the_mean_square() -> None:
    assert value(mae, REFERENCE, ENTRY, PARAMS) == (3 + 4 + 0) / 3
    assert value(rmse, REFERENCE, ENTRY, PARAMS) == np.sqrt((9 + 16 + 0) / 3)


def test_whole_numbers_will_do() -> None:
    assert value(mae, table({"age": np.array([50, 60])}), table({"guess": np.array([51, 62])}), PARAMS) == 1.5


def test_a_missing_case_counts_as_the_declared_error() -> None:
    entry, params = table({"guess": [53.0, np.nan, 70.0]}, missing=[0, 1, 0]), PARAMS | {"worst": 100}
    assert value(mae, REFERENCE, entry, params) == (3 + 100) / 3
    assert value(rmse, REFERENCE, entry, params) == np.sqrt((9 + 100**2) / 3)
    with pytest.raises(ParamsRefused, match="the parameter 'worst' does not say"):
        mae.tabulate(REFERENCE, entry, PARAMS)


@pytest.mark.parametrize("metric", [mae, rmse])
def test_the_error_of_a_missing_case_is_declared_where_there_can_be_one(metric: object) -> None:
    card, answers = (mae if metric is mae else rmse).card, spec(guess="number")
    assert check_params(card, PARAMS, answers) == []
    for missing in ("worst", "empty"):
        may_miss = replace(answers, missing=missing)
        assert check_params(card, PARAMS, may_miss) == [
            f"{card.key} needs the parameter 'worst', since table answers takes entries with missing cases "
            f'(missing = "{missing}")'
        ]
        assert check_params(card, PARAMS | {"worst": 30}, may_miss) == []
    assert check_params(card, PARAMS | {"worst": 0}, answers) == [
        f"parameter worst of {card.key} must be above 0, not 0"
    ]


def test_numbers_of_a_reference_that_are_read_as_text_are_numbers() -> None:
    written = table({"age": ["50", " 6e1", "+70.0"]})
    assert value(mae, written, ENTRY, PARAMS) == value(mae, REFERENCE, ENTRY, PARAMS)


@pytest.mark.parametrize("cell", ["", "fifty", "nan", "inf", "1_0", "1e999", "50,5"])
def test_what_is_no_finite_number_is_the_references_fault(cell: str) -> None:
    with pytest.raises(ReferenceRefused, match=r"column 'age' of the reference holds 1 of 3 cells that are no finite"):
        mae.tabulate(table({"age": ["50", cell, "70"]}), ENTRY, PARAMS)
    with pytest.raises(ReferenceRefused, match="no column 'age'"):
        mae.tabulate(table({"ages": ["50"]}), ENTRY, PARAMS)


def test_numbers_whose_squares_cannot_be_summed_are_told_and_others_give_finite_values() -> None:
    entry = table({"guess": [1e100, -2e100, 0.0]})
    for metric in (mae, rmse):
        (issue,) = metric.validate(index(3), entry, PARAMS)
        assert (issue.code, issue.column, issue.value) == ("E-RANGE", "guess", "-2e+100")
        assert issue.fields == {"low": -1e100, "high": 1e100, "case": "c00001"}
    largest = table({"guess": [1e100, -1e100, 1e100]})
    assert mae.validate(index(3), largest, PARAMS) == rmse.validate(index(3), largest, PARAMS) == []
    assert np.isfinite(value(rmse, table({"age": [-1e100, 1e100, -1e100]}), largest, PARAMS))
    with pytest.raises(ReferenceRefused, match="holds numbers beyond"):
        rmse.tabulate(table({"age": [2e100, 0.0, 0.0]}), entry, PARAMS)
