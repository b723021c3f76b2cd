"""Average precision, macro AUROC, kappa, errors and costs against scikit-learn, with whole-number weights."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as oracle
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from scoring.tables import Table
from tests.oracles.test_scikit_learn import (
    HARD,
    LABELS,
    SCORE,
    binary,
    binary_cases,
    close,
    few,
    hard,
    hard_cases,
    outputs,
    repeated,
    weights,
)
from tests.scoring.builders import table

PROBABILITIES = {name: f"p_{name}" for name in LABELS}
LIKELY = {"label": "label", "probabilities": PROBABILITIES, "labels": LABELS}
KAPPA = {"none": None, "linear": "linear", "quadratic": "quadratic"}
# Shares of 8, so that probabilities are exact and often equal.
shares = st.sampled_from([(8, 0, 0), (4, 4, 0), (4, 2, 2), (2, 4, 2), (0, 4, 4), (1, 2, 5), (2, 2, 4)])
likely_cases = st.lists(st.tuples(st.sampled_from(LABELS), shares, weights), min_size=1, max_size=30)
numbers = st.integers(-40, 40).map(lambda n: n / 8)
number_cases = st.lists(st.tuples(numbers, numbers, weights), min_size=1, max_size=30)


def likely(cases: list[tuple[str, tuple[int, ...], int]]) -> tuple[Table, Table, NDArray[np.float64], list[int]]:
    label, given_to, weight = zip(*cases, strict=True)
    told = np.array(given_to) / 8
    columns = {column: told[:, i] for i, column in enumerate(PROBABILITIES.values())}
    return table({"label": list(label)}), table(columns), told, list(weight)


def twice(
    key: str, reference: Table, entry: Table, params: Mapping[str, Any], weight: Sequence[int]
) -> tuple[dict[str, float], dict[str, float]]:
    """With the weights, and with all weights 1."""
    return outputs(key, reference, entry, params, weight), outputs(key, reference, entry, params, [1] * len(weight))


@few
@given(binary_cases)
def test_average_precision(cases: list[tuple[str, float, int]]) -> None:
    reference, entry, weight = binary(cases)
    positive, score = reference.columns["label"] == "1", entry.columns["score"]
    for found, times in zip(
        twice("average_precision", reference, entry, SCORE, weight), (weight, [1] * len(weight)), strict=True
    ):
        label = np.repeat(positive, times)
        if not label.any():
            assert np.isnan(found["average_precision"])
        else:
            expected = oracle.average_precision_score(label, np.repeat(score, times))
            assert close(found["average_precision"], expected)


def test_average_precision_of_many_continuous_scores_and_of_constant_ones() -> None:
    rng = np.random.default_rng(0)
    label = rng.choice(["0", "1"], 5000, p=[0.9, 0.1])
    for score in (rng.normal(size=5000), np.zeros(5000), rng.normal(size=5000) * 1e300, np.round(rng.random(5000), 2)):
        found = outputs("average_precision", table({"label": label}), table({"score": score}), SCORE, [1] * 5000)
        assert close(found["average_precision"], oracle.average_precision_score(label == "1", score))


@few
@given(likely_cases)
def test_macro_one_vs_rest_auroc_and_that_of_each_label(cases: list[tuple[str, tuple[int, ...], int]]) -> None:
    reference, entry, told, weight = likely(cases)
    strict = twice("macro_ovr_auroc", reference, entry, {**LIKELY, "absent": "nan"}, weight)
    skipping = twice("macro_ovr_auroc", reference, entry, {**LIKELY, "absent": "skip"}, weight)
    for one, other, times in zip(strict, skipping, (weight, [1] * len(weight)), strict=True):
        label, given_to = np.repeat(reference.columns["label"], times), np.repeat(told, times, axis=0)
        each = np.array([_area(label == name, given_to[:, i]) for i, name in enumerate(LABELS)])
        assert all(close(one[f"auroc/{name}"], area) for name, area in zip(LABELS, each, strict=True))
        defined = each[~np.isnan(each)]
        assert close(other["macro_ovr_auroc"], defined.mean() if defined.size else np.nan)
        if defined.size < 3:
            assert np.isnan(one["macro_ovr_auroc"])
        else:
            expected = oracle.roc_auc_score(label, given_to, multi_class="ovr", average="macro", labels=LABELS)
            assert close(one["macro_ovr_auroc"], expected)


def _area(positive: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    return float(oracle.roc_auc_score(positive, score)) if 0 < positive.sum() < positive.size else np.nan


@few
@given(hard_cases, st.sampled_from(sorted(KAPPA)))
def test_kappa(cases: list[tuple[str, str, int]], way: str) -> None:
    reference, entry, weight = hard(cases)
    params = {"label": "label", "prediction": "prediction", "labels": LABELS, "weights": way}
    for found, times in zip(
        twice("cohen_kappa", reference, entry, params, weight), (weight, [1] * len(weight)), strict=True
    ):
        label, answer = (
            np.repeat(values, times) for values in (reference.columns["label"], entry.columns["prediction"])
        )
        if len({*label.tolist(), *answer.tolist()}) < 2:
            assert np.isnan(found["cohen_kappa"])
        else:
            assert close(
                found["cohen_kappa"], oracle.cohen_kappa_score(label, answer, labels=LABELS, weights=KAPPA[way])
            )


@few
@given(number_cases)
def test_errors_of_numbers(cases: list[tuple[float, float, int]]) -> None:
    true, guess, weight = [case[0] for case in cases], [case[1] for case in cases], [case[2] for case in cases]
    reference, entry, params = table({"y": true}), table({"guess": guess}), {"label": "y", "value": "guess"}
    mae, rmse = (outputs(key, reference, entry, params, weight)[key] for key in ("mae", "rmse"))
    if not sum(weight):
        assert np.isnan([mae, rmse]).all()
        return
    assert close(mae, oracle.mean_absolute_error(np.repeat(true, weight), np.repeat(guess, weight)))
    assert close(rmse, oracle.root_mean_squared_error(np.repeat(true, weight), np.repeat(guess, weight)))


@few
@given(hard_cases)
def test_mean_cost_is_the_costs_on_the_confusion_matrix(cases: list[tuple[str, str, int]]) -> None:
    reference, entry, weight = hard(cases)
    costs = np.array([[0, 1, 2.5], [4, 0.5, 3], [1, 7, 0]])
    params = {"label": "label", "prediction": "prediction", "labels": LABELS, "costs": costs.tolist()}
    found = outputs("mean_cost", reference, entry, params, weight)["mean_cost"]
    label, answer = repeated(reference.columns["label"], weight), repeated(entry.columns["prediction"], weight)
    if not label.size:
        assert np.isnan(found)
        return
    matrix = oracle.confusion_matrix(label, answer, labels=LABELS)
    assert close(found, float((matrix * costs).sum() / matrix.sum()))


@few
@given(likely_cases)
def test_the_most_probable_label_is_the_answer(cases: list[tuple[str, tuple[int, ...], int]]) -> None:
    reference, entry, told, weight = likely(cases)
    label, answer = reference.columns["label"], np.array(LABELS)[told.argmax(axis=1)]
    written = table({"prediction": answer})
    label, answer = repeated(label, weight), repeated(answer, weight)
    others: dict[str, dict[str, Any]] = {
        "macro_f1": {"absent": "skip", "subset": False},
        "cohen_kappa": {"weights": "none"},
    }
    for key, more in others.items():
        likely_values = outputs(key, reference, entry, {**LIKELY, **more}, weight)
        np.testing.assert_equal(likely_values, outputs(key, reference, written, {**HARD, **more}, weight))
    found = outputs("accuracy", reference, entry, LIKELY, weight)["accuracy"]
    assert close(found, oracle.accuracy_score(label, answer)) if label.size else np.isnan(found)


@pytest.mark.parametrize("seed", range(3))
def test_ordinal_kappa_of_five_grades_of_which_some_never_occur(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grades = ["0", "1", "2", "3", "4"]
    label, answer = rng.choice(["0", "1", "4"], 300), rng.choice(["0", "1", "2", "4"], 300)
    weight = rng.integers(0, 3, 300).tolist()
    params = {"label": "label", "prediction": "prediction", "labels": grades, "weights": "quadratic"}
    found = outputs("cohen_kappa", table({"label": label}), table({"prediction": answer}), params, weight)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = oracle.cohen_kappa_score(
            repeated(label, weight), repeated(answer, weight), labels=grades, weights="quadratic"
        )
    assert close(found["cohen_kappa"], expected)
