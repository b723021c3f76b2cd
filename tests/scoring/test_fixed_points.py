"""Sensitivity at a specificity and predictive value at a sensitivity by hand."""

from typing import Any

import numpy as np
import pytest

from scoring.metrics.fixed_points import FixedPoint, ppv_at_sensitivity, sensitivity_at_specificity
from scoring.params import check_params
from tests.scoring.builders import spec, table

COLUMNS = {"label": "label", "score": "score", "positive": "1"}


def found(metric: FixedPoint, at: float, truth: str, scores: list[float], missing: str = "") -> list[float]:
    absent = [mark == "m" for mark in missing] or None
    reference, entry = table({"label": list(truth)}), table({"score": np.array(scores, dtype=float)}, missing=absent)
    made = metric.tabulate(reference, entry, {**COLUMNS, "at": at})
    values: list[float] = metric.aggregate(made, np.ones((1, made.n_cases)))[0].tolist()
    return values


def test_sensitivity_of_the_lowest_threshold_that_is_specific_enough() -> None:
    """From the highest score: 1 0 1 0 1 0."""
    scores = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
    assert found(sensitivity_at_specificity, 1.0, "101010", scores) == [1 / 3, 1.0]
    assert found(sensitivity_at_specificity, 0.6, "101010", scores) == [2 / 3, 2 / 3]
    assert found(sensitivity_at_specificity, 0.5, "101010", scores) == [2 / 3, 2 / 3]
    assert found(sensitivity_at_specificity, 0.1, "101010", scores) == [1.0, 1 / 3]


def test_predictive_value_of_the_highest_threshold_that_is_sensitive_enough() -> None:
    """The third threshold is as sensitive as the second and has no better value; the first that suffices is taken."""
    scores = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
    assert found(ppv_at_sensitivity, 0.3, "101010", scores) == [1.0, 1 / 3]
    assert found(ppv_at_sensitivity, 0.5, "101010", scores) == [2 / 3, 2 / 3]
    assert found(ppv_at_sensitivity, 1.0, "101010", scores) == [3 / 5, 1.0]
    assert found(ppv_at_sensitivity, 0.3, "0111", [0.9, 0.8, 0.7, 0.6]) == [1 / 2, 1 / 3]


def test_equal_scores_pass_together_and_nothing_is_interpolated() -> None:
    assert found(sensitivity_at_specificity, 0.5, "1010", [0.9, 0.9, 0.1, 0.1]) == [1 / 2, 1 / 2]
    assert found(sensitivity_at_specificity, 0.6, "1010", [0.9, 0.9, 0.1, 0.1]) == [0.0, 1.0]
    assert found(ppv_at_sensitivity, 0.1, "1101", [0.5, 0.5, 0.5, 0.1]) == [2 / 3, 2 / 3]


def test_a_constant_score_answers_all_or_none() -> None:
    assert found(sensitivity_at_specificity, 0.9, "1000", [0.5] * 4) == [0.0, 1.0]
    assert found(ppv_at_sensitivity, 0.9, "1000", [0.5] * 4) == [1 / 4, 1.0]


@pytest.mark.parametrize("reached", range(1, 21))
def test_a_share_that_is_just_reached_suffices(reached: int) -> None:
    """Of twenty cases; 0.55 · 20 is more than 11 as a float64."""
    at = reached / 20
    above_so_many = [reached - 0.5, *range(20)]
    assert found(sensitivity_at_specificity, at, "1" + "0" * 20, above_so_many) == [1.0, at]
    assert found(ppv_at_sensitivity, at, "1" * 20, list(range(20))) == [1.0, at]


def test_a_missing_case_has_the_worst_score() -> None:
    scores = [np.nan, 0.8, np.nan, 0.1]
    for metric in (sensitivity_at_specificity, ppv_at_sensitivity):
        for at in (0.4, 0.9, 1.0):
            assert found(metric, at, "1100", scores, "m.m.") == found(metric, at, "1100", [-1.0, 0.8, 9.0, 0.1])


def test_undefined_without_the_classes_that_are_needed() -> None:
    positives, negatives = ("11", [0.1, 0.2]), ("00", [0.1, 0.2])
    assert found(ppv_at_sensitivity, 0.5, *positives) == [1.0, 0.5]
    assert np.isnan(found(ppv_at_sensitivity, 0.5, *negatives)).all()
    assert np.isnan(found(sensitivity_at_specificity, 0.5, *positives)).all()
    only = found(sensitivity_at_specificity, 0.5, *negatives)
    assert (np.isnan(only[0]), only[1]) == (True, 0.5)
    assert np.isnan(found(ppv_at_sensitivity, 0.5, "", [])).all()
    card = sensitivity_at_specificity.card
    assert [card.reason(output) for output in card.outputs] == ["one-class", "no-negatives"]


@pytest.mark.parametrize(
    ("at", "told"), [(0, "above 0, not 0"), (1.5, "at most 1, not 1.5"), ("x", "a number, not 'x'")]
)
def test_the_point_is_a_share(at: Any, told: str) -> None:
    assert check_params(ppv_at_sensitivity.card, {**COLUMNS, "at": at}, spec(score="number")) == [
        f"parameter at of ppv_at_sensitivity must be {told}"
    ]
