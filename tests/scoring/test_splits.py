"""Splits by value and by share."""

from functools import partial

import numpy as np
import pytest

from scoring.issues import IssueLog
from scoring.spec import SplitSpec
from scoring.splits import check_splits, split_by_share, split_by_value

PUBLIC, PRIVATE = SplitSpec("public", "live", value="1"), SplitSpec("private", "after_close", value="2")


def test_by_value() -> None:
    log = IssueLog()
    codes = split_by_value(
        ["2", "1", "3"], (PUBLIC, PRIVATE), ids=["a", "b", "c"], tell=partial(log.add, table="cases")
    )
    assert codes.tolist() == [1, 0, -1]
    (issue,) = log.errors
    assert (issue.code, issue.value, issue.fields) == ("E-SPLIT-VALUE", "3", {"case": "c", "expected": "1, 2"})


def test_a_share_left_open_is_the_rest() -> None:
    splits = (SplitSpec("public", "live", share=0.25), SplitSpec("private", "after_close"))
    codes = split_by_share(np.arange(8), 8, splits, seed=3)
    assert np.bincount(codes).tolist() == [2, 6]
    alone = split_by_share(np.arange(3), 3, (SplitSpec("all", "live"),), seed=3)
    assert alone.tolist() == [0, 0, 0]


def test_shares_that_do_not_sum_to_one() -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        split_by_share(np.arange(3), 3, (SplitSpec("a", "live", share=0.3), SplitSpec("b", "live", share=0.3)), seed=1)
    with pytest.raises(ValueError, match="at most one split"):
        split_by_share(np.arange(3), 3, (SplitSpec("a", "live"), SplitSpec("b", "live")), seed=1)


def test_cases_of_a_cluster_stay_together() -> None:
    cluster = np.array([0, 1, 2, 3, 3, 2, 1, 0, 0])
    codes = split_by_share(cluster, 4, (SplitSpec("a", "live", share=0.5), SplitSpec("b", "live", share=0.5)), seed=9)
    assert all(len(set(codes[cluster == k].tolist())) == 1 for k in range(4))


def test_divided_clusters_and_empty_splits_are_told() -> None:
    log = IssueLog()
    splits = (PUBLIC, PRIVATE, SplitSpec("other", "never", value="3"))
    codes, cluster = np.array([0, 1, 1, -1]), np.array([0, 0, 1, 1])
    check_splits(codes, cluster, splits=splits, cluster_ids=["p", "q"], tell=partial(log.add, table="cases"))
    assert [(issue.code, issue.value, dict(issue.fields)) for issue in log.errors] == [
        ("E-SPLIT-EMPTY", "other", {}),
        ("E-SPLIT-CLUSTER", "p", {"first": "public", "second": "private"}),
    ]
