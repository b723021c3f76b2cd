"""Which language and which of two texts: organisers write every text in French and English."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any


def language() -> str:
    """`fr` where the terminal's locale is French, else `en`."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "fr" if locale.lower().startswith("fr") else "en"


def text_in(value: Any, wanted: str) -> str:
    """A `{fr, en}` text in the language wanted, else in the one there is; a plain text as it is."""
    if isinstance(value, Mapping):
        return str(value.get(wanted) or value.get("en") or next(iter(value.values()), ""))
    return "" if value is None else str(value)


def count(number: int, singular: str, plural: str = "") -> str:
    """`1 problem`, `2 problems`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
