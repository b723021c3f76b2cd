"""One problem in one line: of an entry (an issue), of a challenge folder, or of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def problem_line(problem: Mapping[str, Any]) -> str:
    """Where, what, how to fix it; the code last, so that it can be looked up."""
    if "level" in problem:
        return issue_line(problem)
    where = str(problem.get("where") or problem.get("file") or "")
    line = f", line {problem['line']}" if problem.get("line") else ""
    code = f" [{problem['code']}]" if problem.get("code") else ""
    return f"{where}{line}{': ' if where else ''}{told(problem)}{code}"


def issue_line(issue: Mapping[str, Any]) -> str:
    """`Line 7, column score: "0,93" is written with a decimal comma. Write a point. [E-DECIMAL-COMMA]`"""
    places = [f"{name} {issue[name]}" for name in ("table", "line", "column") if issue.get(name) is not None]
    place = ", ".join(places)
    level = "Warning: " if issue.get("level") == "warning" else ""
    return f"{level}{place[:1].upper()}{place[1:]}{': ' if place else ''}{told(issue)} [{issue.get('code')}]"


def told(problem: Mapping[str, Any]) -> str:
    """The sentence and, where there is one, the fix."""
    return " ".join(str(problem[key]) for key in ("text", "fix") if problem.get(key))
