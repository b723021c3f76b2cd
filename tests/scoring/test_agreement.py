"""R², Lin's concordance and Spearman's correlation by hand."""

from dataclasses import replace

import numpy as np
import pytest

from scoring.metric import ParamsRefused, ReferenceRefused
from scoring.metrics.agreement import Agreement, ccc, r2, spearman
from scoring.params import check_params
from scoring.rounding import round12
from tests.scoring.builders import index, spec, table, value

PARAMS = {"label": "size", "value": "guess"}
EVERY = pytest.mark.parametrize("metric", [r2, ccc, spearman], ids=lambda metric: metric.card.key)


def found(metric: Agreement, true: list[float], guess: list[float]) -> float:
    return round12(value(metric, table({"size": np.array(true)}), table({"guess": np.array(guess)}), PARAMS))


def test_r2_is_the_squared_error_beside_that_of_the_mean() -> None:
    assert found(r2, [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 5.0]) == 1 - 1 / 5
    assert found(r2, [1.0, 2.0, 3.0, 4.0], [2.5] * 4) == 0.0
    assert found(r2, [1.0, 2.0, 3.0, 4.0], [11.0, 12.0, 13.0, 14.0]) == 1 - 400 / 5


def test_ccc_counts_a_shift_and_another_scale_against_the_entry() -> None:
    """Of 1, 2, 3: variance 2/3."""
    assert found(ccc, [1.0, 2.0, 3.0], [2.0, 3.0, 4.0]) == round12(2 * 2 / 3 / (2 / 3 + 2 / 3 + 1))
    assert found(ccc, [1.0, 2.0, 3.0], [2.0, 4.0, 6.0]) == round12(2 * 4 / 3 / (2 / 3 + 8 / 3 + 4))
    assert found(ccc, [1.0, 2.0, 3.0], [3.0, 2.0, 1.0]) == -1.0
    assert found(ccc, [1.0, 2.0, 3.0], [9.0, 9.0, 9.0]) == 0.0
    assert found(ccc, [5.0, 5.0], [6.0, 6.0]) == 0.0


def test_spearman_of_equal_numbers_takes_the_middle_of_their_ranks() -> None:
    assert found(spearman, [1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 3e5, 4e9]) == 1.0
    assert found(spearman, [1.0, 2.0, 3.0], [3.0, 2.0, 1.0]) == -1.0
    assert found(spearman, [1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 2.0, 2.0]) == round12(4 / np.sqrt(5 * 4))


def test_a_weight_holds_so_many_places_of_the_ranking() -> None:
    """Ranks of the different cases, weighted, would give another value."""
    true, guess, weight = [1.0, 2.0, 3.0], [2.0, 1.0, 3.0], [1, 5, 1]
    made = spearman.tabulate(table({"size": true}), table({"guess": guess}), PARAMS)
    weighted = round12(float(spearman.aggregate(made, np.array([weight]))[0, 0]))
    assert weighted == found(spearman, np.repeat(true, weight).tolist(), np.repeat(guess, weight).tolist())


@EVERY
def test_perfect_is_1_and_so_it_is_far_from_0(metric: Agreement) -> None:
    assert found(metric, [0.1, 0.2, 0.4], [0.1, 0.2, 0.4]) == 1.0
    far = [1e9 + 0.25, 1e9 + 0.5, 1e9 + 1]
    assert found(metric, far, far) == 1.0
    assert abs(found(metric, [1e100, -1e100, 0.0], [1e100, -1e100, 0.0])) == 1.0


def test_undefined_where_nothing_varies_though_a_mean_of_it_would_round() -> None:
    same, other = [0.1] * 3, [0.1, 0.2, 0.3]
    assert np.isnan([found(r2, same, other), found(r2, same, same), found(r2, [1.0], [1.0])]).all()
    assert np.isnan([found(ccc, same, same), found(spearman, same, other), found(spearman, other, same)]).all()
    reasons = [metric.card.reason(metric.card.key) for metric in (r2, ccc, spearman)]
    assert reasons == ["constant-truth", "constant-numbers", "constant-numbers"]


@EVERY
def test_no_cases(metric: Agreement) -> None:
    assert np.isnan(found(metric, [], []))


@EVERY
def test_a_missing_case_counts_as_the_declared_answer(metric: Agreement) -> None:
    reference = table({"size": [1.0, 2.0, 4.0]})
    entry = table({"guess": [1.5, np.nan, 3.0]}, missing=[0, 1, 0])
    answered = table({"guess": [1.5, -10.0, 3.0]})
    assert value(metric, reference, entry, {**PARAMS, "stand_in": -10}) == value(metric, reference, answered, PARAMS)
    with pytest.raises(ParamsRefused, match="the parameter 'stand_in' does not say"):
        metric.tabulate(reference, entry, PARAMS)
    (told,) = check_params(metric.card, PARAMS, replace(spec(guess="number"), missing="worst"))
    assert told.startswith(f"{metric.card.key} needs the parameter 'stand_in', since table answers takes entries with")


@EVERY
def test_numbers_whose_squares_cannot_be_summed(metric: Agreement) -> None:
    (issue,) = metric.validate(index(2), table({"guess": [2e100, 0.0]}), PARAMS)
    assert (issue.code, issue.column) == ("E-RANGE", "guess")
    with pytest.raises(ReferenceRefused, match="holds numbers beyond"):
        metric.tabulate(table({"size": [2e100]}), table({"guess": [0.0]}), PARAMS)
