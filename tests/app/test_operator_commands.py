"""Commands of operators that hand on to `arbitre-runner`, or make its tokens."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def arbitre(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_runner_is_arbitre_runner_start() -> None:
    done = arbitre("runner", "--help")
    assert (done.returncode, "--token-file" in done.stdout) == (0, True)


@pytest.mark.sandbox
def test_doctor_is_arbitre_runner_doctor() -> None:
    done = arbitre("doctor", "--json")
    assert (done.returncode, json.loads(done.stdout)["works"]) == (0, True)


def test_runner_add_prints_a_token_and_nothing_else(tmp_path: Path) -> None:
    done = arbitre("admin", "runner", "add", "hospital", "--data", str(tmp_path / "data"))
    assert (done.returncode, done.stdout.startswith("run_"), done.stdout.count("\n")) == (0, True, 1)
    document = json.loads(
        arbitre("admin", "runner", "add", "--queues", "score", "--json", "--data", str(tmp_path / "data")).stdout
    )
    assert (document["queues"], document["hours"]) == (["score"], 24)
    wrong = arbitre("admin", "runner", "add", "--queues", "house", "--data", str(tmp_path / "data"))
    expected = "Queues of runners are: check, predict, score, describe, inspect, prepare, analyse.\n"
    assert (wrong.returncode, wrong.stderr) == (1, expected)


def test_a_backup_of_nothing_and_a_restore_of_something_else_are_refused(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "file.tar"
    nothing = arbitre("backup", str(file), "--data", str(data))
    expected = f"There is no instance in {data}. Name its folder with --data.\n"
    assert (nothing.returncode, nothing.stderr, file.exists()) == (2, expected, False)
    file.write_bytes(b"holiday pictures")
    other = arbitre("restore", str(file), "--data", str(data))
    assert (other.returncode, other.stderr) == (1, "This file is no backup of Arbitre.\n")
