"""Scoring a challenge folder's entry on this machine, without a server, in the same sandbox by the same code."""

import itertools
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from challenges.folder import ChallengeFolder
from challenges.layout import CASES_FILE
from challenges.scoring_spec import scoring_spec
from challenges.spec import phase_of
from sandbox_runner import bubblewrap
from sandbox_runner.contract import Finish, Limits
from sandbox_runner.pool import start
from sandbox_runner.sandbox import Sandbox
from sandbox_runner.steps import Sandboxes
from sandbox_runner.tasks import perform
from scoring.spec import to_json

_NUMBERS = itertools.count(secrets.randbelow(1 << 20))


def score_folder(
    folder: ChallengeFolder, *, phase: str, entry: Mapping[str, Path], seed: int = 0, check: bool = False
) -> Finish:
    """Score (or only check) an entry under one phase of a folder. `entry`: table -> file, or "" -> one upload that
    holds all tables; `seed`: of the resamples.

    The report may quote the files, since the caller holds them all. Raises KeyError for an unknown phase or table,
    OSError for a file that cannot be read; a sandbox that cannot be started is outcome ``internal``.
    """
    window, spec = phase_of(folder.spec, slug=phase), scoring_spec(folder.spec, phase)
    unknown = set(entry) - {table.name for table in spec.tables} - {""}
    if unknown:
        raise KeyError(f"no table {', '.join(sorted(unknown))}; there are {', '.join(t.name for t in spec.tables)}")
    files: dict[str, Path | bytes] = {"spec": json.dumps(to_json(spec)).encode(), "cases": folder.files[CASES_FILE]}
    files |= {f"entry/{table}" if table else "entry": path for table, path in entry.items()}
    if not check:
        files |= {"attributes": folder.files[folder.spec.cases.file], "plan": json.dumps({"seed": seed}).encode()}
        files |= {f"reference/{table.name}": folder.files[f"reference/{table.file}"] for table in spec.tables}
    limits = Limits(
        wall_s=window.limits.wall_s,
        cpu_s=window.limits.wall_s,
        memory_mb=window.limits.memory_mb,
        entry_mb=window.limits.size_mb,
    )
    return run_files("check" if check else "score", files, limits=limits)


def run_files(kind: str, files: Mapping[str, Path | bytes], *, limits: Limits) -> Finish:
    """Do one job on files of this machine, or bytes, by role."""
    with ExitStack() as stack:
        descriptors = {}
        for role, file in files.items():
            descriptors[role] = _opened(file)
            stack.callback(os.close, descriptors[role])
        report = perform(kind, descriptors, limits=limits, quote=True, sandboxes=Sandboxes(_take, Sandbox.discard))
    assert report is not None, "nobody else can cancel it"
    return report.finish


def _take(_: str) -> Sandbox:
    return start(bubblewrap.layout(), number=next(_NUMBERS))


def _opened(file: Path | bytes) -> int:
    if isinstance(file, Path):
        return os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    with tempfile.TemporaryFile() as copy:
        copy.write(file)
        copy.flush()
        return os.open(f"/proc/self/fd/{copy.fileno()}", os.O_RDONLY | os.O_CLOEXEC)
