"""One rounding for every value that is stored or compared: 12 significant digits.

Sums of the same numbers differ in their last bits with the batch they are computed in. Equal means equal after this
rounding, and the rounded value is the one that is kept.
"""

from typing import overload

import numpy as np
from numpy.typing import NDArray

DIGITS = 12
_EXACT = 22  # 10**22 is the largest power of ten that a float64 holds exactly
_POWERS = np.array([float(f"1e{n}") for n in range(_EXACT + 1)])  # np.power need not be exact


@overload
def round12(values: float) -> float: ...
@overload
def round12(values: NDArray[np.float64]) -> NDArray[np.float64]: ...
def round12(values: float | NDArray[np.float64]) -> float | NDArray[np.float64]:
    """Round to 12 significant digits (half to even); a float gives a float, an array of any shape a new array.

    nan, inf and 0 stay as they are (-0.0 becomes 0.0). The result is the float64 nearest to a decimal number of 12
    digits, so rounding twice changes nothing, and a number is rounded alike in an array and alone.
    """
    if isinstance(values, np.ndarray):
        return _rounded(values.astype(np.float64).ravel()).reshape(values.shape)
    return float(_rounded(np.array([values], dtype=np.float64))[0])


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """In place. Dividing a whole number below 2**53 by an exact power of ten rounds once: the nearest decimal."""
    usual = np.isfinite(values) & (values != 0)
    places = np.zeros(values.shape, dtype=np.int64)
    places[usual] = DIGITS - 1 - np.floor(np.log10(np.abs(values[usual]))).astype(np.int64)
    values[values == 0] = 0.0
    far = usual & (np.abs(places) > _EXACT)
    small = usual & ~far & (places >= 0)
    large = usual & ~far & (places < 0)
    up, down = _POWERS[places[small]], _POWERS[-places[large]]
    values[small] = np.rint(values[small] * up) / up
    values[large] = np.rint(values[large] / down) * down
    values[far] = [float(f"{value:.{DIGITS - 1}e}") for value in values[far]]
    return values
