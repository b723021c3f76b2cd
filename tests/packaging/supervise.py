"""Runs one command and names what it leaves behind: processes, mounts and containers.

`./check` runs pytest under this program. As a subreaper it inherits every orphan of the command, so a process that
daemonised or emptied its environment is found too. Exit code: the command's own, or 1 when something was left.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
GRACE_S = 5.0


def children() -> dict[int, str]:
    """Living processes whose parent is this one, with their command lines; ended ones are reaped and left out."""
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            state, parent = entry.joinpath("stat").read_text().rpartition(")")[2].split()[:2]
            command = entry.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if int(parent) == os.getpid() and state != "Z":
            found[int(entry.name)] = command.strip()
    return found


def reap() -> None:
    """Collects ended orphans, so that they do not stay as zombies."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def remaining(seconds: float) -> dict[int, str]:
    """Children still alive after up to `seconds`: a sandbox's killer needs a moment."""
    end = time.monotonic() + seconds
    while (left := children()) and time.monotonic() < end:
        reap()
        time.sleep(0.1)
    return left


def stop(processes: dict[int, str]) -> None:
    """Kills the processes and, in turn, what they hand to us when they die."""
    while processes:
        for pid in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
        reap()
        processes = children()


def mounts() -> set[str]:
    """Mount points of this mount namespace."""
    return {line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()}


def containers() -> set[str]:
    """Containers of the Docker Engine that DOCKER_HOST names, running or not; none where no engine answers."""
    if shutil.which("docker") is None:
        return set()
    listed = subprocess.run(["docker", "ps", "-a", "--format", "{{.ID}} {{.Names}}"], capture_output=True, text=True)
    return set(listed.stdout.splitlines())


def run(command: list[str]) -> int:
    """Runs the command and returns its exit code; orphans that end meanwhile are reaped, so that none seems to live."""
    child = subprocess.Popen(command)
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child.pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            return child.returncode


def main(command: list[str]) -> int:
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before = mounts(), containers()
    code = run(command)
    processes = remaining(GRACE_S)
    left = [f"process {pid}: {line}" for pid, line in processes.items()]
    stop(processes)
    left += [f"mount: {point}" for point in sorted(mounts() - before[0])]
    left += [f"container: {name}" for name in sorted(containers() - before[1])]
    for line in left:
        print(f"Left behind by the tests: {line}", file=sys.stderr)
    return code or (1 if left else 0)


if __name__ == "__main__":
    # Ctrl-C is the command's to answer; a handler, unlike SIG_IGN, is not inherited by it.
    signal.signal(signal.SIGINT, lambda *_: None)
    sys.exit(main(sys.argv[1:]))
