"""Colours of the stylesheet: every pair that carries text or a control is far enough apart, in both schemes."""

from __future__ import annotations

import re

import pytest

from app.pages.environment import STATIC

SHEET = (STATIC / "arbitre.css").read_text()
TEXT = [
    *(("ink", ground) for ground in ("paper", "surface", "sunken", "own", "bad-ground", "good-ground")),
    *(("ink-2", ground) for ground in ("paper", "surface", "sunken", "own")),
    *(("link", ground) for ground in ("paper", "surface", "sunken", "own", "good-ground")),
    *(("bad", ground) for ground in ("paper", "surface", "bad-ground")),
    *(("good", "surface"), ("on-band", "band"), ("on-action", "action"), ("action", "surface")),
]
MARKS = [
    *(("rule-strong", ground) for ground in ("paper", "surface", "sunken")),
    *(("focus", ground) for ground in ("paper", "surface", "sunken", "own")),
    *(("on-band", "band"), ("own-edge", "own")),
]


def token(name: str, scheme: int) -> str:
    """The colour of a token: 0 light, 1 dark."""
    found = re.search(rf"--{name}: (?:light-dark\((#\w+), (#\w+)\)|(#\w+));", SHEET)
    assert found, name
    return found.group(3) or found.group(scheme + 1)


def luminance(colour: str) -> float:
    """WCAG relative luminance of #rrggbb."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize(("mark", "ground", "least"), [(*p, 4.5) for p in TEXT] + [(*p, 3.0) for p in MARKS])
def test_contrast(mark: str, ground: str, least: float, scheme: int) -> None:
    assert contrast(token(mark, scheme), token(ground, scheme)) >= least


def test_nothing_is_loaded_from_elsewhere() -> None:
    assert re.findall(r"@import|url\(", SHEET) == []
