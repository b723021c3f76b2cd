"""Which language a request is answered in, and translating a message at the edge."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from gettext import NullTranslations, translation
from typing import Any

from starlette.datastructures import Headers

from app.settings import PROJECT

LANGUAGES = ("en", "fr")
COOKIE = "arbitre_language"
DOMAIN = "messages"


@cache
def translations(language: str) -> NullTranslations:
    """The catalogue of a language; English is the message itself."""
    if language == "en":
        return NullTranslations()
    return translation(DOMAIN, PROJECT / "web" / "locale", [language], fallback=True)


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
    for part in headers.get("accept-language", "").split(","):
        tag = part.split(";")[0].strip().lower()[:2]
        if tag in LANGUAGES:
            return tag
    return "en"
