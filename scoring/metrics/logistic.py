"""Logistic regression on one number, for many rows of weights at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_STEPS, _HALVINGS = 100, 40
_DONE = 1e-11  # a Newton step this small was the last but one that changes a digit


@dataclass(frozen=True, eq=False)
class Line:
    """Log odds = intercept + slope · x, (b,) each; nan where none was found."""

    intercept: Floats
    slope: Floats


def has_fit(x: Floats, true: Flags, weight: Floats) -> Flags:
    """(b,): whether a line of finite slope is the most likely one: the x of the classes overlap (Albert and Anderson
    1984, Biometrika 71, 1). `x`, `true` (n,); `weight` (b, n) of 0 or more."""
    there = weight > 0
    lowest = [_least(x, there & side) for side in (true, ~true)]
    highest = [-_least(-x, there & side) for side in (true, ~true)]
    return np.asarray((highest[1] > lowest[0]) & (highest[0] > lowest[1]))


def _least(x: Floats, among: Flags) -> Floats:
    return np.asarray(np.where(among, x, np.inf).min(axis=1, initial=np.inf))


def likelihood(line: Line, x: Floats, true: Floats, weight: Floats) -> Floats:
    """(b,): log likelihood, in nats. `x`, `true` (n,), or x (b, n); `weight` (b, n)."""
    odds = line.intercept[:, None] + line.slope[:, None] * x
    return np.asarray((weight * (true * odds - np.logaddexp(0, odds))).sum(axis=1))


def fit(x: Floats, true: Floats, weight: Floats, *, slope: float | None = None) -> Line:
    """The most likely line, with the slope held where it is given; `weight` (b, n). There must be one (`has_fit`).

    Newton's method on x centred and scaled by its weighted mean and spread, each step halved until it does not lower
    the likelihood. nan where it has not settled after 100 steps.
    """
    total = weight.sum(axis=1, keepdims=True)
    mean = weight @ x[:, None] / total
    spread = np.sqrt((weight * (x - mean) ** 2).sum(axis=1, keepdims=True) / total)
    spread[spread == 0] = 1.0
    z, held = (x - mean) / spread, slope is not None
    start = Line(mean[:, 0], spread[:, 0] * slope) if slope is not None else Line(*np.zeros((2, len(weight))))
    line = _climb(start, z, true, weight, held=held)
    found = line.slope / spread[:, 0]
    return Line(line.intercept - found * mean[:, 0], found)


def _climb(line: Line, z: Floats, true: Floats, weight: Floats, *, held: bool) -> Line:
    reached = likelihood(line, z, true, weight)
    step = Line(*np.full((2, len(weight)), np.inf))
    for _ in range(_STEPS):
        step = _newton(line, z, true, weight, held=held)
        for _ in range(_HALVINGS):
            tried = Line(line.intercept + step.intercept, line.slope + step.slope)
            now = likelihood(tried, z, true, weight)
            worse = now < reached - 1e-12 * np.abs(reached)
            if not worse.any():
                break
            part = np.where(worse, 0.5, 1.0)
            step = Line(step.intercept * part, step.slope * part)
        line, reached = tried, now
        if _settled(line, step).all():
            return line
    lost = ~_settled(line, step)
    return Line(np.where(lost, np.nan, line.intercept), np.where(lost, np.nan, line.slope))


def _settled(line: Line, step: Line) -> Flags:
    moved = np.maximum(np.abs(step.intercept), np.abs(step.slope))
    return np.asarray(moved <= _DONE * (1 + np.abs(line.intercept) + np.abs(line.slope)))


def _newton(line: Line, z: Floats, true: Floats, weight: Floats, *, held: bool) -> Line:
    with np.errstate(over="ignore"):
        odds = line.intercept[:, None] + line.slope[:, None] * z
        chance = 1 / (1 + np.exp(-odds))
    off, bend = weight * (true - chance), weight * chance * (1 - chance)
    g0, h00 = off.sum(axis=1), bend.sum(axis=1)
    if held:
        return Line(_over(g0, h00), np.zeros_like(g0))
    g1, h01, h11 = (off * z).sum(axis=1), (bend * z).sum(axis=1), (bend * z * z).sum(axis=1)
    turn = h00 * h11 - h01 * h01
    return Line(_over(g0 * h11 - g1 * h01, turn), _over(g1 * h00 - g0 * h01, turn))


def _over(above: Floats, below: Floats) -> Floats:
    """Quotient, and 1 in the direction of `above` where the curve is too flat to tell how far to go."""
    return np.asarray(np.divide(above, below, out=np.sign(above), where=below > 0))
