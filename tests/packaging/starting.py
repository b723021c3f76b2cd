"""./run in a copy of the clone: started as a terminal starts it, read while it runs, ended by Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

NOBODY = 65534
MARK = "CHECK_OF_RUN_ON_PORT"
STOP_S = 30


@dataclass
class Started:
    """A running ./run: its process group and what it has said so far, both streams together."""

    process: subprocess.Popen[str]
    port: int
    lines: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def said(self, pattern: str) -> list[str]:
        return [line for line in list(self.lines) if re.search(pattern, line)]

    def wait_for_address(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self.said(re.escape(self.url)):
            assert self.process.poll() is None, "".join(self.lines)
            assert time.monotonic() < end, "".join(self.lines)
            time.sleep(0.1)

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=30) as answer:
            return json.load(answer)

    def living(self) -> list[int]:
        """Processes that carry this start's mark in their environment, whatever session they are in."""
        mark = f"{MARK}={self.port}".encode()
        return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if mark in environment_of(folder)]


def environment_of(folder: Path) -> list[bytes]:
    try:
        return folder.joinpath("environ").read_bytes().split(b"\0")
    except OSError:
        return []


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def environment_for(clone: Path) -> dict[str, str]:
    """What a new user's shell has: an empty home, the system's programs, and whatever tells pip where packages are."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ARBITRE_", "XDG_"))}
    return kept | {"HOME": str(clone.parent / "home"), "PATH": f"{os.defpath}:/usr/local/bin:/usr/sbin:/sbin"}


@contextmanager
def running(clone: Path, *arguments: str, user: int | None, offline: bool = False) -> Iterator[Started]:
    """./run in a process group of its own, as a terminal would start it; ended by Ctrl-C."""
    environment = environment_for(clone)
    if offline:
        environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/nowhere"}
    port = free_port()
    environment |= {MARK: str(port)}
    process = subprocess.Popen(
        [clone / "run", "--port", str(port), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        cwd="/",
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        start_new_session=True,
    )
    started = Started(process, port)
    reader = Thread(target=started.read, daemon=True)
    reader.start()
    try:
        yield started
        os.killpg(process.pid, signal.SIGINT)
        process.wait(STOP_S)
        assert started.living() == []
    finally:
        for pid in started.living():
            os.kill(pid, signal.SIGKILL)
        process.wait(5)
        reader.join(5)
        assert process.stdout is not None
        process.stdout.close()
