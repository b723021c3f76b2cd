"""Drawings of late-enhancement slices: a dark ring of muscle around bright blood, and a bright scar in the ring.

A caricature to compute with, not to learn radiology from. Lengths are pixels, grey levels 0 … 255.
"""

from __future__ import annotations

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from challenges.makers.draws import gauss
from challenges.makers.hearts import Exam
from challenges.makers.stream import Stream

Floats = NDArray[np.float64]

SIDE = 64
_BLOOD, _MUSCLE, _SCAR, _LUNG = 150.0, 42.0, 225.0, 22.0
# inner and outer edge of the scar, as shares of the wall counted from the cavity
_LAYERS = {"outer": (0.5, 1.0), "inner": (0.0, 0.55), "middle": (0.35, 0.65)}
# direction of the scar: the lateral wall for the outer layer, anywhere for the inner, the septum for the middle
_TURN = {"outer": (-0.6, 1.0), "inner": (-math.pi, math.pi), "middle": (2.4, 3.8)}


def slice_picture(exam: Exam, stream: Stream) -> bytes:
    """A JPEG of (64, 64) grey pixels, without any metadata."""
    x, y = SIDE / 2 + stream.between(-3, 3), SIDE / 2 + stream.between(-3, 3)
    cavity, wall = stream.between(10, 13), stream.between(7, 9.5)
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float64) + 0.5
    distance, angle = np.hypot(rows - y, columns - x), np.arctan2(rows - y, columns - x)
    canvas = np.full((SIDE, SIDE), _LUNG)
    _right_side(canvas, x - cavity - wall, y, stream)
    ring = _soft(cavity + wall - distance)
    canvas += ring * (_MUSCLE - canvas)
    scar = ring * _scar(exam, (distance - cavity) / wall, angle, cavity, wall, stream)
    canvas += scar * (_SCAR - canvas)
    canvas += _soft(cavity - distance) * (_BLOOD - canvas)
    canvas *= stream.between(0.85, 1.1)
    return _jpeg(canvas, stream)


def _soft(depth: Floats) -> Floats:
    """1 inside, 0 outside, over about two pixels."""
    return np.clip(depth + 0.5, 0.0, 1.0)


def _right_side(canvas: Floats, x: float, y: float, stream: Stream) -> None:
    """The right ventricle: a bright crescent on the left of the picture."""
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float64) + 0.5
    depth = 1 - ((columns - x) / stream.between(9, 12)) ** 2 - ((rows - y) / stream.between(14, 18)) ** 2
    canvas += np.clip(4 * depth, 0, 1) * (_BLOOD * 0.9 - canvas)


def _scar(exam: Exam, depth: Floats, angle: Floats, cavity: float, wall: float, stream: Stream) -> Floats:
    """Cover of the scar, (64, 64) in [0, 1]: an arc of one layer of the wall, as large as the scar's share of it."""
    inner, outer = _LAYERS[exam.state.layer]
    radius = cavity + wall * (inner + outer) / 2
    area = exam.state.scar / 100 * math.pi * ((cavity + wall) ** 2 - cavity**2)
    half = min(math.pi, area / (wall * (outer - inner)) / (2 * radius))
    middle = stream.between(*_TURN[exam.state.layer])
    away = np.abs((angle - middle + math.pi) % (2 * math.pi) - math.pi)
    layer = _soft(wall * (depth - inner)) * _soft(wall * (outer - depth))
    return layer * _soft(radius * (half - away)) * (exam.state.scar > 0)


def _jpeg(canvas: Floats, stream: Stream) -> bytes:
    noise = (stream.units(canvas.size).reshape(canvas.shape) - 0.5) * abs(gauss(stream, 26, 4))
    levels = np.clip(np.rint(canvas + noise), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "JPEG", quality=60)
    return buffer.getvalue()
