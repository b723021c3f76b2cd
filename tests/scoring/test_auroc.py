"""AUROC by hand: pairs of a positive and a negative, ties half, missing as bad as can be."""

import numpy as np
import pytest

from scoring.metric import ReferenceRefused
from scoring.metrics.auroc import auroc
from tests.scoring.builders import table, value

PARAMS = {"label": "label", "score": "score", "positive": "1"}


def area(label: str, score: list[float], missing: list[bool] | None = None) -> float:
    return value(auroc, table({"label": list(label)}), table({"score": score}, missing=missing), PARAMS)


def test_share_of_pairs_in_the_right_order_and_ties_half() -> None:
    assert area("0011", [0.1, 0.4, 0.35, 0.8]) == 0.75
    assert area("01", [0.5, 0.5]) == 0.5
    assert area("0011", [0.2, 0.5, 0.5, 0.5]) == 0.75
    assert area("10", [0.1, 0.9]) == 0.0


def test_the_direction_is_never_flipped() -> None:
    assert area("1100", [0.1, 0.2, 0.3, 0.4]) == 0.0


def test_one_class_has_no_area() -> None:
    assert np.isnan(area("111", [0.1, 0.2, 0.3]))
    assert np.isnan(area("000", [0.1, 0.2, 0.3]))
    assert auroc.card.reason("auroc") == "one-class"


def test_a_missing_case_has_the_worst_possible_score() -> None:
    nan = float("nan")
    assert area("0011", [0.1, 0.2, 0.8, nan], [False, False, False, True]) == 0.5
    assert area("0011", [nan, 0.2, 0.8, 0.9], [True, False, False, False]) == 0.5
    assert area("0011", [nan] * 4, [True] * 4) == 0.0
    lowest = min(area("0011", [0.1, 0.2, 0.8, score]) for score in (-9.0, 0.15, 0.5, 9.0))
    assert area("0011", [0.1, 0.2, 0.8, nan], [False, False, False, True]) == lowest


def test_monotone_changes_of_the_score_change_nothing() -> None:
    score = np.random.default_rng(0).normal(size=200)
    label = "".join(np.random.default_rng(1).choice(["0", "1"], 200))
    assert area(label, score.tolist()) == area(label, np.exp(score).tolist()) == area(label, (score * 1e-300).tolist())


def test_the_last_bit_of_a_score_counts() -> None:
    assert area("01", [0.1, np.nextafter(0.1, 1)]) == 1.0


def test_numbers_in_the_reference_are_labels_as_written() -> None:
    entry = table({"score": [0.2, 0.9]})
    assert value(auroc, table({"label": np.array([0, 1])}), entry, PARAMS) == 1.0
    assert value(auroc, table({"label": np.array([0.0, 1.0])}), entry, PARAMS) == 1.0


def test_a_reference_without_the_column_or_with_empty_labels_is_refused() -> None:
    entry = table({"score": [0.2, 0.9]})
    with pytest.raises(ReferenceRefused, match="no column 'label': it has truth"):
        auroc.tabulate(table({"truth": ["0", "1"]}), entry, PARAMS)
    with pytest.raises(ReferenceRefused, match="'label' of the reference is empty in 1 of 2 rows"):
        auroc.tabulate(table({"label": ["0", ""]}), entry, PARAMS)
