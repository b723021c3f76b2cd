"""Waking the claims that wait for a job: hundreds may wait, each costs one future, all share one look at the queue."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import anyio.to_thread

LOG = logging.getLogger("arbitre.jobs")
POLL_S = 0.5
"""How often the queue is looked at without a ring: what other processes write, leases that end, waits that are over."""
PAUSE_S = 0.005
"""Shortest time between two looks, so that a burst of commits is one look."""
Look = Callable[[tuple[str, ...], int], Counter[str]]
"""(queues, limit) -> how many jobs could be claimed now, by queue. Runs in a thread."""


@dataclass(eq=False)
class _Waiter:
    queues: tuple[str, ...]
    woken: asyncio.Future[None]


class Wake:
    """`notify` after each commit; `wait` until a job of some queues can be claimed.

    As many waiters are woken as there are jobs, the longest waiting first. While nobody waits, nothing runs.
    """

    def __init__(self) -> None:
        self._waiters: list[_Waiter] = []
        self._bell = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watcher: asyncio.Task[None] | None = None
        self.closed = False

    def notify(self) -> None:
        """Something was committed. From any thread, at any time."""
        loop = self._loop
        if loop is not None and self._waiters:
            # The loop may close in this very moment; then nobody waits any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._bell.set)

    async def wait(self, *, queues: tuple[str, ...], look: Look, seconds: float, gone: asyncio.Future[None]) -> bool:
        """True when a job of `queues` may be there; False after `seconds`, when `gone` is done, or at shutdown."""
        if self.closed or gone.done() or seconds <= 0:
            return False
        self._loop = asyncio.get_running_loop()
        waiter = _Waiter(queues, self._loop.create_future())
        self._waiters.append(waiter)
        self._bell.set()
        if self._watcher is None or self._watcher.done():
            self._watcher = self._loop.create_task(self._watch(look))
        try:
            await asyncio.wait({waiter.woken, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
        return waiter.woken.done() and not self.closed

    def close_soon(self) -> None:
        """`close`, from a signal handler or another thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.close)

    def close(self) -> None:
        """Let every waiting claim be answered now, so that the server can stop. Call in the loop's thread."""
        self.closed = True
        for waiter in self._waiters:
            waiter.woken.set_result(None)
        self._waiters.clear()
        if self._watcher is not None:
            self._watcher.cancel()

    async def _watch(self, look: Look) -> None:
        looked = 0.0
        while self._waiters:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._bell.wait(), POLL_S)
            await asyncio.sleep(max(0.0, looked + PAUSE_S - time.monotonic()))
            self._bell.clear()
            looked = time.monotonic()
            queues = tuple(sorted({queue for waiter in self._waiters for queue in waiter.queues}))
            if queues:
                self._hand_out(await self._counted(look, queues))

    async def _counted(self, look: Look, queues: tuple[str, ...]) -> Counter[str]:
        try:
            return await anyio.to_thread.run_sync(look, queues, len(self._waiters))
        except Exception:
            LOG.exception("looking for jobs failed; the next look is in a moment")
            await asyncio.sleep(POLL_S)
            return Counter()

    def _hand_out(self, found: Counter[str]) -> None:
        for waiter in list(self._waiters):
            queue = next((queue for queue in waiter.queues if found[queue] > 0), None)
            if queue is not None:
                found[queue] -= 1
                self._waiters.remove(waiter)
                waiter.woken.set_result(None)
