"""A problem of a challenge folder: what, where, and how to fix it, for an organiser to read.

A problem carries a code and named fields; its sentence is made from the template of that code, so that another language
can be made from the same fields at the edge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from challenges.messages import TEMPLATES

_SHOWN = 80


@dataclass(frozen=True)
class Problem:
    """One problem. `file` is a path in the folder, `line` counts from 1, `key` is dotted (`phases[0].opens`).

    `issue`: of code C-ISSUE only, what the reader of tables found (JSON of `scoring.issues.Issue`), whose own words
    (`scoring.messages.explain`) can be had in another language.
    """

    code: str
    file: str
    line: int | None = None
    key: str | None = None
    expected: str | None = None
    found: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    issue: Mapping[str, Any] | None = None

    @property
    def text(self) -> str:
        """The sentence in English, without the place."""
        known = {"file": self.file, "key": self.key or "", "expected": self.expected or "", "found": self.found or ""}
        return TEMPLATES[self.code] % {**known, **self.fields}

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{place}: {self.text}"


class FolderError(Exception):
    """A folder that cannot be used; `problems` is never empty and tells all that was found, in order of place."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


def shown(value: object) -> str:
    """A value as read, cut to 80 characters, invisible characters escaped."""
    text = value if isinstance(value, str) else repr(value)
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: _SHOWN + 1])
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def dotted(path: tuple[str | int, ...]) -> str:
    """A key path as organisers write it: ("phases", 0, "opens") is `phases[0].opens`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
