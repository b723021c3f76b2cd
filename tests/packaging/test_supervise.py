"""The supervisor of the test run names what a command leaves behind, whatever the process did to hide."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SUPERVISE = Path(__file__).with_name("supervise.py")


def supervised(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SUPERVISE, "sh", "-c", script], capture_output=True, text=True)


def test_a_command_that_leaves_nothing_keeps_its_exit_code() -> None:
    assert [(supervised(f"exit {code}").returncode, supervised(f"exit {code}").stderr) for code in (0, 3)] == [
        (0, ""),
        (3, ""),
    ]


def test_a_daemon_with_an_empty_environment_is_named_and_killed() -> None:
    ended = supervised("setsid -f env -i sleep 61.25; exit 0")
    assert ended.returncode == 1
    assert ended.stderr.startswith("Left behind by the tests: process ")
    assert ended.stderr.endswith(": sleep 61.25\n")
    assert subprocess.run(["pgrep", "-f", "sleep 61[.]25"], capture_output=True).stdout == b""


def test_a_process_that_ends_within_the_grace_is_not_a_leftover() -> None:
    assert supervised("setsid -f sleep 0.5").returncode == 0
