"""Drawings of blood cells: caricatures that a small classifier can tell apart, and nothing to learn haematology from.

Each class has a look: size, nucleus, colours, granules. Patients and stains shift colours, so that cells of one patient
resemble each other. All lengths are pixels, colours are (red, green, blue) in 0 … 255.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from challenges.makers.stream import Stream

Floats = NDArray[np.float64]
Colour = tuple[float, float, float]
Box = tuple[int, int, int, int]

PURPLE, VIOLET, DARK = (112.0, 62.0, 150.0), (132.0, 88.0, 168.0), (70.0, 34.0, 98.0)
PINK, PALE_BLUE, BLUE, GREY = (226.0, 196.0, 206.0), (190.0, 204.0, 232.0), (128.0, 150.0, 212.0), (186.0, 190.0, 208.0)


@dataclass(frozen=True)
class Look:
    """How a class is drawn. `radius` of the cell; `nucleus` = its share of that radius (0: none)."""

    radius: float
    nucleus: float
    shape: str = "round"  # round, kidney, lobes2, lobes4, cleft, folded, smudge
    ink: Colour = PURPLE
    cytoplasm: Colour = PALE_BLUE
    grains: int = 0
    grain: Colour = DARK
    grain_size: float = 1.0
    chromatin: float = 0.10  # contrast of the nucleus, 0 = smooth
    nucleoli: int = 0
    hairs: float = 0.0  # height of the villi, share of the radius
    rim: float = 0.0  # darkening of the border


LOOKS: dict[str, Look] = {
    "PNN": Look(24, 0.80, "lobes4", PURPLE, PINK, grains=40, grain=(200, 150, 180), grain_size=0.8),
    "Lysee": Look(26, 0.95, "smudge", VIOLET, (206, 180, 212), chromatin=0.05),
    "LAM3": Look(28, 0.78, "lobes2", PURPLE, (196, 160, 206), grains=110, grain=(150, 40, 120), grain_size=1.0),
    "LLC": Look(17, 0.92, "round", DARK, PALE_BLUE, chromatin=0.32),
    "LyB": Look(20, 0.92, "round", VIOLET, BLUE, chromatin=0.05, nucleoli=1),
    "MO": Look(29, 0.72, "kidney", VIOLET, GREY, chromatin=0.16),
    "MBL": Look(25, 0.84, "round", VIOLET, BLUE, chromatin=0.06, nucleoli=3),
    "LGL": Look(24, 0.62, "round", PURPLE, (206, 216, 240), grains=9, grain=(160, 40, 110), grain_size=1.5),
    "EO": Look(25, 0.74, "lobes2", PURPLE, (232, 176, 140), grains=120, grain=(226, 108, 48), grain_size=1.5),
    "Thromb": Look(14, 0.0, "round", PURPLE, (196, 184, 220), grains=45, grain=(120, 70, 150), grain_size=0.9),
    "Er": Look(15, 0.58, "round", (48, 24, 70), (206, 176, 186), chromatin=0.04),
    "B": Look(27, 0.86, "round", VIOLET, (170, 186, 226), chromatin=0.04, nucleoli=1),
    "LF": Look(16, 0.90, "cleft", PURPLE, PALE_BLUE, chromatin=0.14),
    "LY": Look(18, 0.80, "round", DARK, PALE_BLUE, chromatin=0.14),
    "M": Look(27, 0.62, "round", PURPLE, (222, 190, 210), grains=60, grain=(150, 80, 150), grain_size=0.9),
    "MM": Look(26, 0.70, "kidney", PURPLE, (228, 194, 206), grains=40, grain=(170, 100, 160), grain_size=0.8),
    "LH_lyAct": Look(29, 0.56, "round", PURPLE, (160, 178, 226), chromatin=0.12, rim=0.35),
    "MoB": Look(31, 0.74, "round", VIOLET, GREY, chromatin=0.06, nucleoli=2),
    "PM": Look(31, 0.66, "round", PURPLE, (160, 170, 216), grains=90, grain=(110, 30, 100), grain_size=1.2),
    "BA": Look(24, 0.70, "lobes2", PURPLE, (214, 190, 214), grains=60, grain=(40, 20, 70), grain_size=2.0),
    "LM": Look(20, 0.86, "folded", PURPLE, PALE_BLUE, chromatin=0.18),
    "LZMG": Look(19, 0.68, "round", PURPLE, PALE_BLUE, chromatin=0.18, hairs=0.16),
    "SS": Look(21, 0.88, "folded", DARK, PALE_BLUE, chromatin=0.36),
}


@dataclass(frozen=True)
class Tint:
    """Colour shift of a slide: what is added to every pixel."""

    shift: Colour


def background(height: int, width: int, stream: Stream) -> Floats:
    """(height, width, 3): cream with a few pale-centred red cells."""
    canvas = np.empty((height, width, 3))
    canvas[:] = (238, 228, 222)
    for _ in range(3 + stream.below(4)):
        _red_cell(canvas, stream.between(0, width), stream.between(0, height), stream.between(11, 14))
    return canvas


def draw_cell(canvas: Floats, x: float, y: float, label: str, stream: Stream) -> Box:
    """Draw one cell of a class centred at (x, y); its box (x1, y1, x2, y2), x2 and y2 one past the last pixel."""
    look = LOOKS[label]
    radius = look.radius * stream.between(0.88, 1.12)
    angle, distance = _polar(canvas, x, y)
    edge = radius * _outline(angle, look, stream)
    body = _soft(edge - distance, 5.0 if look.shape == "smudge" else 0.9)
    colour = _jitter(look.cytoplasm, stream)
    _paint(canvas, body, colour)
    if look.rim:
        _paint(canvas, body * look.rim * _soft(distance - 0.82 * edge, 1.5), BLUE)
    if look.nucleus:
        nucleus = _nucleus(canvas, x, y, radius * look.nucleus, look, stream) * body
        _paint(canvas, nucleus, _chromatin(canvas, _jitter(look.ink, stream), look, stream))
        _nucleoli(canvas, x, y, radius * look.nucleus, look, stream)
    _grains(canvas, x, y, radius, look, stream)
    rows, columns = np.nonzero(body > 0.5)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def finished(canvas: Floats, tint: Tint, stream: Stream) -> NDArray[np.uint8]:
    """The picture as bytes: tinted, with a little grain of the camera."""
    noise = (stream.units(canvas[..., 0].size).reshape(canvas.shape[:2]) - 0.5) * 6.0
    levels: NDArray[np.uint8] = np.clip(np.rint(canvas + tint.shift + noise[..., None]), 0, 255).astype(np.uint8)
    return levels


def _polar(canvas: Floats, x: float, y: float) -> tuple[Floats, Floats]:
    rows, columns = np.mgrid[: canvas.shape[0], : canvas.shape[1]].astype(np.float64) + 0.5
    return np.arctan2(rows - y, columns - x), np.hypot(rows - y, columns - x)


def _outline(angle: Floats, look: Look, stream: Stream) -> Floats:
    waves = [(2, 0.06), (3, 0.04), (5, 0.015)] + ([(19, look.hairs)] if look.hairs else [])
    outline = np.ones_like(angle)
    for order, height in waves:
        outline += height * stream.between(0.4, 1.0) * np.cos(order * angle + stream.between(0, 2 * math.pi))
    return outline


def _soft(depth: Floats, width: float) -> Floats:
    """1 inside, 0 outside, over about `width` pixels."""
    return 1.0 / (1.0 + np.exp(-np.clip(depth / (0.5 * width), -40, 40)))


def _paint(canvas: Floats, cover: Floats, colour: Floats | Colour) -> None:
    canvas += cover[..., None] * (np.asarray(colour) - canvas)


def _jitter(colour: Colour, stream: Stream) -> Colour:
    red, green, blue = (part + stream.between(-14, 14) for part in colour)
    return red, green, blue


def _disc(canvas: Floats, x: float, y: float, radius: float, width: float = 0.9) -> Floats:
    return _soft(radius - _polar(canvas, x, y)[1], width)


def _spot(canvas: Floats, x: float, y: float, radius: float, colour: Colour, cover: float, width: float) -> None:
    """A disc painted on the part of the canvas that it reaches."""
    reach = radius + 4 * width
    top, left = max(0, math.floor(y - reach)), max(0, math.floor(x - reach))
    part = canvas[top : max(0, math.ceil(y + reach)), left : max(0, math.ceil(x + reach))]
    _paint(part, cover * _disc(part, x - left, y - top, radius, width), colour)


def _red_cell(canvas: Floats, x: float, y: float, radius: float) -> None:
    _spot(canvas, x, y, radius, (224, 168, 164), 0.9, 0.9)
    _spot(canvas, x, y, 0.4 * radius, (238, 208, 204), 0.6, 4.0)


def _nucleus(canvas: Floats, x: float, y: float, radius: float, look: Look, stream: Stream) -> Floats:
    """Cover of the nucleus, (height, width) in [0, 1]."""
    turn = stream.between(0, 2 * math.pi)
    along, up = math.cos(turn), math.sin(turn)

    def disc(place: float, side: float, size: float) -> Floats:
        centre = x + radius * (place * along - side * up), y + radius * (place * up + side * along)
        return _disc(canvas, *centre, radius * size)

    if look.shape == "lobes2":
        return np.maximum(np.maximum(disc(-0.5, 0, 0.48), disc(0.5, 0, 0.48)), disc(0, 0, 0.2))
    if look.shape == "lobes4":
        lobes = [disc(-0.62, -0.1, 0.34), disc(-0.15, 0.35, 0.34), disc(0.38, 0.1, 0.34), disc(0.6, -0.45, 0.3)]
        return np.asarray(np.maximum.reduce(lobes))
    if look.shape == "kidney":
        return np.asarray(disc(0, 0, 0.98) * (1 - disc(0, 0.85, 0.62)))
    if look.shape == "cleft":
        return np.asarray(disc(0, 0, 1.0) * (1 - 0.8 * disc(0, 0.9, 0.42)))
    if look.shape == "folded":
        return np.asarray(disc(0, 0, 1.0) * (1 - 0.45 * disc(0.5, 0.5, 0.22)) * (1 - 0.45 * disc(-0.4, -0.6, 0.25)))
    shift = 0.15 if look.nucleus < 0.8 else 0.04
    return disc(shift, 0, 1.0)


def _chromatin(canvas: Floats, ink: Colour, look: Look, stream: Stream) -> Floats:
    """Colour of the nucleus at each pixel: clumps as a sum of waves."""
    rows, columns = np.mgrid[: canvas.shape[0], : canvas.shape[1]].astype(np.float64)
    clumps = np.zeros(canvas.shape[:2])
    for _ in range(6):
        turn, wave = stream.between(0, 2 * math.pi), stream.between(0.7, 1.4)
        phase = stream.between(0, 2 * math.pi)
        clumps += np.cos(wave * (math.cos(turn) * columns + math.sin(turn) * rows) + phase)
    return np.asarray(ink) * (1 + look.chromatin * (clumps / 2.5))[..., None]


def _nucleoli(canvas: Floats, x: float, y: float, radius: float, look: Look, stream: Stream) -> None:
    for _ in range(look.nucleoli):
        turn, reach = stream.between(0, 2 * math.pi), radius * stream.between(0.1, 0.6)
        _spot(canvas, x + reach * math.cos(turn), y + reach * math.sin(turn), 2.6, (188, 168, 214), 0.7, 0.9)


def _grains(canvas: Floats, x: float, y: float, radius: float, look: Look, stream: Stream) -> None:
    for _ in range(look.grains):
        turn, reach = stream.between(0, 2 * math.pi), 0.92 * radius * math.sqrt(stream.unit())
        place = x + reach * math.cos(turn), y + reach * math.sin(turn)
        _spot(canvas, *place, look.grain_size, look.grain, 0.8, 0.7)
