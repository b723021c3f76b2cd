"""Drawings of lesions of the mouth as a phone would see them: caricatures to compute with, nothing to learn from.

Skin phototype darkens the mucosa in patches, and each camera has its own colours and blur, so that a classifier that
learned only one of them is seen to fail on the others. Lengths are pixels, colours (red, green, blue) in 0 … 255.
"""

from __future__ import annotations

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from challenges.makers.mouths import CANDIDIASIS, ERYTHROPLAKIA, LEUKOPLAKIA, LICHEN, Lesion
from challenges.makers.stream import Stream

Floats = NDArray[np.float64]
Colour = tuple[float, float, float]

SIDE = 52
_MUCOSA: Colour = (206.0, 122.0, 118.0)
_PIGMENT: Colour = (104.0, 62.0, 58.0)
_WHITE: Colour = (232.0, 222.0, 212.0)
_RED: Colour = (178.0, 44.0, 50.0)
_YELLOW: Colour = (224.0, 204.0, 150.0)
_DARKENED = {"I-II": 0.04, "III-IV": 0.28, "V-VI": 0.6}
_CAMERA: dict[str, tuple[Colour, float]] = {  # colour gain, blur in pixels
    "phone-a": ((1.0, 1.0, 1.0), 0.8),
    "phone-b": ((1.06, 0.96, 0.9), 1.3),
    "reflex": ((1.02, 1.02, 1.0), 0.4),
    "intraoral": ((0.9, 0.98, 1.1), 1.0),
}


def photo(lesion: Lesion, stream: Stream) -> bytes:
    """One JPEG of (52, 52) pixels, without any metadata: another place, size, light and focus each time."""
    canvas = np.empty((SIDE, SIDE, 3))
    canvas[:] = np.asarray(_MUCOSA) + np.asarray(lesion.patient.hue)
    dark = _patches(stream, 3) * _DARKENED[lesion.patient.phototype]
    _paint(canvas, dark, _PIGMENT)
    radius = (6.0 + 0.55 * lesion.size) * stream.between(0.8, 1.2)
    inside = _blob(stream, min(radius, 22.0))
    _draw(canvas, inside, lesion, stream)
    return _shot(canvas, lesion.camera, stream)


def _draw(canvas: Floats, inside: Floats, lesion: Lesion, stream: Stream) -> None:
    strong, red = stream.between(0.5, 0.9), lesion.reddened
    if lesion.diagnosis == LEUKOPLAKIA:
        _paint(canvas, inside * strong, _WHITE)
        _paint(canvas, inside * _dots(stream, 0.25) * (0.8 if red else 0.0), _RED)
    elif lesion.diagnosis == ERYTHROPLAKIA:
        _paint(canvas, inside * (strong - 0.15), _RED)
    elif lesion.diagnosis == LICHEN:
        _paint(canvas, inside * (0.5 if red else 0.2), _RED)
        _paint(canvas, inside * _network(stream) * strong * (0.6 if red else 1.0), _WHITE)
    elif lesion.diagnosis == CANDIDIASIS:
        _paint(canvas, inside * (0.55 if red else 0.4), _RED)
        _paint(canvas, inside * _dots(stream, 0.05 if red else 0.4) * strong, _WHITE)
    else:
        _paint(canvas, inside * (strong - 0.1), _RED)
        _paint(canvas, np.clip(3 * inside - 2, 0, 1) * _shrunk(inside) * strong, _YELLOW)


def _grid() -> tuple[Floats, Floats]:
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float64) + 0.5
    return rows, columns


def _paint(canvas: Floats, cover: Floats, colour: Colour) -> None:
    canvas += np.clip(cover, 0, 1)[..., None] * (np.asarray(colour) - canvas)


def _blob(stream: Stream, radius: float) -> Floats:
    """Cover of the lesion, in [0, 1]: a disc with an uneven border, not quite in the middle."""
    rows, columns = _grid()
    y, x = SIDE / 2 + stream.between(-5, 5), SIDE / 2 + stream.between(-5, 5)
    angle = np.arctan2(rows - y, columns - x)
    edge = np.full_like(angle, radius)
    for order in (2, 3, 5):
        edge += radius * stream.between(0.03, 0.14) * np.cos(order * angle + stream.between(0, 2 * math.pi))
    return np.clip((edge - np.hypot(rows - y, columns - x)) / 3 + 0.5, 0, 1)


def _shrunk(inside: Floats) -> Floats:
    """The inner part of a cover: where it is full all around."""
    full = inside > 0.98
    for axis in (0, 1):
        for step in (-4, 4):
            full &= np.roll(inside, step, axis=axis) > 0.9
    return full.astype(np.float64)


def _waves(stream: Stream, count: int, low: float, high: float) -> Floats:
    """Sum of `count` plane waves of random direction, about in [-1, 1]; `low` … `high` radians per pixel."""
    rows, columns = _grid()
    total = np.zeros((SIDE, SIDE))
    for _ in range(count):
        turn, wave = stream.between(0, 2 * math.pi), stream.between(low, high)
        total += np.cos(wave * (math.cos(turn) * columns + math.sin(turn) * rows) + stream.between(0, 2 * math.pi))
    return total / count


def _patches(stream: Stream, count: int) -> Floats:
    return np.clip(0.5 + 1.2 * _waves(stream, count, 0.08, 0.2), 0, 1)


def _dots(stream: Stream, share: float) -> Floats:
    return np.clip(6 * (_waves(stream, 5, 0.7, 1.1) - (0.45 - share)), 0, 1)


def _network(stream: Stream) -> Floats:
    """Fine white lines that cross: near the zeros of two fields of waves."""
    lines = [np.clip(1 - 6 * np.abs(_waves(stream, 3, 0.35, 0.55)), 0, 1) for _ in range(2)]
    return np.asarray(np.maximum(*lines))


def _shot(canvas: Floats, camera: str, stream: Stream) -> bytes:
    gain, blur = _CAMERA[camera]
    # one photograph in eight is out of focus
    blur *= 3.0 if stream.unit() < 0.125 else 1.0
    rows, columns = _grid()
    light = stream.between(0.82, 1.1) - 0.00012 * ((rows - SIDE / 2) ** 2 + (columns - SIDE / 2) ** 2)
    lit = _blurred(canvas, blur) * light[..., None] * np.asarray(gain)
    noise = (stream.units(SIDE * SIDE).reshape(SIDE, SIDE, 1) - 0.5) * 8
    levels = np.clip(np.rint(lit + noise), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "JPEG", quality=68)
    return buffer.getvalue()


def _blurred(canvas: Floats, width: float) -> Floats:
    """Gaussian blur of that standard deviation, edges repeated."""
    reach = max(1, math.ceil(3 * width))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(canvas, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    across: Floats = sum((k * padded[i : i + SIDE] for i, k in enumerate(kernel)), np.zeros_like(padded[:SIDE]))
    both: Floats = sum((k * across[:, i : i + SIDE] for i, k in enumerate(kernel)), np.zeros_like(canvas))
    return both
