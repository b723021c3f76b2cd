"""Problems found in a file: what, where, and the value read. Texts for people are in `scoring.messages`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from heapq import merge
from typing import Any, Literal

Level = Literal["error", "warning"]
Field = str | int | float | None
Tell = Callable[..., None]

KEPT = 50
SHOWN_CHARACTERS = 80
_COLUMN_CHARACTERS = 200
_FIELD_CHARACTERS = 300
_GROUPS = 500


@dataclass(frozen=True)
class Issue:
    """One problem.

    `code`: stable, E-… refuses the file, W-… warns. `line`: 1-based line of the file. `value`: what was read, at most
    80 characters, with control characters escaped. `fields`: what the sentence for this code needs besides;
    `fields["count"]` is how many lines share the problem, where one issue stands for a whole column.
    """

    code: str
    level: Level = "error"
    table: str | None = None
    line: int | None = None
    column: str | None = None
    value: str | None = None
    fields: Mapping[str, Field] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The seven keys of the contract, as plain JSON."""
        return {
            "code": self.code,
            "level": self.level,
            "table": self.table,
            "line": self.line,
            "column": self.column,
            "value": self.value,
            "fields": dict(self.fields),
        }


def make_issue(
    code: str,
    *,
    table: str | None = None,
    line: int | None = None,
    column: str | None = None,
    value: str | None = None,
    **others: Field,
) -> Issue:
    """An issue whose texts are safe to show: cut, and without control characters. The level follows from the code."""
    return Issue(
        code=code,
        level="error" if code.startswith("E-") else "warning",
        table=table,
        line=line,
        column=None if column is None else shown(column, _COLUMN_CHARACTERS),
        value=None if value is None else shown(value),
        fields={
            name: shown(part, _FIELD_CHARACTERS) if isinstance(part, str) else part for name, part in others.items()
        },
    )


def shown(text: str, most: int = SHOWN_CHARACTERS) -> str:
    """`text` in at most `most` characters; control, format and other invisible characters as \\x07 or \\u200b."""
    head = text[: most + 1]
    safe = head if head.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in head)
    return safe if len(safe) <= most else safe[: most - 1] + "…"


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as Python's surrogateescape keeps it
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


class IssueLog:
    """Collects issues with bounded memory: all counted by code, at most 50 errors and 50 warnings kept.

    The 50 kept are the first by line, except that each (code, table, column) found keeps at least its first: a column
    with 10,000 faults does not hide the one fault of another.
    """

    def __init__(self) -> None:
        """Empty."""
        self.total: dict[str, int] = {}
        self._groups: dict[tuple[str, str | None, str | None], list[Issue]] = {}

    def add(
        self,
        code: str,
        *,
        table: str | None = None,
        line: int | None = None,
        column: str | None = None,
        value: str | None = None,
        **others: Field,
    ) -> None:
        """Count one issue (or `count` of them), and keep it while there is room for its kind."""
        count = others.get("count")
        self.total[code] = self.total.get(code, 0) + (count if isinstance(count, int) else 1)
        group = self._group(code, table, column)
        if len(group) < KEPT:
            group.append(make_issue(code, table=table, line=line, column=column, value=value, **others))

    def count(self, code: str, more: int) -> None:
        """Count `more` issues of this code that are not kept."""
        if more > 0:
            self.total[code] = self.total.get(code, 0) + more

    def extend(self, issues: Iterable[Issue]) -> None:
        """Add issues made elsewhere, for example by a metric's `validate`."""
        for issue in issues:
            count = issue.fields.get("count")
            self.total[issue.code] = self.total.get(issue.code, 0) + (count if isinstance(count, int) else 1)
            group = self._group(issue.code, issue.table, issue.column)
            if len(group) < KEPT:
                group.append(issue)

    def _group(self, code: str, table: str | None, column: str | None) -> list[Issue]:
        key = (code, table, column)
        if key not in self._groups and len(self._groups) >= _GROUPS:
            key = (code, None, None)
        return self._groups.setdefault(key, [])

    @property
    def refused(self) -> bool:
        """True where at least one error was found."""
        return any(code.startswith("E-") for code in self.total)

    @property
    def errors(self) -> tuple[Issue, ...]:
        """The errors kept, at most 50, by line; those of no line first where they concern the file, last where ids."""
        return self._kept("error")

    @property
    def warnings(self) -> tuple[Issue, ...]:
        """The warnings kept, at most 50, by line."""
        return self._kept("warning")

    def _kept(self, level: Level) -> tuple[Issue, ...]:
        groups = [sorted(group, key=_place) for group in self._groups.values() if group and group[0].level == level]
        first = sorted((group[0] for group in groups), key=_place)[:KEPT]
        others = merge(*(group[1:] for group in groups), key=_place)
        kept = first + [issue for issue, _ in zip(others, range(KEPT - len(first)), strict=False)]
        return tuple(sorted(kept, key=_place))

    def to_json(self) -> dict[str, Any]:
        """`{"issues": [...], "total": {code: n}}`: at most 50 issues, errors before warnings."""
        kept = (self.errors + self.warnings)[:KEPT]
        return {"issues": [issue.to_json() for issue in kept], "total": dict(sorted(self.total.items()))}


def _place(issue: Issue) -> tuple[str, float]:
    """By table, then by line; what has no line comes after what has one."""
    return issue.table or "", float("inf") if issue.line is None else issue.line


class InputRefused(ValueError):
    """A file of the organiser cannot be used. `issues` says why, line by line."""

    def __init__(self, issues: IssueLog) -> None:
        """`issues` holds at least one error."""
        codes = ", ".join(f"{code} × {count}" for code, count in sorted(issues.total.items()) if code[0] == "E")
        super().__init__(f"the file cannot be used: {codes}")
        self.issues = issues
