"""Net benefit by hand, beside treating everybody and nobody."""

import numpy as np
import pytest

from scoring.metrics.net_benefit import net_benefit
from scoring.params import check_params
from tests.scoring.builders import index, spec, table

PARAMS = {"label": "label", "score": "risk", "positive": "1", "threshold": 0.2}


def found(truth: str, risks: list[float], threshold: float = 0.2, missing: str = "") -> list[float]:
    absent = [mark == "m" for mark in missing] or None
    reference, entry = table({"label": list(truth)}), table({"risk": np.array(risks, dtype=float)}, missing=absent)
    made = net_benefit.tabulate(reference, entry, {**PARAMS, "threshold": threshold})
    values: list[float] = net_benefit.aggregate(made, np.ones((1, made.n_cases)))[0].tolist()
    return values


def test_a_false_positive_costs_the_odds_of_the_threshold() -> None:
    """Ten cases: TP 3, FP 2, FN 1. At 0.2 four needless treatments weigh as much as one needed."""
    risks = [0.9, 0.5, 0.2, 0.1, 0.8, 0.2, 0.1, 0.0, 0.1, 0.19]
    assert found("1111000000", risks) == [(3 - 2 * 0.25) / 10, (4 - 6 * 0.25) / 10, 0.0]


def test_a_perfect_entry_has_the_prevalence_and_treating_all_may_be_less_than_nothing() -> None:
    assert found("1000", [1.0, 0.0, 0.0, 0.0], 0.5) == [0.25, (1 - 3) / 4, 0.0]
    assert found("1000", [1.0] * 4, 0.5) == [-0.5, -0.5, 0.0]
    assert found("1000", [0.0] * 4, 0.5) == [0.0, -0.5, 0.0]


def test_a_missing_case_is_a_wrong_decision() -> None:
    assert found("1100", [np.nan, 0.9, np.nan, 0.1], missing="m.m.") == found("1100", [0.0, 0.9, 1.0, 0.1])


def test_it_is_the_mean_of_what_each_decision_is_worth() -> None:
    reference, entry = table({"label": list("1010")}), table({"risk": [0.9, 0.9, 0.1, 0.1]})
    made = net_benefit.tabulate(reference, entry, PARAMS)
    assert net_benefit.case_values(made).tolist() == [1.0, -0.25, 0.0, 0.0]
    assert np.isnan(net_benefit.aggregate(made, np.zeros((1, 4)))).all()
    assert net_benefit.card.reason("net_benefit") == "no-cases"


def test_what_is_no_probability_is_told() -> None:
    (issue,) = net_benefit.validate(index(3), table({"risk": [0.5, 1.5, 0.0]}), PARAMS)
    assert (issue.code, issue.column, issue.value) == ("E-RANGE", "risk", "1.5")


@pytest.mark.parametrize(("threshold", "told"), [(0, "above 0, not 0"), (1, "below 1, not 1"), (2, "below 1, not 2")])
def test_the_threshold_is_a_probability_with_odds(threshold: float, told: str) -> None:
    assert check_params(net_benefit.card, {**PARAMS, "threshold": threshold}, spec(risk="probability")) == [
        f"parameter threshold of net_benefit must be {told}"
    ]
