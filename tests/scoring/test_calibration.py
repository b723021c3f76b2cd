"""Calibration by hand: probabilities whose right line is known, and where there is none."""

import numpy as np
import pytest

from scoring.metrics.calibration import calibration
from scoring.params import check_params
from scoring.rounding import round12
from tests.scoring.builders import index, spec, table

PARAMS = {"label": "label", "score": "p", "positive": "1", "eps": 1e-8}
OUTPUTS = ("calibration", "slope", "intercept", "in_the_large", "observed_expected")
#: Of 5 cases at 0.2 one is positive, of 4 at 0.5 two, of 5 at 0.8 four.
TRUTH, RIGHT = "10000" + "1100" + "11110", np.repeat([0.2, 0.5, 0.8], [5, 4, 5])


def found(truth: str, given: object, missing: list[bool] | None = None) -> dict[str, float]:
    reference, entry = table({"label": list(truth)}), table({"p": np.array(given, dtype=float)}, missing=missing)
    made = calibration.tabulate(reference, entry, PARAMS)
    return dict(zip(OUTPUTS, calibration.aggregate(made, np.ones((1, made.n_cases)))[0].tolist(), strict=True))


def off(right: np.ndarray[tuple[int], np.dtype[np.float64]], slope: float, intercept: float) -> object:
    """Probabilities that are right after slope and intercept."""
    return 1 / (1 + np.exp(-(np.log(right / (1 - right)) - intercept) / slope))


def test_probabilities_that_come_true_have_slope_1_and_intercept_0_and_nothing_to_gain() -> None:
    values = found(TRUTH, RIGHT)
    assert [abs(values[name]) for name in OUTPUTS[:4]] == [0.0, 1.0, 0.0, 0.0]
    assert round12(values["observed_expected"]) == 1.0


@pytest.mark.parametrize(("slope", "intercept"), [(0.5, 0.0), (2.0, 0.0), (1.0, 0.75), (0.25, -1.5), (-1.0, 0.5)])
def test_the_line_that_makes_them_right_is_found(slope: float, intercept: float) -> None:
    values = found(TRUTH, off(RIGHT, slope, intercept))
    assert (round(values["slope"], 9), round(values["intercept"], 9)) == (slope, intercept)
    assert values["calibration"] > 0.0
    if slope == 1.0:
        assert round(values["in_the_large"], 9) == intercept


def test_what_is_gained_is_log_loss() -> None:
    given = np.asarray(off(RIGHT, 0.5, 0.3))
    true = np.array([mark == "1" for mark in TRUTH])
    losses = [-np.log(np.where(true, p, 1 - p)).mean() for p in (given, RIGHT)]
    assert found(TRUTH, given)["calibration"] == round(losses[0] - losses[1], 10)


def test_one_class_has_observed_and_expected_only() -> None:
    for truth in ("1111", "0000"):
        values = found(truth, [0.2, 0.5, 0.5, 0.8])
        assert np.isnan([values[name] for name in OUTPUTS[:4]]).all()
        assert values["observed_expected"] == int(truth[0]) * 4 / 2


@pytest.mark.parametrize("given", [[0.1, 0.2, 0.8, 0.9], [0.9, 0.8, 0.2, 0.1], [0.1, 0.5, 0.5, 0.9], [0.3] * 4])
def test_no_line_where_one_probability_parts_the_classes_or_all_are_the_same(given: list[float]) -> None:
    values = found("0011", given)
    assert np.isnan([values[name] for name in OUTPUTS[:3]]).all()
    assert np.isfinite([values["in_the_large"], values["observed_expected"]]).all()


def test_extreme_probabilities_are_clipped_and_still_have_a_line() -> None:
    values = found("001011", [0.0, 1.0, 0.0, 0.0, 1.0, 1.0])
    assert round(values["slope"], 8) == round(2 * np.log(2) / (2 * np.log((1 - 1e-8) / 1e-8)), 8)
    assert round(values["intercept"], 8) == 0.0
    assert np.isfinite(found("01" * 500, np.r_[0.0, 1.0, 0.6, 0.4, np.full(996, 0.5)])["slope"])


def test_a_missing_case_is_as_wrong_as_can_be() -> None:
    given, missing = [np.nan, 0.6, 0.4, 0.2, 0.9, np.nan], [True, False, False, False, False, True]
    assert found("110010", given, missing) == found("110010", [0.0, 0.6, 0.4, 0.2, 0.9, 1.0])


def test_nothing_expected_and_nothing_at_all() -> None:
    assert np.isnan(found("0101", [0.0] * 4)["observed_expected"])
    assert np.isnan(list(found("", []).values())).all()
    reasons = [calibration.card.reason(output) for output in OUTPUTS]
    assert reasons == ["not-fitted", "not-fitted", "not-fitted", "one-class", "nothing-expected"]


def test_what_is_no_probability_is_told_and_eps_is_small() -> None:
    (issue,) = calibration.validate(index(2), table({"p": [0.5, -0.1]}), PARAMS)
    assert (issue.code, issue.column, issue.value) == ("E-RANGE", "p", "-0.1")
    assert check_params(calibration.card, {**PARAMS, "eps": 0.5}, spec(p="probability")) == [
        "parameter eps of calibration must be below 0.5, not 0.5"
    ]
