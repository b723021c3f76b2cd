"""Sensitivity, specificity and predictive values by hand."""

import numpy as np
import pytest

from scoring.metrics.operating_point import operating_point
from scoring.params import check_params
from tests.scoring.builders import spec, table

PARAMS = {"label": "label", "score": "score", "positive": "1", "threshold": 0.5}


def found(truth: str, scores: list[float], missing: str = "") -> list[float]:
    absent = [mark == "m" for mark in missing] or None
    reference, entry = table({"label": list(truth)}), table({"score": np.array(scores, dtype=float)}, missing=absent)
    made = operating_point.tabulate(reference, entry, PARAMS)
    values: list[float] = operating_point.aggregate(made, np.ones((1, made.n_cases)))[0].tolist()
    return values


def test_four_shares_and_a_score_at_the_threshold_is_positive() -> None:
    """TP 2, FN 1, FP 1, TN 3."""
    assert found("1110000", [0.5, 0.9, 0.4, 0.5, 0.1, 0.2, 0.3]) == [2 / 3, 3 / 4, 2 / 3, 3 / 4]


def test_a_missing_case_is_a_wrong_answer() -> None:
    assert found("11000", [np.nan, 0.9, np.nan, 0.1, 0.1], "m.m..") == found("11000", [0.1, 0.9, 0.9, 0.1, 0.1])


@pytest.mark.parametrize(
    ("truth", "scores", "undefined"),
    [
        ("000", [0.1, 0.1, 0.9], ["sensitivity"]),
        ("111", [0.1, 0.1, 0.9], ["specificity"]),
        ("011", [0.1, 0.1, 0.2], ["ppv"]),
        ("011", [0.9, 0.9, 0.8], ["npv"]),
        ("111", [0.9, 0.9, 0.9], ["specificity", "npv"]),
    ],
)
def test_a_share_of_no_cases_is_undefined(truth: str, scores: list[float], undefined: list[str]) -> None:
    values = dict(zip(operating_point.outputs(PARAMS), found(truth, scores), strict=True))
    assert [name for name, value in values.items() if np.isnan(value)] == undefined


def test_each_output_has_its_reason() -> None:
    reasons = [operating_point.card.reason(output) for output in operating_point.outputs(PARAMS)]
    assert reasons == ["no-positives", "no-negatives", "none-positive", "none-negative"]


def test_the_threshold_is_declared() -> None:
    without = {name: value for name, value in PARAMS.items() if name != "threshold"}
    assert check_params(operating_point.card, without, spec(score="number")) == [
        "operating_point needs the parameter 'threshold'"
    ]
