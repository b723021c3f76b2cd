"""Cohen's kappa by hand: weights by the declared order, missing cases, and where it is undefined."""

import numpy as np

from scoring.metrics.cohen_kappa import cohen_kappa
from tests.scoring.builders import table, value

GRADES = ["0", "1", "2", "3", "4"]


def kappa(truth: str, given: str, weights: str, *, labels: list[str] | None = None, missing: str = "") -> float:
    params = {"label": "label", "prediction": "answer", "labels": labels or GRADES, "weights": weights}
    absent = [mark == "m" for mark in missing] or None
    return value(cohen_kappa, table({"label": list(truth)}), table({"answer": list(given)}, missing=absent), params)


def test_plain_kappa_is_agreement_beyond_chance() -> None:
    assert kappa("0011", "0011", "none") == 1.0
    assert kappa("0011", "0111", "none") == 0.5
    assert kappa("0011", "0000", "none") == 0.0
    assert kappa("0011", "1100", "none") == -1.0


def test_distances_are_between_declared_labels_even_where_some_do_not_occur() -> None:
    """Grades 0, 1, 4 of five: by the places of those that occur it would be 0.75."""
    assert kappa("001144", "001441", "quadratic") == 1 - 6 * (9 + 9) / (2 * 4 * (1 + 9 + 16))


def test_linear_and_quadratic_cost_more_the_farther_off() -> None:
    near, far = kappa("0123", "1123", "quadratic"), kappa("0123", "3123", "quadratic")
    assert near > far
    assert kappa("01", "10", "linear", labels=["0", "1"]) == kappa("01", "10", "none", labels=["0", "1"]) == -1.0


def test_undefined_where_nothing_but_agreement_can_be_expected() -> None:
    assert np.isnan(kappa("000", "000", "none"))
    assert np.isnan(kappa("", "", "quadratic"))
    assert cohen_kappa.card.reason("cohen_kappa") == "one-label"
    assert kappa("000", "111", "none") == 0.0


def test_a_missing_case_counts_as_the_farthest_label_and_the_first_of_several() -> None:
    for weights in ("linear", "quadratic"):
        assert kappa("01234", "0123 ", weights, missing="....m") == kappa("01234", "01230", weights)
        assert kappa("01234", "01 34", weights, missing="..m..") == kappa("01234", "01034", weights)
    assert kappa("01234", " 1234", "none", missing="m....") == kappa("01234", "11234", "none")


def test_an_answer_outside_the_labels_is_the_worst_one_too() -> None:
    assert kappa("01234", "01239", "quadratic") == kappa("01234", "01230", "quadratic")
