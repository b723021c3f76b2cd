"""Shell commands typed at a terminal by somebody who waits for each question."""

from __future__ import annotations

import os
import select
import shlex
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

LIMIT_S = 180.0


def typed(
    commands: str, answers: Sequence[tuple[str, str]], *, cwd: Path, env: dict[str, str], user: int | None
) -> tuple[int, str]:
    """(exit code, all that was shown) of shell commands at a pseudo-terminal, up to the first that fails.

    `answers` are (words of a question, what to type), in order. Each question is waited for to its last character: a
    program that asks for a password throws away what was typed before it hid the letters.
    """
    bash = shlex.join(["bash", "-exc", commands])
    process = subprocess.Popen(
        ["script", "--quiet", "--return", "--flush", "--command", bash, "/dev/null"],
        cwd=cwd,
        env=env,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        shown = _converse(process, list(answers))
        process.kill()
    return process.returncode, shown


def _converse(process: subprocess.Popen[bytes], answers: list[tuple[str, str]]) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    shown, answered, end = "", 0, time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        if not select.select([process.stdout], [], [], 1)[0]:
            continue
        read = os.read(process.stdout.fileno(), 65536)
        if not read:
            process.wait(10)
            return shown
        shown += read.decode(errors="replace")
        if answers and answers[0][0] in shown[answered:]:
            process.stdin.write(answers.pop(0)[1].encode() + b"\n")
            process.stdin.flush()
            answered = len(shown)
    return shown + f"\n(nothing more within {LIMIT_S:.0f} s; unanswered: {answers})"
