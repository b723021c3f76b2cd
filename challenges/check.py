"""The whole check of a challenge folder: it opens, its sample can be read, and every example ends as it says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from challenges.expected import Example, read_examples
from challenges.folder import ChallengeFolder, open_folder
from challenges.metric_rules import outputs_of
from challenges.problems import FolderError, Problem, shown
from challenges.rule import words
from challenges.sample import sample_problems


@dataclass(frozen=True)
class Scored:
    """How one scoring ended. `codes` of all problems and warnings; `values` as JSON of design 11.7; `message` for ends
    that have no code (a metric's refusal, a crash)."""

    outcome: str
    codes: Sequence[str] = ()
    values: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    message: str | None = None


class Score(Protocol):
    """Scores one entry against a folder's reference, in a sandbox: `entry` is the file of each table, or one upload
    that holds them all (`challenges.expected.UPLOAD`)."""

    def __call__(self, *, folder: ChallengeFolder, phase: str, entry: Mapping[str, Path]) -> Scored: ...


def check_folder(root: Path, *, score: Score) -> list[Problem]:
    """Every problem of the folder at `root`, examples included; [] means that it may be published.

    With problems in the folder itself nothing is scored: the examples would only repeat them.
    """
    try:
        folder = open_folder(root)
    except FolderError as error:
        return list(error.problems)
    examples, problems = read_examples(folder.spec, folder.files)
    problems += sample_problems(folder.spec, folder.files)
    for example in examples:
        problems += example_problems(folder, example, score=score)
    return problems


def example_problems(folder: ChallengeFolder, example: Example, *, score: Score) -> list[Problem]:
    """Where an example ends otherwise than its expected.toml says."""
    expected, file = example.expected, f"examples/{example.name}/expected.toml"
    phase = expected.phase or folder.spec.phases[0].slug
    if phase not in [window.slug for window in folder.spec.phases]:
        return [Problem("E-EXPECTED", file=file, fields={"why": f"there is no phase {phase}"})]
    scored = score(folder=folder, phase=phase, entry=example.files)
    known: dict[str, Any] = {"file": file, "fields": {"name": example.name}}
    problems = []
    if scored.outcome != expected.outcome:
        found = f"{scored.outcome} ({shown(scored.message)})" if scored.message else scored.outcome
        problems.append(Problem("E-OUTCOME", **known, expected=expected.outcome, found=found))
    if set(scored.codes) != set(expected.codes):
        given, wanted = words(sorted(set(scored.codes))), words(sorted(set(expected.codes)))
        problems.append(Problem("E-CODES", **known, expected=wanted, found=given))
    if scored.outcome == "ok":
        problems += _values(folder, example, phase, scored.values)
    return problems


def _values(
    folder: ChallengeFolder, example: Example, phase: str, values: Sequence[Mapping[str, Any]]
) -> list[Problem]:
    given = {f"{v['metric']}.{v['output']}": v["value"] for v in values if v["slice"] == "all"}
    mains = {metric.id: (outputs_of(metric, folder.spec) or ("",))[0] for metric in folder.spec.metrics}
    file = f"examples/{example.name}/expected.toml"
    problems = []
    for name, expected in example.expected.values.items():
        full = f"{name}.{mains[name]}" if name in mains else name
        known: dict[str, Any] = {"file": file, "key": f"values.{name}"}
        if full not in given:
            problems.append(Problem("E-METRIC", **known, expected=words(given), fields={"phase": phase}))
        elif not _near(given[full], expected, example.expected.tolerance):
            fields = {"name": example.name}
            found = "undefined" if given[full] is None else f"{given[full]:.12g}"
            problems.append(Problem("E-VALUE", **known, expected=f"{expected:.12g}", found=found, fields=fields))
    return problems


def _near(value: float | None, expected: float, tolerance: float) -> bool:
    """An undefined value is expected as nan."""
    if value is None or math.isnan(expected):
        return value is None and math.isnan(expected)
    return abs(value - expected) <= tolerance
