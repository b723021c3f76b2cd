"""MCC and decisions at thresholds against scikit-learn, with whole-number weights."""

import numpy as np
import sklearn.metrics as oracle
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles.test_scikit_learn import (
    HARD,
    SCORE,
    binary,
    binary_cases,
    close,
    few,
    hard,
    hard_cases,
    outputs,
    repeated,
)


@few
@given(hard_cases)
def test_mcc(cases: list[tuple[str, str, int]]) -> None:
    reference, entry, weight = hard(cases)
    found = outputs("mcc", reference, entry, HARD, weight)["mcc"]
    label, answer = repeated(reference.columns["label"], weight), repeated(entry.columns["prediction"], weight)
    if min(len(set(label.tolist())), len(set(answer.tolist()))) < 2:
        assert np.isnan(found)
    else:
        assert close(found, oracle.matthews_corrcoef(label, answer))


@few
@given(binary_cases)
def test_sensitivity_specificity_and_predictive_values(cases: list[tuple[str, float, int]]) -> None:
    reference, entry, weight = binary(cases)
    found = outputs("operating_point", reference, entry, {**SCORE, "threshold": 0.5}, weight)
    label = repeated(reference.columns["label"] == "1", weight)
    answer = repeated(entry.columns["score"] >= 0.5, weight)
    tp, fn, fp, tn = (
        (label & answer).sum(),
        (label & ~answer).sum(),
        (~label & answer).sum(),
        (~label & ~answer).sum(),
    )
    shares = {"sensitivity": (tp, fn), "specificity": (tn, fp), "ppv": (tp, fp), "npv": (tn, fn)}
    for name, (right, wrong) in shares.items():
        assert close(found[name], right / (right + wrong) if right + wrong else np.nan)


@few
@given(binary_cases, st.sampled_from([0.25, 0.5, 0.75, 1.0]))
def test_points_of_the_roc_and_precision_recall_curves(cases: list[tuple[str, float, int]], at: float) -> None:
    reference, entry, weight = binary(cases)
    label = repeated(reference.columns["label"] == "1", weight)
    score = repeated(entry.columns["score"], weight)
    params = {**SCORE, "at": at}
    sensitivity = outputs("sensitivity_at_specificity", reference, entry, params, weight)
    ppv = outputs("ppv_at_sensitivity", reference, entry, params, weight)
    if len(set(label.tolist())) < 2:
        assert np.isnan(sensitivity["sensitivity_at_specificity"])
    else:
        false, true, _ = oracle.roc_curve(label, score, drop_intermediate=False)
        assert close(sensitivity["sensitivity_at_specificity"], true[1 - false >= at].max())
    if not label.any():
        assert np.isnan(list(ppv.values())).all()
    else:
        precision, recall, _ = oracle.precision_recall_curve(label, score)  # ascending thresholds
        strictest = np.flatnonzero(recall >= at)[-1]
        assert close(ppv["ppv_at_sensitivity"], precision[strictest])
        assert close(ppv["sensitivity"], recall[strictest])


@few
@given(binary_cases, st.sampled_from([0.1, 0.25, 0.5, 0.9]))
def test_net_benefit_is_the_weighted_confusion_matrix(cases: list[tuple[str, float, int]], threshold: float) -> None:
    reference, entry, weight = binary(cases)
    found = outputs("net_benefit", reference, entry, {**SCORE, "threshold": threshold}, weight)
    if not sum(weight):
        assert np.isnan(list(found.values())).all()
        return
    label, score = reference.columns["label"] == "1", entry.columns["score"]
    for name, treated in (("net_benefit", score >= threshold), ("treat_all", score >= 0), ("treat_none", score > 1)):
        matrix = oracle.confusion_matrix(label, treated, labels=[False, True], sample_weight=weight)
        (_, false), (_, true) = matrix / sum(weight)
        assert close(found[name], true - false * threshold / (1 - threshold))
