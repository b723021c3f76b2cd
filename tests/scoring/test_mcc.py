"""Matthews correlation coefficient by hand: two and more labels, missing cases, and where it is undefined."""

import numpy as np

from scoring.metrics.mcc import mcc
from scoring.rounding import round12
from tests.scoring.builders import table, value


def found(truth: str, given: str, *, labels: str = "01", missing: str = "") -> float:
    params = {"label": "label", "prediction": "answer", "labels": list(labels)}
    absent = [mark == "m" for mark in missing] or None
    return value(mcc, table({"label": list(truth)}), table({"answer": list(given)}, missing=absent), params)


def test_with_two_labels_it_is_the_phi_coefficient() -> None:
    """TP 3, FN 1, FP 2, TN 4."""
    expected = (3 * 4 - 2 * 1) / np.sqrt((3 + 2) * (3 + 1) * (4 + 2) * (4 + 1))
    assert round12(found("1111000000", "1110110000")) == round12(expected)
    assert found("0011", "0011") == 1.0
    assert found("0011", "1100") == -1.0
    assert found("0011", "0101") == 0.0


def test_more_than_two_labels() -> None:
    """s = 6, c = 5, t = (2, 2, 2), p = (3, 2, 1)."""
    expected = (6 * 5 - (2 * 3 + 2 * 2 + 2 * 1)) / np.sqrt((36 - 14) * (36 - 12))
    assert round12(found("aabbcc", "aabbac", labels="abc")) == round12(expected)
    assert found("aabbcc", "aabbcc", labels="abc") == 1.0


def test_undefined_where_all_truths_or_all_answers_are_one_label() -> None:
    for truth, given in (("000", "001"), ("001", "000"), ("000", "000"), ("000", "111"), ("", "")):
        assert np.isnan(found(truth, given))
    assert mcc.card.reason("mcc") == "constant-labels"


def test_a_missing_case_and_an_answer_outside_the_labels_are_the_first_wrong_label() -> None:
    assert found("abca", "ab a", labels="abc", missing="..m.") == found("abca", "abaa", labels="abc")
    assert found("abca", " bca", labels="abc", missing="m...") == found("abca", "bbca", labels="abc")
    assert found("abca", "abxa", labels="abc") == found("abca", "abaa", labels="abc")


def test_labels_that_do_not_occur_change_nothing() -> None:
    assert found("0110", "0111", labels="01") == found("0110", "0111", labels="0123")
