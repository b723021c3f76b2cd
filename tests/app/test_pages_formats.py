"""Numbers, sizes and moments in both languages."""

from __future__ import annotations

import datetime as dt

import pytest

from app.pages import formats

NEW_YEAR = dt.datetime(2026, 12, 31, 23, 0, 5, tzinfo=dt.UTC)
NARROW, BREAK = "\u202f", "\u00a0"


@pytest.mark.parametrize(
    ("value", "places", "english", "french"),
    [
        (0.5, 4, "0.5000", "0,5000"),
        (1234.5, 1, "1,234.5", f"1{NARROW}234,5"),
        (0.984335839599, None, "0.984335839599", "0,984335839599"),
        (1, None, "1", "1"),
        (-0.25, 2, "-0.25", "-0,25"),
    ],
)
def test_number(value: float, places: int | None, english: str, french: str) -> None:
    assert formats.number(value, "en", places=places) == english
    assert formats.number(value, "fr", places=places) == french


def test_percent() -> None:
    assert (formats.percent(0.95, "en"), formats.percent(0.95, "fr")) == ("95%", f"95{NARROW}%")


@pytest.mark.parametrize(
    ("count", "english", "french"),
    [
        (0, "0 bytes", "0 octets"),
        (999, "999 bytes", "999 octets"),
        (1500, "1.5 kB", "1,5 ko"),
        (50_000_000, "50 MB", "50 Mo"),
        (4_000_000_000_000, "4,000 GB", f"4{NARROW}000 Go"),
    ],
)
def test_size(count: int, english: str, french: str) -> None:
    assert (formats.size(count, "en"), formats.size(count, "fr")) == (english, french)


@pytest.mark.parametrize(
    ("zone", "english", "french"),
    [
        ("Europe/Paris", "1 January 2027 at 00:00 (Paris time)", "1er janvier 2027 à 00:00 (heure de Paris)"),
        (
            "America/Guadeloupe",
            "31 December 2026 at 19:00 (Guadeloupe time)",
            "31 décembre 2026 à 19:00 (heure de Guadeloupe)",
        ),
        ("Africa/Abidjan", "31 December 2026 at 23:00 (Abidjan time)", "31 décembre 2026 à 23:00 (heure d’Abidjan)"),
        ("UTC", "31 December 2026 at 23:00 (UTC)", "31 décembre 2026 à 23:00 (UTC)"),
    ],
)
def test_moment_is_told_in_the_zone_and_names_it(zone: str, english: str, french: str) -> None:
    stamp = '<time datetime="2026-12-31T23:00:05Z">'
    assert formats.moment(NEW_YEAR, zone, "en") == f"{stamp}{english}</time>"
    assert formats.moment(NEW_YEAR, zone, "fr") == f"{stamp}{french}</time>"


def test_receipts_have_seconds() -> None:
    assert "à 00:00:05 (heure de Paris)" in formats.exact_moment(NEW_YEAR, "Europe/Paris", "fr")
    assert "00:00:05 (Paris time)" in formats.clock(NEW_YEAR, "Europe/Paris", "en", pattern="HH:mm:ss")
