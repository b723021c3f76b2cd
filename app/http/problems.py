"""The problems of an entry or of a challenge folder in words, from the code and its fields."""

from __future__ import annotations

from typing import Any

from app.http.language import translate, translations
from challenges.messages import TEMPLATES
from challenges.problems import Problem
from scoring.messages import explain

EMPTY: dict[str, Any] = {"table": None, "line": None, "column": None, "value": None, "fields": {}}


def issue_document(issue: dict[str, Any], language: str) -> dict[str, Any]:
    """An issue (design 11.6) with all its keys, and `text`, `fix` and `help` in the reader's language."""
    words = explain(issue, translations(language).gettext)
    return EMPTY | issue | {"text": words.text, "fix": words.fix, "help": f"/{language}/help/{words.help}"}


def folder_sentence(problem: Problem, language: str) -> str:
    """What is wrong in a challenge folder and how to mend it, in the reader's language."""
    if problem.issue is not None:
        words = explain(problem.issue, translations(language).gettext)
        return f"{words.text} {words.fix}"
    known = {name: getattr(problem, name) or "" for name in ("file", "key", "expected", "found")}
    return translate(TEMPLATES[problem.code], language, known | dict(problem.fields))
