"""examples/<name>/expected.toml: what scoring an example entry must give."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, Strict, ValidationError

from challenges.problems import Problem, dotted, shown
from challenges.spec import ChallengeSpec, Line, Part, Slug

UPLOAD = ""  # stands for a table where one upload holds all of them
ARCHIVES = ("entry.zip", "entry.tar", "entry.tar.gz")
Outcome = Literal["ok", "invalid", "time", "memory", "output", "crash"]


class Expected(Part):
    """`outcome`: how the scoring ends; `codes`: all codes of problems and warnings, in any order.

    `values`: `metric_id` (its main output) or `metric_id.output` → value on all cases, nan for undefined, compared to
    within `tolerance`. `phase`: which phase scores it, by default the first.
    """

    outcome: Outcome
    codes: tuple[Line, ...] = ()
    values: dict[Line, Annotated[float, Strict()]] = Field(default_factory=dict)
    tolerance: Annotated[float, Strict(), Field(ge=0, le=1)] = 1e-9
    phase: Slug | None = None


@dataclass(frozen=True)
class Example:
    """One example: its name, the file of each table (or of the whole upload, by `UPLOAD`), and what is expected."""

    name: str
    files: Mapping[str, Path]
    expected: Expected


def read_examples(spec: ChallengeSpec, files: Mapping[str, Path]) -> tuple[list[Example], list[Problem]]:
    """The examples of a folder by name, and what is wrong with their own files."""
    names = sorted({path.split("/")[1] for path in files if path.startswith("examples/") and path.count("/") > 1})
    if not names:
        return [], [Problem("E-NONE", file="examples")]
    examples, problems = [], []
    for name in names:
        expected, wrong = _expected(f"examples/{name}/expected.toml", files)
        entry, missing = _entry(spec, name, files)
        problems += [*wrong, *missing]
        if expected is not None and not missing:
            examples.append(Example(name, entry, expected))
    return examples, problems


def _expected(path: str, files: Mapping[str, Path]) -> tuple[Expected | None, Sequence[Problem]]:
    if path not in files:
        return None, [Problem("F-MISSING-EXAMPLE", file=path, expected=path)]
    try:
        document: dict[str, Any] = tomllib.loads(files[path].read_text(encoding="utf-8-sig"))
        return Expected.model_validate(document), []
    except ValidationError as error:
        return None, [
            Problem("E-EXPECTED", file=path, key=dotted(e["loc"]), fields={"why": f"{dotted(e['loc'])}: {e['msg']}"})
            for e in error.errors(include_url=False)
        ]
    except (ValueError, RecursionError) as error:
        return None, [Problem("E-EXPECTED", file=path, fields={"why": shown(str(error))})]


def _entry(spec: ChallengeSpec, name: str, files: Mapping[str, Path]) -> tuple[dict[str, Path], list[Problem]]:
    """The archive where there are several tables and it is there; else the file of each, plain or compressed."""
    archives = [files[path] for file in ARCHIVES if (path := f"examples/{name}/{file}") in files]
    if archives and len(spec.entry.tables) > 1:
        return {UPLOAD: archives[0]}, []
    entry, missing = {}, []
    for table, form in spec.entry.tables.items():
        paths = [f"examples/{name}/{form.file}{ending}" for ending in ("", ".gz", ".zip")]
        there = [path for path in paths if path in files]
        if there:
            entry[table] = files[there[0]]
        else:
            missing.append(Problem("F-MISSING-EXAMPLE", file=paths[0], expected=paths[0]))
    return entry, missing
