"""Average precision by hand: steps at each score, ties together, missing as bad as can be."""

import numpy as np
import pytest

from scoring.metric import ReferenceRefused
from scoring.metrics.average_precision import average_precision
from tests.scoring.builders import table, value

PARAMS = {"label": "label", "score": "score", "positive": "1"}
NAN = float("nan")


def average(label: str, score: list[float], missing: list[bool] | None = None) -> float:
    return value(average_precision, table({"label": list(label)}), table({"score": score}, missing=missing), PARAMS)


def test_precision_where_recall_is_gained() -> None:
    assert average("0011", [0.1, 0.4, 0.35, 0.8]) == (1 + 2 / 3) / 2
    assert average("01", [0.1, 0.9]) == 1.0
    assert average("10", [0.1, 0.9]) == 0.5


def test_steps_are_not_interpolated() -> None:
    """scikit-learn and the trapezoid of MetricsReloaded differ on these; the step sum is the former."""
    assert average("110100", [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]) == (1 + 1 + 3 / 4) / 3


def test_equal_scores_are_one_threshold_in_whatever_order() -> None:
    assert average("10", [0.5, 0.5]) == average("01", [0.5, 0.5]) == 0.5
    assert average("1000", [0.5] * 4) == 0.25
    assert average("0110", [0.9, 0.5, 0.5, 0.5]) == 0.5
    assert average("1100", [0.9, 0.5, 0.5, 0.1]) == (1 + 2 / 3) / 2


def test_undefined_without_positives_and_one_without_negatives() -> None:
    assert np.isnan(average("000", [0.1, 0.2, 0.3]))
    assert average_precision.card.reason("average_precision") == "no-positives"
    assert average("111", [0.1, 0.2, 0.3]) == 1.0


def test_a_missing_case_has_the_worst_possible_score() -> None:
    assert average("0011", [0.1, 0.2, 0.8, NAN], [False, False, False, True]) == (1 + 2 / 4) / 2
    assert average("0011", [NAN, 0.2, 0.8, 0.9], [True, False, False, False]) == (1 / 2 + 2 / 3) / 2
    assert average("0011", [NAN] * 4, [True] * 4) == 0.5


def test_a_weight_is_the_case_so_many_times() -> None:
    made = average_precision.tabulate(table({"label": list("101")}), table({"score": [0.9, 0.6, 0.3]}), PARAMS)
    found = average_precision.aggregate(made, np.array([[1, 2, 1], [0, 1, 1], [0, 1, 0]]))
    assert found[:2].tolist() == [[(1 + 2 / 4) / 2], [0.5]]
    assert np.isnan(found[2, 0])


def test_a_reference_without_the_column_is_refused() -> None:
    with pytest.raises(ReferenceRefused, match="no column 'label': it has truth"):
        average_precision.tabulate(table({"truth": ["0"]}), table({"score": [0.2]}), PARAMS)
