"""Which language a request is answered in, and translating a message at the edge.

Catalogues are read from their .po files at first use, so that there is nothing to compile and nothing to forget.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from starlette.datastructures import Headers

from app.settings import PROJECT

LANGUAGES = ("en", "fr")
COOKIE = "arbitre_language"


def catalogue(language: str) -> Path:
    """Where the translations of a language stand."""
    return PROJECT / "web" / "locale" / language / "LC_MESSAGES" / "messages.po"


@cache
def translations(language: str) -> NullTranslations:
    """The catalogue of a language; English is the message itself."""
    if language == "en":
        return NullTranslations()
    compiled = io.BytesIO()
    with catalogue(language).open("rb") as file:
        write_mo(compiled, read_po(file, locale=language, abort_invalid=True))
    compiled.seek(0)
    return GNUTranslations(compiled)


def translate(message: str, language: str, fields: Mapping[str, Any] | None) -> str:
    """`message` in `language`, with its fields filled in."""
    text = translations(language).gettext(message) if message else ""
    return text % fields if fields else text


def choose(path: str, headers: Headers, cookie: str | None) -> str:
    """The prefix of the address decides, else the cookie, else Accept-Language, else English."""
    first = path.split("/", 2)[1] if "/" in path else ""
    if first in LANGUAGES:
        return first
    if cookie in LANGUAGES:
        return str(cookie)
    return next((tag for tag in _accepted(headers.get("accept-language", "")) if tag in LANGUAGES), "en")


def _accepted(header: str) -> list[str]:
    """Two-letter languages, the most wanted first. A quality that is no number counts as 0."""
    wanted = []
    for part in header.split(","):
        tag, _, quality = part.strip().lower().partition(";q=")
        number = float(quality) if quality.replace(".", "", 1).isdecimal() else float(not quality)
        wanted.append((-number, tag[:2]))
    return [tag for _, tag in sorted(wanted, key=lambda pair: pair[0])]
