"""Started sandboxes that wait for work: each is used once, and replaced in the background."""

import itertools
import secrets
import threading
from collections import deque

from sandbox_runner.bubblewrap import Layout, SandboxUnavailable
from sandbox_runner.sandbox import Sandbox

_RETRY_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)


class Pool:
    """`size` sandboxes, ready. One thread starts all of them and lives as long as they do: a sandbox dies with it."""

    def __init__(self, layout: Layout, *, size: int) -> None:
        """Begins to fill at once."""
        self._layout, self._size = layout, size
        self._numbers = itertools.count(secrets.randbelow(1 << 20))
        self._ready: deque[Sandbox] = deque()
        self._taken: list[Sandbox] = []
        self._failure: SandboxUnavailable | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._keeper = threading.Thread(target=self._keep, name="sandbox-pool", daemon=True)
        self._keeper.start()

    def take(self, timeout_s: float = 60.0) -> Sandbox:
        """A ready sandbox, for one `run`. Raises SandboxUnavailable with the reason if none can be started."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._failure or self._closed, timeout_s)
            if not self._ready:
                raise self._failure or SandboxUnavailable("The pool of sandboxes is closed or too slow.")
            self._taken = [sandbox for sandbox in self._taken if sandbox.alive]
            self._taken.append(self._ready.popleft())
            self._changed.notify_all()
            return self._taken[-1]

    def wait(self, timeout_s: float) -> bool:
        """Whether a sandbox is ready, within this time."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._ready) or self._closed, timeout_s) and not self._closed

    @property
    def failure(self) -> str:
        """Why the last start failed; empty where it did not."""
        return str(self._failure or "")

    @property
    def ready(self) -> int:
        """How many wait."""
        return len(self._ready)

    def close(self) -> None:
        """End all sandboxes, those at work too, and wait until the waiting ones are gone."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for sandbox in self._taken:
            sandbox.cancel()
        self._keeper.join()

    def _keep(self) -> None:
        failures = 0
        while self._wait_for_need():
            try:
                sandbox = start(self._layout, number=next(self._numbers))
            except SandboxUnavailable as error:
                self._failed(error, _RETRY_S[min(failures, len(_RETRY_S) - 1)])
                failures += 1
                continue
            failures = 0
            with self._changed:
                self._failure = None
                self._ready.append(sandbox)
                self._changed.notify_all()
        for sandbox in self._ready:
            sandbox.discard()
        self._ready.clear()

    def _wait_for_need(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._ready) < self._size)
            return not self._closed

    def _failed(self, error: SandboxUnavailable, pause_s: float) -> None:
        with self._changed:
            self._failure = error
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed, pause_s)


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
