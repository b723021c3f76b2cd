"""`arbitre serve` as a user starts it: real processes, found and killed by their place under the supervisor."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

START_S = 60
MARKS = {"web": "app.cli.web", "worker": "app.worker", "runner": "sandbox_runner"}
ADDRESS = re.compile(r"Arbitre runs at (http://localhost:\d+) ")


@dataclass
class Server:
    """A running `arbitre` process tree: its data folder, what it said, and its children by name."""

    process: subprocess.Popen[str]
    data: Path
    lines: list[str] = field(default_factory=list)
    url: str = ""

    def read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))
        self.process.stdout.close()

    def wait_for_address(self) -> None:
        end = time.monotonic() + START_S
        while not self.url:
            found = [match[1] for line in list(self.lines) if (match := ADDRESS.search(line))]
            self.url = found[0] if found else ""
            assert self.process.poll() is None, "".join(self.lines)
            assert time.monotonic() < end, "".join(self.lines)
            time.sleep(0.05)

    def children(self) -> dict[str, int]:
        """Process ids of the living web process, worker and runner."""
        found: dict[str, int] = {}
        for pid in children_of(self.process.pid):
            command = command_of(pid)
            found |= {name: pid for name, mark in MARKS.items() if mark in command or f"arbitre-{name}" in command}
        return found

    def wait_for(self, *names: str, seconds: float = 30) -> dict[str, int]:
        """The children, once all of `names` live."""
        end = time.monotonic() + seconds
        while not set(names) <= (found := self.children()).keys():
            assert time.monotonic() < end, f"{found} after {seconds} s: {''.join(self.lines)}"
            time.sleep(0.05)
        return found

    def kill(self, name: str) -> int:
        """SIGKILL to one child; its process id."""
        pid = self.wait_for(name)[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 20) -> int:
        """End the supervisor as a user or an init system does; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(seconds)


@contextmanager
def serving(*arguments: str, data: Path, command: str = "serve", **settings: object) -> Iterator[Server]:
    """`arbitre serve` (or demo) on a free port until the block ends. `settings` become ARBITRE_* variables."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ARBITRE_")}
    environment |= {f"ARBITRE_{name.upper()}": str(value) for name, value in settings.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", command, "--port", "0", "--data", str(data), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    server = Server(process, data)
    reader = Thread(target=server.read, daemon=True)
    reader.start()
    try:
        server.wait_for_address()
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
        reader.join(5)


def children_of(parent: int) -> list[int]:
    """Living processes whose parent is `parent`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            state, owner = stat_of(int(entry.name))
            if owner == parent and state not in ("Z", "X"):
                found.append(int(entry.name))
    return found


def stat_of(pid: int) -> tuple[str, int]:
    """(state, parent) of a process; ("X", 0) when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "X", 0
    return fields[0], int(fields[1])


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def descendants(pid: int) -> list[int]:
    """All living processes below `pid`."""
    below = children_of(pid)
    return below + [further for child in below for further in descendants(child)]


def gone(pids: list[int], *, seconds: float) -> list[int]:
    """Those of `pids` that still live after up to `seconds`."""
    end = time.monotonic() + seconds
    while (left := [pid for pid in pids if stat_of(pid)[0] not in ("Z", "X")]) and time.monotonic() < end:
        time.sleep(0.05)
    return left
