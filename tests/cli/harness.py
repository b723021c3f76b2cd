"""What tests of the command line share: results of a run, and a server that misbehaves on purpose."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).resolve().parents[2]

Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as exactly one JSON document."""
        return json.loads(self.out)


class Run(Protocol):
    """`run("submit", "slug", ...)` in this process; `typed` is what stands on standard input."""

    def __call__(self, *arguments: str | Path, typed: str = "") -> Result:
        """The exit code and both streams."""


@dataclass(frozen=True)
class Seen:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Faulty:
    """A real HTTP server whose answers a test writes: for broken networks and other programs, never for our own API."""

    address: str
    seen: list[Seen] = field(default_factory=list)
    answer: Callable[[Seen], Answer | None] = lambda _: (404, {}, b"")


def problem(status: int, code: str, detail: str, **others: Any) -> Answer:
    """A refusal as the API sends it."""
    document = {
        "type": f"urn:arbitre:{code}",
        "title": code,
        "status": status,
        "code": code,
        "detail": detail,
        **others,
    }
    return status, {"Content-Type": "application/problem+json"}, json.dumps(document).encode()


def as_json(document: Any, status: int = 200) -> Answer:
    """A success as the API sends it."""
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()


def in_terminal(arguments: Sequence[str], **environment: str) -> str:
    """What a real terminal of 100 columns is sent."""
    ours, theirs = pty.openpty()
    variables = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **environment}
    command = [sys.executable, "-m", "app.cli", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, env=variables) as process:
        os.close(theirs)
        shown = bytearray()
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux says so when the other end is closed
                break
            if not piece:
                break
            shown += piece
        process.wait()
    os.close(ours)
    return shown.decode()
