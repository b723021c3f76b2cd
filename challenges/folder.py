"""A challenge folder on disk: opened, checked, and refused with all its problems at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from challenges.case_files import case_problems
from challenges.contents import content_problems
from challenges.files import list_files
from challenges.layout import SPEC_FILE
from challenges.problems import FolderError, Problem
from challenges.rules import rule_problems
from challenges.salvage import salvage
from challenges.spec import ChallengeSpec
from challenges.toml_lines import Key, key_lines
from challenges.toml_problems import shape_problems, syntax_problem

_MOST = 1_000_000  # bytes of challenge.toml


@dataclass(frozen=True)
class ChallengeFolder:
    """A folder that can be used. `files`: path inside the folder (NFC, sorted) → the file on disk."""

    spec: ChallengeSpec
    root: Path
    files: Mapping[str, Path]


def open_folder(root: Path) -> ChallengeFolder:
    """The folder at `root`. Errors: FolderError with every problem, in the order of files and lines.

    Reads challenge.toml, the pages' and documents' presence and encoding, and the case files; never the reference's
    answers, and executes nothing.
    """
    if not root.is_dir():
        raise FolderError((Problem("F-NOT-A-FOLDER", file=root.name),))
    files, problems = list_files(root)
    spec, lines, wrong = _read_spec(files)
    if spec is not None:
        wrong += rule_problems(spec, lines)
        problems += content_problems(spec, files, lines)
        problems += [] if any(_hides_cases(problem) for problem in wrong) else case_problems(spec, files)
    problems += wrong
    if problems or spec is None:
        raise FolderError(tuple(sorted(problems, key=_order)))
    return ChallengeFolder(spec, root, files)


def _hides_cases(problem: Problem) -> bool:
    """Whether a problem of challenge.toml leaves open what the case files must hold."""
    key = problem.key or ""
    return key in ("", "phases", "metrics") or key.startswith(("cases", "entry")) or "splits" in key


def _order(problem: Problem) -> tuple[bool, str, int]:
    """challenge.toml first; then by file and line."""
    return problem.file != SPEC_FILE, problem.file, problem.line or 0


def _read_spec(files: Mapping[str, Path]) -> tuple[ChallengeSpec | None, Mapping[Key, int], list[Problem]]:
    """The spec, or what can be read of it where it has problems; None where nothing can."""
    if SPEC_FILE not in files:
        return None, {}, [Problem("F-NO-SPEC", file=SPEC_FILE)]
    raw = files[SPEC_FILE].read_bytes() if files[SPEC_FILE].stat().st_size <= _MOST else None
    if raw is None:
        found = f"{files[SPEC_FILE].stat().st_size:,} bytes"
        return None, {}, [Problem("F-TOO-BIG", file=SPEC_FILE, expected=f"{_MOST:,} bytes", found=found)]
    return read_spec(raw)


def read_spec(raw: bytes) -> tuple[ChallengeSpec | None, Mapping[Key, int], list[Problem]]:
    """The spec in the bytes of a challenge.toml, the line of each key, and the problems of its shape.

    With problems, the spec holds what could be read (`challenges.salvage`), or is None where the text is not TOML.
    """
    try:
        text = raw.decode("utf-8-sig")
        document: dict[str, Any] = tomllib.loads(text)
        lines = key_lines(text)
    except (ValueError, RecursionError) as error:
        return None, {}, [syntax_problem(error, raw)]
    problems = shape_problems(document, lines)
    spec = salvage(ChallengeSpec, document) if problems else ChallengeSpec.model_validate(document)
    return spec, lines, problems
