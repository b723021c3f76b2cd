"""A broken rule by its key path, and the words rules share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from challenges.layout import SPEC_FILE
from challenges.problems import Problem, dotted, shown
from challenges.toml_lines import Key, line_of


@dataclass(frozen=True)
class Finding:
    """One broken rule of challenge.toml: code, key, and what was expected and found."""

    code: str
    key: Key
    expected: str | None = None
    found: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


def place(finding: Finding, lines: Mapping[Key, int]) -> Problem:
    """The problem with the line of its key, or of the nearest written table around it."""
    return Problem(
        finding.code,
        file=SPEC_FILE,
        line=line_of(finding.key, lines),
        key=dotted(finding.key),
        expected=finding.expected,
        found=finding.found,
        fields=finding.fields,
    )


def words(names: Iterable[object]) -> str:
    """Names for a sentence, in their order; `none` where there are none."""
    return ", ".join(shown(name) for name in names) or "none"


def repeats(values: Iterable[tuple[Key, object]]) -> Iterator[Finding]:
    """A finding for each value that an earlier key holds already; None is no value."""
    seen: set[object] = set()
    for key, value in values:
        if value is not None and value in seen:
            yield Finding("R-TWICE", key, found=shown(value))
        seen.add(value)
