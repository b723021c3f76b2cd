"""Started sandboxes that wait for work: those that hold no challenge yet, and those that hold one.

A sandbox that did a job of a challenge does its next one too, in a fork of its own; so the files of a challenge are
read once. All are ended when the code that they imported changes, and the longest unused where there are too many.
"""

import itertools
import os
import secrets
import threading
import time
from collections import deque
from pathlib import Path

from sandbox_runner.bubblewrap import Layout, SandboxUnavailable
from sandbox_runner.code import Code
from sandbox_runner.sandbox import Sandbox

_RETRY_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
_WORK_FIRST_S = 2.0
_FAILING_S = 5.0
_LOOK_S = 15.0
KEPT_S = 600.0


class Pool:
    """`size` sandboxes, ready, and besides at most `kept` that hold a challenge.

    Those that nobody used for `kept_s` seconds are ended, and the longest unused where all together take more than
    `kept_bytes` of memory: a quarter of the machine's, if nothing is given.

    One thread starts all of them and lives as long as they do: a sandbox dies with it. While others are at work and one
    is ready, it waits a little before it starts the next, which would take a core from who waits for a score.
    """

    def __init__(
        self, layout: Layout, *, size: int, kept: int = 0, kept_s: float = KEPT_S, kept_bytes: int | None = None
    ) -> None:
        """Begins to fill at once. `kept` = 0: every job in a sandbox of its own."""
        self._layout, self._size, self._most = layout, size, kept
        self._most_s, self._most_bytes = kept_s, _memory() // 4 if kept_bytes is None else kept_bytes
        self._code = Code(layout)
        self._numbers = itertools.count(secrets.randbelow(1 << 20))
        self._ready: deque[Sandbox] = deque()
        self._kept: deque[Sandbox] = deque()  # the longest unused first
        self._taken: list[Sandbox] = []
        self._failure: SandboxUnavailable | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._keeper = threading.Thread(target=self._keep, name="sandbox-pool", daemon=True)
        self._keeper.start()

    def take(self, holds: str = "", timeout_s: float = 60.0) -> Sandbox:
        """A sandbox for one `run`, which holds this challenge already, or none; `give` it back afterwards.

        Where one could not be started, the next may: it waits a little. Raises SandboxUnavailable with the reason.
        """
        with self._changed:
            self._drain()
            found = next((sandbox for sandbox in self._kept if holds and sandbox.holds == holds), None)
            if found is not None:
                self._kept.remove(found)
            else:
                self._changed.wait_for(lambda: self._ready or self._failure or self._closed, timeout_s)
                self._changed.wait_for(lambda: self._ready or self._closed, min(timeout_s, _FAILING_S))
                if not self._ready:
                    raise self._failure or SandboxUnavailable("The pool of sandboxes is closed or too slow.")
                found = self._ready.popleft()
            self._taken.append(found)
            self._changed.notify_all()
            return found

    def give(self, sandbox: Sandbox) -> None:
        """Take back what was taken: kept where it lives and holds a challenge, else ended."""
        sandbox.room, sandbox.unused_since = sandbox.resident(), time.monotonic()
        with self._changed:
            self._taken.remove(sandbox)
            gone = []
            if self._closed or not (sandbox.fit and sandbox.holds):
                gone.append(sandbox)
            else:
                self._kept.append(sandbox)
            while len(self._kept) > self._most or sum(each.room for each in self._kept) > self._most_bytes:
                gone.append(self._kept.popleft())
            self._changed.notify_all()
        for each in gone:
            each.discard()

    def wait(self, timeout_s: float) -> bool:
        """Whether a sandbox is there that can work at once, within this time.

        One that holds a challenge is of no use for another, which counts where no new one can be started.
        """
        with self._changed:
            there = self._changed.wait_for(
                lambda: self._ready or (self._kept and not self._failure) or self._closed, timeout_s
            )
            return bool(there) and not self._closed

    @property
    def failure(self) -> str:
        """Why the last start failed; empty where it did not."""
        return str(self._failure or "")

    @property
    def ready(self) -> int:
        """How many wait that hold no challenge."""
        return len(self._ready)

    @property
    def kept(self) -> int:
        """How many wait that hold one."""
        return len(self._kept)

    def close(self) -> None:
        """End all sandboxes, those at work too, and wait until the waiting ones are gone."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            taken = list(self._taken)
        for sandbox in taken:
            sandbox.cancel()
        self._keeper.join()

    def _drain(self) -> None:
        """End what was started with other code than there is now. Call with the lock held."""
        code = self._code.digest()
        for waiting in (self._ready, self._kept):
            for sandbox in [sandbox for sandbox in waiting if sandbox.code != code]:
                waiting.remove(sandbox)
                sandbox.discard()
        self._changed.notify_all()

    def _keep(self) -> None:
        failures = 0
        while self._wait_for_need():
            try:
                code = self._code.digest()
                sandbox = start(self._layout, number=next(self._numbers))
            except SandboxUnavailable as error:
                self._failed(error, _RETRY_S[min(failures, len(_RETRY_S) - 1)])
                failures += 1
                continue
            failures = 0
            with self._changed:
                sandbox.code, self._failure = code, None
                self._ready.append(sandbox)
                self._changed.notify_all()
        for sandbox in (*self._ready, *self._kept):
            sandbox.discard()
        self._ready.clear()
        self._kept.clear()

    def _end_unused(self) -> None:
        """Call with the lock held."""
        while self._kept and time.monotonic() - self._kept[0].unused_since >= self._most_s:
            self._kept.popleft().discard()

    def _wait_for_need(self) -> bool:
        with self._changed:
            look_s = min(_LOOK_S, self._most_s)
            while not self._changed.wait_for(lambda: self._closed or len(self._ready) < self._size, look_s):
                self._end_unused()
            self._changed.wait_for(lambda: self._closed or not (self._ready and self._taken), _WORK_FIRST_S)
            return not self._closed

    def _failed(self, error: SandboxUnavailable, pause_s: float) -> None:
        with self._changed:
            self._failure = error
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed, pause_s)


def _memory() -> int:
    """Bytes of this machine, or of the control group that this process is held in."""
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return min(whole, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):  # no such file, or "max"
        return whole


def start(layout: Layout, *, number: int) -> Sandbox:
    """One sandbox, ready and proven closed; for a caller whose thread outlives it. Raises SandboxUnavailable."""
    try:
        sandbox = Sandbox(layout, number=number)
    except OSError as error:
        raise SandboxUnavailable(f"The sandbox cannot be started: {error}.") from error
    try:
        sandbox.wait_ready()
    except (SandboxUnavailable, OSError) as error:
        sandbox.discard()
        raise SandboxUnavailable(str(error)) from error
    return sandbox
