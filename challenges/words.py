"""Rules for single words of a challenge: lines, paths, zones. Each returns its value or raises WordRefused."""

from __future__ import annotations

import math
import unicodedata
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Cc control, Cf format (zero-width, direction marks), Co private, Cs surrogate, Zl and Zp line breaks
_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


class WordRefused(ValueError):
    """A word that cannot be used. `code` is a code of `challenges.messages`; `found` what in the word is at fault."""

    def __init__(self, code: str, found: str | None = None) -> None:
        self.code = code
        self.found = found
        super().__init__(code)


def invisible(text: str) -> str | None:
    """The first control, format or line-breaking character, as `U+200B at 4` (from 1); None if there is none."""
    for position, character in enumerate(text, start=1):
        if unicodedata.category(character) in _INVISIBLE:
            return f"U+{ord(character):04X} at {position}"
    return None


def check_line(text: str) -> str:
    """A visible single line without blanks at its ends."""
    found = invisible(text)
    if found:
        raise WordRefused("W-INVISIBLE", found)
    if text != text.strip():
        raise WordRefused("W-BLANKS")
    return text


def check_path(text: str) -> str:
    """A path inside the folder: forward slashes, no leading slash, no `.` or `..` part; NFC."""
    found = invisible(text)
    if found:
        raise WordRefused("W-INVISIBLE", found)
    if text.startswith("/") or "\\" in text or any(part in {"", ".", ".."} for part in text.split("/")):
        raise WordRefused("W-PATH")
    if len(text.encode()) > 500 or any(len(part.encode()) > 255 for part in text.split("/")):
        raise WordRefused("W-LONG")
    return unicodedata.normalize("NFC", text)


def check_zone(text: str) -> str:
    """A zone of the IANA time zone database, e.g. `Europe/Paris`."""
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise WordRefused("W-ZONE") from error
    return text


def check_json(value: dict[str, Any]) -> dict[str, Any]:
    """Parameters that TOML and canonical JSON can both hold, so that their digest is well defined."""
    _check_plain(value)
    return value


def _check_plain(value: object) -> None:
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise WordRefused("W-JSON")
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            _check_plain(item)
    elif isinstance(value, bool | str):
        return
    elif isinstance(value, int):
        if abs(value) >= 2**53:
            raise WordRefused("W-JSON")
    elif not isinstance(value, float) or not math.isfinite(value):
        raise WordRefused("W-JSON")
