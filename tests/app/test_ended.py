"""Requests that wait for the end of a submission: rung at once, never lost, and over in time."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid

from app.http.ended import Ended

SUBMISSION = uuid.UUID(int=1)


def waited(ended: Ended, looks: list[bool], seconds: float) -> tuple[bool, float]:
    """What the last look said, each taking one of `looks` (the last again and again), and how long it took."""
    began = time.monotonic()

    def look() -> bool:
        return looks.pop(0) if len(looks) > 1 else looks[0]

    found = asyncio.run(ended.wait(look, pending=lambda over: None if over else SUBMISSION, seconds=seconds))
    return found, time.monotonic() - began


def test_what_is_over_is_told_at_once() -> None:
    found, took = waited(Ended(), [True], 20)
    assert (found, took < 1) == (True, True)


def test_a_ring_ends_the_wait() -> None:
    ended, looks = Ended(), [False, True]
    threading.Timer(0.2, lambda: ended.ring(SUBMISSION)).start()
    found, took = waited(ended, looks, 20)
    assert (found, took < 0.9) == (True, True)


def test_the_end_of_another_wakes_nobody() -> None:
    ended = Ended()
    threading.Timer(0.1, lambda: ended.ring(uuid.UUID(int=2))).start()
    found, took = waited(ended, [False], 0.5)
    assert (found, took >= 0.5, ended._waiters) == (False, True, {})


def test_a_ring_during_a_look_is_not_lost() -> None:
    ended = Ended()
    seen: list[int] = []

    def look() -> bool:
        seen.append(len(seen))
        if len(seen) == 1:
            ended.ring(SUBMISSION)
            time.sleep(0.1)
        return len(seen) > 1

    began = time.monotonic()
    assert asyncio.run(ended.wait(look, pending=lambda over: None if over else SUBMISSION, seconds=20))
    assert (len(seen), time.monotonic() - began < 0.9) == (2, True)


def test_another_process_may_end_it() -> None:
    found, took = waited(Ended(), [False, False, True], 20)
    assert (found, 1.5 < took < 5) == (True, True)
