"""The line of logistic recalibration against scikit-learn's unpenalised regression, with whole-number weights."""

import warnings

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from tests.oracles.test_scikit_learn import SCORE, outputs, weights
from tests.scoring.builders import table

PARAMS = {**SCORE, "eps": 1e-8}
chances = st.sampled_from([0.0, 0.05, 0.2, 0.5, 0.6, 0.9, 1.0])
chance_cases = st.lists(st.tuples(st.sampled_from("01"), chances, weights), min_size=1, max_size=30)


def line(logit: NDArray[np.float64], true: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and intercept, on the logit in tens: so near 1 the oracle's own tolerance does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12, max_iter=500)
        made = model.fit(logit[:, np.newaxis] / 10, true)
    return float(made.coef_[0, 0]) / 10, float(made.intercept_[0])


def parted(logit: NDArray[np.float64], true: NDArray[np.bool_]) -> bool:
    low, high = logit[~true], logit[true]
    return not (low.size and high.size and low.max() > high.min() and high.max() > low.min())


@settings(max_examples=40, deadline=None, derandomize=True)
@given(chance_cases)
def test_slope_intercept_and_gain(cases: list[tuple[str, float, int]]) -> None:
    label, chance, weight = zip(*cases, strict=True)
    found = outputs("calibration", table({"label": list(label)}), table({"score": list(chance)}), PARAMS, weight)
    true, given_to = np.repeat(np.array(label) == "1", weight), np.repeat(chance, weight)
    clipped = np.clip(given_to, 1e-8, 1 - 1e-8)
    logit = np.log(clipped / (1 - clipped))
    if parted(logit, true):
        assert np.isnan([found["slope"], found["intercept"], found["calibration"]]).all()
        return
    slope, intercept = line(logit, true)
    np.testing.assert_allclose([found["slope"], found["intercept"]], [slope, intercept], rtol=1e-6, atol=1e-7)
    better = 1 / (1 + np.exp(-(intercept + slope * logit)))
    gain = log_loss(true, clipped) - log_loss(true, better)
    np.testing.assert_allclose(found["calibration"], gain, rtol=1e-6, atol=1e-9)


def test_many_cases_and_many_resamples_against_one_fit_each() -> None:
    rng = np.random.default_rng(0)
    logit = rng.normal(-1, 2, 2000)
    true = rng.random(2000) < 1 / (1 + np.exp(-(0.3 + 0.6 * logit)))
    chance = 1 / (1 + np.exp(-logit))
    for _ in range(5):
        weight = rng.integers(0, 4, 2000)
        found = outputs(
            "calibration",
            table({"label": true.astype(int).astype(str)}),
            table({"score": chance}),
            PARAMS,
            weight.tolist(),
        )
        expected = line(np.repeat(logit, weight), np.repeat(true, weight))
        np.testing.assert_allclose([found["slope"], found["intercept"]], expected, rtol=1e-7)
