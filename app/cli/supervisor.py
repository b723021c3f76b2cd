"""Starts the processes of an instance, starts again what dies, and ends all of them when it is told to or dies."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 30.0
STEADY_S = 30.0
"""A child that lived this long and dies is started again at once; one that dies sooner waits longer each time."""
STOP_S = 10.0
POLL_S = 0.1


@dataclass
class Child:
    """A process to keep alive: its command, its environment and the descriptors it inherits."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    descriptors: Sequence[int] = ()
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    due: float = field(default=0.0)

    def start(self) -> None:
        """Start it in a session of its own: Ctrl-C reaches the supervisor alone, which ends its children in order."""
        parent = os.getpid()
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            list(self.command),
            env=dict(self.environment),
            pass_fds=tuple(self.descriptors),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: _die_with(parent),
        )
        self.started = time.monotonic()

    def keep(self, now: float) -> None:
        """Start it when it is not running and its pause is over."""
        if self.process is None:
            if now >= self.due:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        steady = now - self.started >= STEADY_S
        self.pause_s = FIRST_PAUSE_S if steady else min(self.pause_s * 2, LONGEST_PAUSE_S)
        self.due, self.process = now + self.pause_s, None
        _say(f"The {self.name} ended ({_ending(code)}); it is started again in {self.pause_s:.1f} s.")


def supervise(children: list[Child], *, stop: Stop, until: Callable[[], list[Child] | None]) -> None:
    """Keep all children alive until `stop` is asked for, then end them within seconds.

    `until` is called every tenth of a second until it returns more children, which are then kept too.
    """
    more = None
    try:
        while not stop.asked:
            for child in children:
                child.keep(time.monotonic())
            if more is None and (more := until()):
                children.extend(more)
            stop.wait(POLL_S)
    finally:
        end(children)


def end(children: Sequence[Child]) -> None:
    """SIGTERM to all, SIGKILL to those that are still there after `STOP_S`."""
    running = [child.process for child in children if child.process is not None and child.process.poll() is None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + STOP_S
    for process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Stop:
    """Whether SIGTERM or SIGINT came. `wait` ends early when one comes."""

    def __init__(self) -> None:
        self.asked = False

    def install(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._ask)

    def wait(self, seconds: float) -> None:
        if not self.asked:
            time.sleep(seconds)

    def _ask(self, *_: object) -> None:
        self.asked = True


def _die_with(parent: int) -> None:
    """Runs in the child before its program: SIGKILL to the supervisor ends it too, even in this very moment."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
