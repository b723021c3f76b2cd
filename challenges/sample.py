"""The sample submission must be an entry that is accepted, and the reference one that can be scored against."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from challenges.case_files import case_index, issue_problems
from challenges.layout import CASES_FILE, sample_file
from challenges.problems import Problem
from challenges.spec import ChallengeSpec
from scoring.read import read_reference, read_upload


def sample_problems(spec: ChallengeSpec, files: Mapping[str, Path]) -> list[Problem]:
    """Problems of the sample submission and of the reference's tables. The folder itself has none."""
    index = case_index(spec, files[CASES_FILE])
    problems = []
    sample = sample_file([table.format for table in index.tables])
    if sample in files:
        with files[sample].open("rb") as stream:
            problems += issue_problems(read_upload(stream, index=index).issues, sample)
    with ExitStack() as stack:
        paths = {table.name: files[f"reference/{table.file}"] for table in index.tables}
        streams = {name: stack.enter_context(path.open("rb")) for name, path in paths.items()}
        problems += issue_problems(read_reference(streams, index=index).issues, f"reference/{index.tables[0].file}")
    return problems
