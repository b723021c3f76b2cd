"""Seeded random numbers that stay the same in every release of numpy.

`random_raw` of PCG64 is fixed; the methods of numpy's Generator may change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


class Stream:
    """Draws from one seed, in order."""

    def __init__(self, seed: int) -> None:
        self.bits = np.random.PCG64(seed)

    def units(self, size: int) -> NDArray[np.float64]:
        """(size,) numbers in [0, 1), 53 bits each."""
        return (self.bits.random_raw(size) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def unit(self) -> float:
        """One number in [0, 1)."""
        return float(self.units(1)[0])

    def between(self, low: float, high: float) -> float:
        """One number in [low, high)."""
        return low + (high - low) * self.unit()

    def below(self, bound: int) -> int:
        """One whole number in 0 … bound - 1; for small bounds, whose bias is below 2^-40."""
        return int(self.unit() * bound)

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in a random order."""
        return [items[i] for i in np.argsort(self.bits.random_raw(len(items)), kind="stable")] if items else []

    def hexes(self, length: int) -> str:
        """A random lower-case hexadecimal text."""
        return "".join(f"{int(value * 16):x}" for value in self.units(length))
