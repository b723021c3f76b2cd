"""Twelve significant digits, the same alone and in an array."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.rounding import round12


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (0.1 + 0.2, 0.3),
        (1 / 3, 0.333333333333),
        (-2 / 3, -0.666666666667),
        (0.99999999999995, 1.0),
        (123456789012345678.0, 123456789012000000.0),
        (1.23456789012345e-200, 1.23456789012e-200),
        (1.23456789012345e250, 1.23456789012e250),
        (5e-324, 5e-324),
        (0.0, 0.0),
        (math.inf, math.inf),
        (-math.inf, -math.inf),
    ],
)
def test_values(value: float, rounded: float) -> None:
    assert round12(value) == rounded
    assert round12(np.array([value])).tolist() == [rounded]


def test_zero_has_no_sign_and_nan_stays() -> None:
    assert math.copysign(1, round12(-0.0)) == 1
    assert math.isnan(round12(math.nan))
    assert np.isnan(round12(np.array([math.nan])))[0]


def test_shape_is_kept_and_the_argument_too() -> None:
    values = np.array([[1 / 3, np.nan], [np.inf, 2e-30 / 3]])
    before = values.copy()
    assert np.array_equal(
        round12(values), np.array([[0.333333333333, np.nan], [np.inf, 6.66666666667e-31]]), equal_nan=True
    )
    assert np.array_equal(values, before, equal_nan=True)
    assert round12(np.zeros((0, 3))).shape == (0, 3)


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=20))
def test_rounding_twice_changes_nothing_and_each_is_rounded_as_alone(values: list[float]) -> None:
    once = round12(np.array(values))
    assert round12(once).tolist() == once.tolist()
    assert once.tolist() == [round12(value) for value in values]
    for value, rounded in zip(values, once.tolist(), strict=True):
        if math.isfinite(value) and abs(value) < 1e300:
            assert abs(value - rounded) <= abs(value) * 5.1e-12
            assert float(f"{rounded:.11e}") == rounded
