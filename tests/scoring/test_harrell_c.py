"""Harrell's concordance by hand: ties of times and risks, censoring, direction, missing cases."""

import numpy as np
import pytest

import scoring.metrics.harrell_c
from scoring.metric import ReferenceRefused
from scoring.metrics.harrell_c import harrell_c
from tests.scoring.builders import table, value

PARAMS = {"time": "days", "event": "died", "came": "1", "score": "risk", "higher": "risk"}


def found(days: list[float], died: str, risk: list[float], missing: str = "", higher: str = "risk") -> float:
    absent = [mark == "m" for mark in missing] or None
    reference = table({"days": np.array(days, dtype=float), "died": np.array(list(died), dtype=str)})
    entry = table({"risk": np.array(risk, dtype=float)}, missing=absent)
    return value(harrell_c, reference, entry, {**PARAMS, "higher": higher})


def test_the_higher_risk_has_the_earlier_event() -> None:
    assert found([1, 2, 3], "111", [3, 2, 1]) == 1.0
    assert found([1, 2, 3], "111", [1, 2, 3]) == 0.0
    assert found([1, 2, 3], "111", [3, 1, 2]) == 2 / 3
    assert found([1, 2, 3], "111", [1, 2, 3], higher="survival") == 1.0


def test_equal_risks_count_half() -> None:
    assert found([1, 2, 3], "111", [5, 5, 5]) == 0.5
    assert found([1, 2, 3], "111", [5, 5, 1]) == 2.5 / 3


def test_a_censored_case_is_compared_with_earlier_events_only() -> None:
    assert found([1, 2, 3], "101", [3, 9, 1]) == 1 / 2
    assert np.isnan(found([1, 2, 3], "001", [3, 9, 1]))
    assert found([1, 2, 3], "010", [9, 3, 1]) == 1.0


def test_of_equal_times_an_event_and_a_censoring_are_compared_and_two_events_are_not() -> None:
    assert found([2, 2], "10", [5, 1]) == found([2, 2], "01", [1, 5]) == 1.0
    assert found([2, 2], "10", [1, 5]) == 0.0
    assert np.isnan(found([2, 2], "11", [5, 1]))
    assert np.isnan(found([2, 2], "00", [5, 1]))


def test_a_missing_case_loses_every_pair() -> None:
    assert found([1, 2, 3], "111", [np.nan, 2, 1], "m..") == 1 / 3
    assert found([1, 2, 3], "111", [3, 2, np.nan], "..m") == 1 / 3
    assert found([1, 2, 3], "111", [3, np.nan, 1], ".m.", "survival") == 0.0
    assert found([1, 2, 3], "111", [np.nan] * 3, "mmm") == 0.0


def test_undefined_without_pairs() -> None:
    assert np.isnan([found([], "", []), found([1], "1", [1]), found([1, 2], "00", [2, 1])]).all()
    assert harrell_c.card.reason("harrell_c") == "no-pairs"


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    days, died, risk = rng.integers(0, 12, 200) * 1.0, rng.choice(["0", "1"], 200), rng.integers(0, 9, 200)
    params = (days.tolist(), "".join(died), risk.tolist())
    whole = found(*params)
    for events, near in ((1, 1), (3, 7), (64, 5), (200, 10**6)):
        monkeypatch.setattr(scoring.metrics.harrell_c, "_EVENTS", events)
        monkeypatch.setattr(scoring.metrics.harrell_c, "_NEAR", near)
        assert found(*params) == whole


def test_a_time_below_0_is_the_references_fault() -> None:
    with pytest.raises(ReferenceRefused, match="column 'days' of the reference holds a time below 0"):
        found([-1, 2], "11", [1, 2])
