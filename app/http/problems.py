"""The problems of an entry in words: what is wrong and how to fix it, from the code and its fields."""

from __future__ import annotations

from typing import Any

from scoring.messages import MESSAGES

from app.http.language import translate


def issue_document(issue: dict[str, Any], language: str) -> dict[str, Any]:
    """An issue (design 11.6) with `text`, `fix` and `help` in the reader's language."""
    message = MESSAGES[issue["code"]]
    fields = {key: issue.get(key) for key in ("table", "line", "column", "value")} | issue.get("fields", {})
    return issue | {
        "text": translate(message.template, language, fields),
        "fix": translate(message.fix, language, fields),
        "help": f"/{language}/help/{issue['code']}",
    }
