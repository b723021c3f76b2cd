"""Formats that native code reads: one sandbox reads without labels, another scores what was read."""

import io
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox_runner import bubblewrap, tasks
from sandbox_runner.bubblewrap import Layout
from sandbox_runner.contract import Finish, Limits, Usage
from sandbox_runner.pool import Pool, start
from sandbox_runner.sandbox import Sandbox
from sandbox_runner.steps import Sandboxes, Step
from scoring.packing import pack
from scoring.tables import Entry, Table
from tests.sandbox_runner.conftest import NUMBERS
from tests.sandbox_runner.risk import job_files

pytestmark = pytest.mark.sandbox

Opened = Callable[[bytes], int]
LIMITS = Limits(wall_s=60, cpu_s=60, memory_mb=1024)
ROWS = 60


@pytest.fixture
def pool() -> Any:
    pool = Pool(bubblewrap.layout(), size=1, kept=2)
    yield pool
    pool.close()


@pytest.fixture(autouse=True)
def csv_counts_as_native(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the two steps are seen with a format whose reader is always there."""
    monkeypatch.setattr(tasks, "NATIVE", frozenset({"csv"}))


def files_of(opened: Opened, files: dict[str, bytes]) -> dict[str, int]:
    """The files of a job, where the spec names the format of its tables."""
    named = json.loads(files["spec"])
    for table in named["tables"]:
        table["format"] = "csv"
    return {role: opened(content) for role, content in (files | {"spec": json.dumps(named).encode()}).items()}


def test_two_sandboxes_give_what_one_gives(opened: Opened, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    def scored() -> tuple[Finish, dict[str, bytes]]:
        files = files_of(opened, job_files())
        report = tasks.perform("score", files, limits=LIMITS, sandboxes=Sandboxes(pool.take, pool.give))
        assert report is not None
        return report.finish, dict(report.outputs)

    two, outputs = scored()
    monkeypatch.setattr(tasks, "NATIVE", frozenset())
    one, expected = scored()
    assert (two.outcome, two.values, two.detail, outputs) == ("ok", one.values, one.detail, expected)
    assert sorted(outputs) == ["case_table", "replicates"]


def test_waiting_for_a_sandbox_is_not_time_of_a_job(opened: Opened, pool: Pool) -> None:
    def slow(holds: str) -> Sandbox:
        time.sleep(1.1)
        return pool.take(holds)

    files = files_of(opened, job_files())
    limits = LIMITS.model_copy(update={"wall_s": 1.0})
    report = tasks.perform("score", files, limits=limits, sandboxes=Sandboxes(slow, pool.give))
    assert report is not None
    assert (report.finish.outcome, report.finish.usage.wall_s < 1) == ("ok", True)


def test_the_clock_of_the_second_step_goes_on_where_that_of_the_first_stood(opened: Opened, pool: Pool) -> None:
    roles = {"spec", "cases", "attributes", "plan", "reference/risks"}
    files = files_of(opened, job_files(rows=20_000))
    used = Usage(wall_s=LIMITS.wall_s - 0.01)
    challenge = {role: file for role, file in files.items() if role in roles}
    sandboxes = Sandboxes(pool.take, pool.give)
    report = Step("score", challenge, {"entry": files["entry"]}, LIMITS, sandboxes, used=used).run()
    assert report is not None
    assert (report.finish.outcome, report.finish.detail.message) == (
        "time",
        "It was not done after 60 s, which is all this phase allows.",
    )


def test_a_refused_entry_never_meets_the_reference(opened: Opened, pool: Pool) -> None:
    used: list[Sandbox] = []
    files = files_of(opened, job_files(entry=b"id,risk\np0,nan\n"))
    sandboxes = Sandboxes(pool.take, pool.give, started=used.append)
    report = tasks.perform("score", files, limits=LIMITS, sandboxes=sandboxes)
    assert report is not None
    assert (report.finish.outcome, report.outputs, len(used)) == ("invalid", {}, 1)


def test_who_reads_the_entry_never_has_the_reference(opened: Opened, pool: Pool) -> None:
    files = files_of(opened, job_files(rows=40_000, replicates=1))
    inodes = {role: inode(f"/proc/self/fd/{file}") for role, file in files.items()}
    seen: list[set[tuple[int, int]]] = []
    over = threading.Event()

    def watch(sandbox: Sandbox) -> None:
        seen.append(set())
        threading.Thread(target=collect, args=(sandbox, seen[-1], over)).start()

    sandboxes = Sandboxes(pool.take, pool.give, started=watch)
    report = tasks.perform("score", files, limits=LIMITS, sandboxes=sandboxes)
    over.set()
    assert report is not None
    assert (report.finish.outcome, len(seen)) == ("ok", 2)
    reading, scoring = ({role for role, node in inodes.items() if node in nodes} for nodes in seen)
    assert reading == {"spec", "cases", "entry"}
    assert "reference/risks" in scoring
    assert "entry" not in scoring


def inode(path: str) -> tuple[int, int]:
    found = Path(path).stat()
    return found.st_dev, found.st_ino


def collect(sandbox: Sandbox, into: set[tuple[int, int]], over: threading.Event) -> None:
    """Every file that any process of the sandbox has open at any time, as the host sees it."""
    while sandbox.alive and not over.is_set():
        children = Path(f"/proc/{sandbox.pid}/task/{sandbox.pid}/children")
        try:
            for pid in [sandbox.pid, *map(int, children.read_text().split())]:
                for entry in Path(f"/proc/{pid}/fd").iterdir():
                    into.add(inode(str(entry)))
        except OSError:
            pass
        time.sleep(0.0005)


def arrays(**more: Any) -> bytes:
    """What a reader hands out for an entry of `ROWS` cases, or something else."""
    risk = np.linspace(0, 1, ROWS)
    good = {"0.case": np.arange(ROWS), "0.missing": np.zeros(ROWS, dtype=bool), "0.column0": risk}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=True, **(good | more))
    return buffer.getvalue()


HOSTILE = {
    "no zip": (b"PK\x03\x04", "The answer of the sandbox was refused: an output is no npz file."),
    "pickle": (
        arrays(**{"0.column0": np.array([print] * ROWS, dtype=object)}),
        "The answer of the sandbox was refused: an array is not of the agreed type or size.",
    ),
    "another array": (
        arrays(label=np.zeros(3)),
        "The arrays of the entry cannot be used: array label is not expected.",
    ),
    "too few rows": (
        arrays(**{"0.column0": np.zeros(3)}),
        "The arrays of the entry cannot be used: in table risks, column risk has 3 rows, not 60.",
    ),
    "out of range": (
        arrays(**{"0.column0": np.full(ROWS, 7.0)}),
        "The arrays of the entry cannot be used: in table risks, column risk is out of range.",
    ),
    "nan": (
        arrays(**{"0.column0": np.full(ROWS, np.nan)}),
        "The arrays of the entry cannot be used: in table risks, column risk holds nan or inf.",
    ),
}


@pytest.fixture
def taken_over(pool: Pool, probe_layout: Callable[..., Layout]) -> Sandboxes:
    """The first sandbox hands out as arrays whatever the entry says; the next are as ever."""
    readers = [start(probe_layout(), number=next(NUMBERS))]

    def give(sandbox: Sandbox) -> None:
        pool.give(sandbox) if sandbox in pool._taken else sandbox.discard()

    return Sandboxes(lambda holds: readers.pop() if readers else pool.take(holds), give)


@pytest.mark.parametrize("name", HOSTILE)
def test_arrays_of_a_reader_that_was_taken_over_are_refused(name: str, opened: Opened, taken_over: Sandboxes) -> None:
    forged, complaint = HOSTILE[name]
    files = files_of(opened, job_files(entry=forged))
    report = tasks.perform("score", files, limits=LIMITS, sandboxes=taken_over)
    assert report is not None
    assert (report.finish.outcome, report.finish.detail.message) == ("internal", complaint)


def test_forged_arrays_that_fit_are_only_another_entry(opened: Opened, taken_over: Sandboxes) -> None:
    """Who takes over the reader can answer anything, as by writing the file so, and never sees the reference."""
    table = Table(np.arange(ROWS), {"risk": np.linspace(0, 1, ROWS)}, np.zeros(ROWS, dtype=bool))
    files = files_of(opened, job_files(entry=pack(Entry({"risks": table}))))
    report = tasks.perform("score", files, limits=LIMITS, sandboxes=taken_over)
    assert report is not None
    assert (report.finish.outcome, len(report.finish.values)) == ("ok", 3)
