"""Metrics against scikit-learn, on random and degenerate data, with whole-number weights."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scoring.registry import get
from scoring.tables import Table
from tests.scoring.builders import table

LABELS = ["a", "b", "c"]
few = settings(max_examples=80, deadline=None, derandomize=True)
weights = st.integers(0, 3)
levels = st.sampled_from([0.0, 0.25, 0.5, 1.0])
binary_cases = st.lists(st.tuples(st.sampled_from("01"), levels, weights), min_size=1, max_size=30)
hard_cases = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS), weights), min_size=1, max_size=30)
SCORE = {"label": "label", "score": "score", "positive": "1"}
HARD = {"label": "label", "prediction": "prediction", "labels": LABELS, "subset": False}


def outputs(
    key: str, reference: Table, entry: Table, params: Mapping[str, Any], weight: Sequence[int]
) -> dict[str, float]:
    metric = get(key)
    found = metric.aggregate(metric.tabulate(reference, entry, params), np.array([weight]))
    return dict(zip(metric.outputs(params), found[0].tolist(), strict=True))


def binary(cases: list[tuple[str, float, int]]) -> tuple[Table, Table, list[int]]:
    label, score, weight = zip(*cases, strict=True)
    return table({"label": list(label)}), table({"score": list(score)}), list(weight)


def hard(cases: list[tuple[str, str, int]]) -> tuple[Table, Table, list[int]]:
    label, answer, weight = zip(*cases, strict=True)
    return table({"label": list(label)}), table({"prediction": list(answer)}), list(weight)


def repeated(values: NDArray[Any], weight: Sequence[int]) -> NDArray[Any]:
    return np.repeat(values, weight, axis=0)


def close(found: float, expected: float) -> bool:
    return found == pytest.approx(expected, rel=1e-12, abs=1e-14, nan_ok=True)


@few
@given(binary_cases)
def test_auroc(cases: list[tuple[str, float, int]]) -> None:
    reference, entry, weight = binary(cases)
    found = outputs("auroc", reference, entry, SCORE, weight)["auroc"]
    label = repeated(reference.columns["label"] == "1", weight)
    if len(set(label.tolist())) < 2:
        assert np.isnan(found)
    else:
        assert close(found, oracle.roc_auc_score(label, repeated(entry.columns["score"], weight)))


def test_auroc_of_many_continuous_scores_and_of_constant_ones() -> None:
    rng = np.random.default_rng(0)
    label = rng.choice(["0", "1"], 5000)
    for score in (rng.normal(size=5000), np.zeros(5000), rng.normal(size=5000) * 1e300, np.round(rng.random(5000), 2)):
        found = outputs("auroc", table({"label": label}), table({"score": score}), SCORE, [1] * 5000)["auroc"]
        assert close(found, oracle.roc_auc_score(label == "1", score))


@few
@given(hard_cases)
def test_accuracy_and_balanced_accuracy(cases: list[tuple[str, str, int]]) -> None:
    reference, entry, weight = hard(cases)
    label, answer = repeated(reference.columns["label"], weight), repeated(entry.columns["prediction"], weight)
    params = {**HARD, "absent": "skip"}
    accuracy = outputs("accuracy", reference, entry, HARD, weight)["accuracy"]
    balanced = outputs("balanced_accuracy", reference, entry, params, weight)["balanced_accuracy"]
    if not label.size:
        assert np.isnan([accuracy, balanced]).all()
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of classes that are predicted and do not occur
        assert close(balanced, oracle.balanced_accuracy_score(label, answer))
    assert close(accuracy, oracle.accuracy_score(label, answer))


@few
@given(hard_cases)
def test_macro_micro_and_per_class_f1(cases: list[tuple[str, str, int]]) -> None:
    reference, entry, weight = hard(cases)
    label, answer = repeated(reference.columns["label"], weight), repeated(entry.columns["prediction"], weight)
    skipping = outputs("macro_f1", reference, entry, {**HARD, "absent": "skip"}, weight)
    strict = outputs("macro_f1", reference, entry, {**HARD, "absent": "nan"}, weight)
    micro = outputs("micro_f1", reference, entry, HARD, weight)
    if not label.size:
        assert np.isnan([*skipping.values(), *strict.values(), *micro.values()]).all()
        return
    each = oracle.f1_score(label, answer, labels=LABELS, average=None, zero_division=np.nan)
    assert all(close(skipping[f"f1/{name}"], value) for name, value in zip(LABELS, each, strict=True))
    assert close(skipping["macro_f1"], oracle.f1_score(label, answer, average="macro"))
    assert close(strict["macro_f1"], float(np.mean(each)))
    assert close(micro["micro_f1"], oracle.f1_score(label, answer, average="micro"))


@few
@given(hard_cases)
def test_micro_f1_of_a_subset_of_labels(cases: list[tuple[str, str, int]]) -> None:
    reference, entry, weight = hard(cases)
    label, answer = repeated(reference.columns["label"], weight), repeated(entry.columns["prediction"], weight)
    found = outputs("micro_f1", reference, entry, {**HARD, "labels": ["a", "c"], "subset": True}, weight)["micro_f1"]
    if not np.isin([*label, *answer], ["a", "c"]).any():
        assert np.isnan(found)
    else:
        assert close(found, oracle.f1_score(label, answer, labels=["a", "c"], average="micro"))


@few
@given(binary_cases)
def test_binary_log_loss_and_brier(cases: list[tuple[str, float, int]]) -> None:
    reference, entry, weight = binary(cases)
    eps = float(np.finfo(np.float64).eps)  # where scikit-learn clips
    loss = outputs("log_loss", reference, entry, {**SCORE, "eps": eps}, weight)["log_loss"]
    brier = outputs("brier", reference, entry, SCORE, weight)["brier"]
    label, score = repeated(reference.columns["label"] == "1", weight), repeated(entry.columns["score"], weight)
    if not label.size:
        assert np.isnan([loss, brier]).all()
        return
    assert close(loss, oracle.log_loss(label, score, labels=[False, True]))
    assert close(brier, oracle.brier_score_loss(label, score, labels=[False, True], pos_label=True))


@pytest.mark.parametrize("seed", range(5))
def test_log_loss_and_brier_of_several_labels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    label, given_to = rng.choice(LABELS[: 2 + seed % 2], 200), rng.dirichlet([0.1, 0.1, 0.1], 200)
    entry = table({f"p_{name}": given_to[:, i] for i, name in enumerate(LABELS)})
    params = {"label": "label", "probabilities": {name: f"p_{name}" for name in LABELS}}
    weight = rng.integers(0, 3, 200).tolist()
    loss = outputs("log_loss", table({"label": label}), entry, {**params, "eps": 2.0**-52}, weight)["log_loss"]
    brier = outputs("brier", table({"label": label}), entry, params, weight)["brier"]
    label, given_to = repeated(label, weight), repeated(given_to, weight)
    assert close(loss, oracle.log_loss(label, given_to, labels=LABELS))
    assert close(brier, oracle.brier_score_loss(label, given_to, labels=LABELS))
