"""The simulation of coverage at smoke size."""

from __future__ import annotations

import pytest

from tests.bench import coverage

pytestmark = pytest.mark.slow


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Twelve sets are no simulation: only what would be plainly wrong is told apart from chance."""
    (report,) = coverage.run(smoke=True)
    assert {row.made for row in report.covered if row.method != "delong"} == {12}
    assert all(row.held >= 7 for row in report.covered if row.method == report.chosen[row.name])
