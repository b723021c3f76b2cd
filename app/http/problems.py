"""The problems of an entry in words: what is wrong and how to fix it, from the code and its fields."""

from __future__ import annotations

from typing import Any

from app.http.language import translations
from scoring.messages import explain


def issue_document(issue: dict[str, Any], language: str) -> dict[str, Any]:
    """An issue (design 11.6) with `text`, `fix` and `help` in the reader's language."""
    words = explain(issue, translations(language).gettext)
    return issue | {"text": words.text, "fix": words.fix, "help": f"/{language}/help/{words.help}"}
