"""Brier score by hand."""

import numpy as np

from scoring.metrics.brier import brier
from tests.scoring.builders import index, table, value

BINARY = {"label": "label", "score": "p", "positive": "1"}
MANY = {"label": "label", "probabilities": {"a": "pa", "b": "pb"}}


def test_binary_is_the_squared_distance_and_a_missing_case_costs_1() -> None:
    reference = table({"label": ["1", "0"]})
    assert value(brier, reference, table({"p": [0.5, 0.25]}), BINARY) == (0.25 + 0.0625) / 2
    assert value(brier, reference, table({"p": [1.0, np.nan]}, missing=[0, 1]), BINARY) == 0.5


def test_several_labels_sum_over_all_and_a_missing_case_costs_2() -> None:
    reference = table({"label": ["a", "b"]})
    assert value(brier, reference, table({"pa": [0.5, 1.0], "pb": [0.5, 0.0]}), MANY) == (0.5 + 2.0) / 2
    entry = table({"pa": [1.0, np.nan], "pb": [0.0, np.nan]}, missing=[0, 1])
    assert value(brier, reference, entry, MANY) == 1.0


def test_the_same_checks_as_for_log_loss() -> None:
    assert [issue.code for issue in brier.validate(index(1), table({"pa": [0.9], "pb": [0.2]}), MANY)] == ["E-PROB-SUM"]
