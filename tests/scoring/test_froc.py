"""FROC by hand: hits, excluded findings, missed lesions, and the curve between thresholds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from scoring.metric import ReferenceRefused
from scoring.metrics.froc import froc
from scoring.rounding import round12
from scoring.tables import Table
from tests.scoring.builders import many

PARAMS = {"x": "x", "y": "y", "z": "z", "radius": "r", "score": "score", "rates": [0.5, 1.0, 2.0]}
Row = tuple[float, ...]


def points(rows: Sequence[Row], names: tuple[str, ...], n: int) -> Table:
    """Rows of scan, x, and what `names` say; all lie on the x axis."""
    zeros = np.zeros(len(rows))
    columns = {name: np.array([row[i + 1] for row in rows], dtype=float) for i, name in enumerate(("x", *names))}
    return many([int(row[0]) for row in rows], {**columns, "y": zeros, "z": zeros}, n_cases=n)


def found(lesions: Sequence[Row], candidates: Sequence[Row], n: int = 1, **more: Any) -> list[float]:
    names = ("r", "out") if "excluded" in more else ("r",)
    reference, entry = points(lesions, names, n), points(candidates, ("score",), n)
    made = froc.tabulate(reference, entry, {**PARAMS, **more})
    values: list[float] = round12(froc.aggregate(made, np.ones((1, n))))[0].tolist()
    return values


def test_sensitivity_at_each_rate_and_their_mean() -> None:
    """One scan; by score: hit, false, hit, false, false. The curve goes (0, 0), (0, ½), (1, ½), (1, 1), (2, 1) …"""
    candidates = [(0, 0, 0.9), (0, 50, 0.8), (0, 10, 0.7), (0, 60, 0.6), (0, 70, 0.5)]
    assert found([(0, 0, 3), (0, 10, 3)], candidates) == [round12(2.5 / 3), 0.5, 1.0, 1.0]
    assert froc.outputs(PARAMS) == ("froc", "sensitivity/0.5", "sensitivity/1", "sensitivity/2")


def test_equal_scores_come_in_together_and_the_curve_is_straight_between() -> None:
    candidates = [(0, 0, 0.5), (0, 50, 0.5), (0, 60, 0.5)]
    assert found([(0, 0, 3)], candidates)[1:] == [0.25, 0.5, 1.0]


def test_a_missed_lesion_never_comes_in_however_low_the_threshold() -> None:
    candidates = [(0, 0, 0.9), (0, 50, 0.0), (0, 60, -5.0), (0, 70, -9.0)]
    assert found([(0, 0, 3), (0, 10, 3)], candidates)[1:] == [0.5] * 3
    assert found([(0, 0, 3), (0, 10, 3)], []) == [0.0] * 4


def test_a_hit_lies_within_the_radius_and_the_best_of_several_counts_once() -> None:
    assert found([(0, 0, 3)], [(0, 2.9, 0.1), (0, 1, 0.9), (0, 50, 0.5)])[1:] == [1.0] * 3
    assert found([(0, 0, 3)], [(0, 3.0, 0.9)])[1:] == [0.0] * 3


def test_one_candidate_may_hit_two_lesions() -> None:
    assert found([(0, 0, 3), (0, 4, 3)], [(0, 2, 0.9)])[0] == 1.0


def test_excluded_findings_are_neither_found_nor_missed_nor_falsely_found() -> None:
    lesions, candidates = [(0, 0, 3, 0), (0, 10, 3, 1)], [(0, 10, 0.9), (0, 50, 0.8), (0, 0, 0.7)]
    assert found(lesions, candidates, excluded="out", rates=[0.5, 1.0])[1:] == [0.0, 1.0]
    assert found(lesions[:1], candidates, excluded="out", rates=[0.5, 1.0, 2.0])[1:] == [0.0, 0.0, 1.0]


def test_scans_without_lesions_count_in_the_rate() -> None:
    candidates = [(0, 50, 0.9), (0, 0, 0.8)]
    assert found([(0, 0, 3)], candidates, 1, rates=[0.5, 1.0])[1:] == [0.0, 1.0]
    assert found([(0, 0, 3)], candidates, 2, rates=[0.5, 1.0])[1:] == [1.0, 1.0]


def test_undefined_without_lesions() -> None:
    assert np.isnan(found([], [(0, 1, 0.9)])).all()
    assert np.isnan(found([(0, 0, 3, 1)], [(0, 1, 0.9)], excluded="out")).all()
    assert froc.card.reason("sensitivity/0.5") == "no-truth"


def test_lesions_in_a_plane_and_a_radius_that_is_none() -> None:
    flat = {name: value for name, value in PARAMS.items() if name != "z"}
    made = froc.tabulate(points([(0, 0, 3)], ("r",), 1), points([(0, 1, 0.9)], ("score",), 1), flat)
    assert froc.aggregate(made, np.ones((1, 1)))[0, 0] == 1.0
    with pytest.raises(ReferenceRefused, match="column 'r' of the reference holds a radius that is not above 0"):
        found([(0, 0, 0)], [])
