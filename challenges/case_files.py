"""The files that say which cases there are and what is known of each: public/cases.csv and the attributes file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from challenges.problems import Problem
from challenges.spec import ChallengeSpec


def case_problems(spec: ChallengeSpec, files: Mapping[str, Path]) -> list[Problem]:
    """Every problem of the case files."""
    return []
