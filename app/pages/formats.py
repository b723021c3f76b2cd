"""Numbers, sizes and moments as the reader's language writes them, the zone always printed."""

from __future__ import annotations

import datetime as dt
import re
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time, get_timezone_location
from babel.numbers import format_decimal
from markupsafe import Markup

from app.errors import N_
from app.http.language import translate

LOCALES = {"en": Locale.parse("en_GB"), "fr": Locale.parse("fr_FR")}
EXACT = 12
"""Digits after the point of what organisers see; trailing zeros are not shown."""
UNITS = (N_("%(number)s bytes"), N_("%(number)s kB"), N_("%(number)s MB"), N_("%(number)s GB"))


def number(value: float, language: str, *, places: int | None = None) -> str:
    """`value` with exactly `places` digits after the point; without `places` up to 12, trailing zeros left out."""
    pattern = "#,##0." + ("#" * EXACT if places is None else "0" * places)
    return format_decimal(value, format=pattern, locale=LOCALES[language])


def percent(share: float, language: str) -> str:
    """A share as per cent: 0.95 is 95 %, with the space that the language puts there."""
    text = number(100 * share, language)
    return f"{text}\u202f%" if language == "fr" else f"{text}%"


def size(count: int, language: str) -> str:
    """A size in bytes, kB, MB or GB (powers of 1000) with at most one digit after the point."""
    power = min((len(str(count)) - 1) // 3, len(UNITS) - 1)
    text = format_decimal(count / 1000**power, format="#,##0.#", locale=LOCALES[language])
    return translate(UNITS[power], language, {"number": text})


def place_of(zone: str, language: str) -> str:
    """How a zone is named beside a time: `Paris time`, `heure de Paris`, `UTC`."""
    if zone in ("UTC", "Etc/UTC"):
        return "UTC"
    city = get_timezone_location(ZoneInfo(zone), locale=LOCALES[language], return_city=True)
    text = translate(N_("%(city)s time"), language, {"city": city})
    return re.sub(r"\bde (?=[AEIOUYÀÂÉÈÊÎÔÛH])", "d’", text) if language == "fr" else text


def moment(when: dt.datetime, zone: str, language: str, *, pattern: str = "HH:mm") -> Markup:
    """A day and a time with its zone: 15 December 2026 at 23:59 (Paris time)."""
    local = when.astimezone(ZoneInfo(zone))
    day = _day(local, "long", language)
    time = format_time(local, pattern, locale=LOCALES[language])
    text = translate(N_("%(day)s at %(time)s"), language, {"day": day, "time": time})
    return _element(when, f"{text} ({place_of(zone, language)})")


def exact_moment(when: dt.datetime, zone: str, language: str) -> Markup:
    """The same with seconds, for receipts."""
    return moment(when, zone, language, pattern="HH:mm:ss")


def short_moment(when: dt.datetime, zone: str, language: str) -> Markup:
    """For tables whose header names the zone: 22 Nov 2026, 14:05."""
    local = when.astimezone(ZoneInfo(zone))
    day = _day(local, "medium", language)
    return _element(when, f"{day}, {format_time(local, 'HH:mm', locale=LOCALES[language])}")


def clock(when: dt.datetime, zone: str, language: str, *, pattern: str = "HH:mm") -> Markup:
    """The time of day in a zone: 23:59 (Paris time)."""
    text = format_time(when.astimezone(ZoneInfo(zone)), pattern, locale=LOCALES[language])
    return _element(when, f"{text} ({place_of(zone, language)})")


def _day(local: dt.datetime, width: Literal["medium", "long"], language: str) -> str:
    text = format_date(local, width, locale=LOCALES[language])
    # The first day of a month is an ordinal in French; Babel does not know.
    return f"1er{text[1:]}" if language == "fr" and local.day == 1 else text


def _element(when: dt.datetime, text: str) -> Markup:
    stamp = when.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Markup('<time datetime="{}">{}</time>').format(stamp, text)
