"""How many decimals people other than organisers are shown."""

from __future__ import annotations

import math

DEFAULT = 4
LARGEST = 6


def decimals(half_width: float | None) -> int:
    """Decimals that show a tenth of the baseline interval's half-width (design §9); 4 without an interval."""
    if half_width is None or half_width <= 0:
        return DEFAULT
    return min(max(math.ceil(-math.log10(half_width / 10)), 0), LARGEST)


def shown(value: float | None, places: int | None) -> float | None:
    """`value` rounded to `places` decimals; None stays None."""
    return None if value is None else round(value, DEFAULT if places is None else places)
