"""Waking the requests that wait for the end of a submission: each costs one future, and looks again only when rung."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Hashable
from typing import TypeVar

import anyio.to_thread

LOOK_S = 1.0
"""How often somebody who waits looks without a ring: another process of the service may have ended the submission."""
LOOKS_A_SECOND = 50
"""How many such looks all who wait take together: the more wait, the rarer each looks."""
MOST = 1000
"""How many wait at once; who comes above it is answered at once."""
MOST_OF_ONE = 8
"""The same for one client."""
T = TypeVar("T")


class Ended:
    """`ring` after the commit that ends a submission; `wait` looks until it has ended. Holds no thread meanwhile."""

    def __init__(self) -> None:
        self._waiters: dict[uuid.UUID, list[asyncio.Future[None]]] = {}
        self._rung: deque[tuple[float, uuid.UUID]] = deque(maxlen=1000)
        self._waiting: Counter[Hashable] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None

    def ring(self, submission: uuid.UUID | None) -> None:
        """This submission has ended. From any thread, at any time."""
        if self._loop is not None and submission is not None:
            # The loop may close in this very moment; then nobody waits any more.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._wake, submission)

    async def wait(
        self, look: Callable[[], T], *, pending: Callable[[T], uuid.UUID | None], seconds: float, who: Hashable = None
    ) -> T:
        """What `look`, run in a thread, gives once nothing is `pending` in it, or after `seconds`.

        `pending` names the submission whose end is waited for. At once where too many wait already, or too many of the
        client `who`. Raises what `look` raises.
        """
        self._loop = asyncio.get_running_loop()
        full = self._waiting[who] >= MOST_OF_ONE or self._waiting.total() >= MOST
        end = time.monotonic() + (0 if full else seconds)
        self._waiting[who] += 1
        try:
            return await self._wait(look, pending, end)
        finally:
            self._waiting[who] -= 1
            self._waiting += Counter()

    async def _wait(self, look: Callable[[], T], pending: Callable[[T], uuid.UUID | None], end: float) -> T:
        while True:
            began = time.monotonic()
            found = await anyio.to_thread.run_sync(look)
            submission, left_s = pending(found), end - time.monotonic()
            if submission is None or left_s <= 0:
                return found
            pause_s = max(LOOK_S, self._waiting.total() / LOOKS_A_SECOND)
            await self._until(submission, since=began, seconds=min(left_s, pause_s))

    async def _until(self, submission: uuid.UUID, *, since: float, seconds: float) -> None:
        if any(at >= since and rung == submission for at, rung in self._rung):
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(submission, []).append(waiter)
        await asyncio.wait({waiter}, timeout=seconds)
        left = [other for other in self._waiters.pop(submission, []) if other is not waiter]
        if left:
            self._waiters[submission] = left

    def _wake(self, submission: uuid.UUID) -> None:
        self._rung.append((time.monotonic(), submission))
        for waiter in self._waiters.get(submission, []):
            if not waiter.done():
                waiter.set_result(None)
