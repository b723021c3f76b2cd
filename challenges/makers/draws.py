"""Draws from a stream that give the same bits on every machine: sums and comparisons only, no library of functions."""

from __future__ import annotations

import math
from collections.abc import Mapping

from challenges.makers.stream import Stream


def gauss(stream: Stream, mean: float, spread: float) -> float:
    """A number near the normal law of that mean and standard deviation, never beyond six of them.

    Twelve uniform numbers less six (Irwin and Hall): within 0.01 of the normal law in the body, thinner in the tails.
    """
    return mean + spread * (math.fsum(stream.units(12)) - 6.0)


def bounded(stream: Stream, mean: float, spread: float, low: float, high: float) -> float:
    """`gauss` moved to the nearer bound where it lies outside [low, high]."""
    return min(max(gauss(stream, mean, spread), low), high)


def happens(stream: Stream, chance: float) -> bool:
    """Whether something of that chance comes true."""
    return stream.unit() < chance


def picked(stream: Stream, shares: Mapping[str, float]) -> str:
    """One of the keys, each with its share of the sum of shares."""
    place = stream.unit() * math.fsum(shares.values())
    names = list(shares)
    for name in names:
        place -= shares[name]
        if place < 0:
            return name
    return names[-1]
