"""Log loss by hand, and what is wrong with probabilities before any score."""

import math

import numpy as np
import pytest

from scoring.issues import Issue
from scoring.metric import ReferenceRefused
from scoring.metrics.log_loss import log_loss
from tests.scoring.builders import index, table, value

BINARY = {"label": "label", "score": "p", "positive": "1", "eps": 1e-15}
MANY = {"label": "label", "probabilities": {"a": "pa", "b": "pb"}, "eps": 1e-15}


def test_mean_of_minus_log_of_the_probability_of_the_truth() -> None:
    entry = table({"p": [0.5, 0.25]})
    assert value(log_loss, table({"label": ["1", "0"]}), entry, BINARY) == (-math.log(0.5) - math.log(0.75)) / 2
    several = table({"pa": [0.5, 0.2], "pb": [0.5, 0.8]})
    assert value(log_loss, table({"label": ["a", "b"]}), several, MANY) == (-math.log(0.5) - math.log(0.8)) / 2


def test_probability_zero_and_a_missing_case_cost_the_same_and_not_infinity() -> None:
    reference = table({"label": ["1"]})
    zero = value(log_loss, reference, table({"p": [0.0]}), BINARY)
    missing = value(log_loss, reference, table({"p": [np.nan]}, missing=[True]), BINARY)
    assert zero == missing == -math.log(1e-15)


def test_a_label_without_probability_is_refused() -> None:
    with pytest.raises(ReferenceRefused, match="holds 'c', none of the declared labels"):
        log_loss.tabulate(table({"label": ["c"]}), table({"pa": [0.5], "pb": [0.5]}), MANY)


def test_probabilities_outside_0_to_1_are_told_each() -> None:
    found = log_loss.validate(index(3), table({"p": [-0.5, 0.5, 87.0]}), BINARY)
    assert [(issue.code, issue.column, issue.value, issue.fields["case"]) for issue in found] == [
        ("E-RANGE", "p", "-0.5", "c00000"),
        ("E-RANGE", "p", "87", "c00002"),
    ]


def test_probabilities_must_sum_to_1_within_a_thousandth() -> None:
    entry = table({"pa": [0.5, 0.5, 0.5, np.nan], "pb": [0.5, 0.501, 0.502, np.nan]}, missing=[0, 0, 0, 1])
    assert log_loss.validate(index(4), entry, MANY) == [
        Issue("E-PROB-SUM", value="1.002", fields={"case": "c00002"}),
    ]


def test_a_case_out_of_range_is_not_also_told_for_its_sum() -> None:
    found = log_loss.validate(index(1), table({"pa": [1.5], "pb": [0.5]}), MANY)
    assert [issue.code for issue in found] == ["E-RANGE"]
