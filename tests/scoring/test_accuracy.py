"""Accuracy and balanced accuracy by hand."""

import numpy as np
import pytest

from scoring.metric import ParamsRefused, ReferenceRefused
from scoring.metrics.accuracy import accuracy, balanced_accuracy
from tests.scoring.builders import table, value

HARD = {"label": "label", "prediction": "answer"}
SCORE = {"label": "label", "score": "score", "threshold": 0.5, "positive": "1"}
REFERENCE = table({"label": list("aaab")})


def test_share_of_right_answers_and_missing_is_wrong() -> None:
    assert value(accuracy, REFERENCE, table({"answer": list("aabb")}), HARD) == 0.75
    assert value(accuracy, REFERENCE, table({"answer": ["a", "a", "", "b"]}, missing=[0, 0, 1, 0]), HARD) == 0.75


def test_a_missing_case_is_wrong_whatever_the_file_holds_for_it() -> None:
    assert value(accuracy, REFERENCE, table({"answer": list("aaab")}, missing=[0, 0, 0, 1]), HARD) == 0.75


def test_a_score_at_the_threshold_is_positive_and_a_missing_one_is_wrong_on_both_sides() -> None:
    reference = table({"label": list("0101")})
    score = [0.49, 0.5, np.nan, np.nan]
    assert value(accuracy, reference, table({"score": score}, missing=[0, 0, 1, 1]), SCORE) == 0.5


def test_balanced_accuracy_is_the_mean_recall() -> None:
    params = {**HARD, "labels": ["a", "b"], "absent": "nan"}
    made = balanced_accuracy.tabulate(REFERENCE, table({"answer": list("aabb")}), params)
    assert balanced_accuracy.outputs(params) == ("balanced_accuracy", "recall/a", "recall/b")
    assert balanced_accuracy.aggregate(made, np.ones((1, 4))).tolist() == [[(2 / 3 + 1) / 2, 2 / 3, 1.0]]


def test_a_label_without_cases_makes_the_mean_undefined_unless_declared_otherwise() -> None:
    entry, labels = table({"answer": list("aabb")}), ["a", "b", "c"]
    strict = {**HARD, "labels": labels, "absent": "nan"}
    assert np.isnan(value(balanced_accuracy, REFERENCE, entry, strict))
    assert value(balanced_accuracy, REFERENCE, entry, strict | {"absent": "skip"}) == (2 / 3 + 1) / 2


def test_a_label_of_the_reference_that_is_not_declared_is_refused() -> None:
    params = {**HARD, "labels": ["a", "c"], "absent": "nan"}
    with pytest.raises(ReferenceRefused, match="'label' of the reference holds 'b', none of the declared labels"):
        balanced_accuracy.tabulate(REFERENCE, table({"answer": list("aaaa")}), params)


def test_a_threshold_needs_two_labels() -> None:
    params = {**SCORE, "labels": ["0", "1", "2"], "absent": "nan"}
    with pytest.raises(ParamsRefused, match="needs two labels"):
        balanced_accuracy.tabulate(table({"label": ["0"]}), table({"score": [0.1]}), params)
