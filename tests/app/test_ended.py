"""Requests that wait for the end of a submission: rung at once, never lost, and over in time."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid

import pytest

from app.http.ended import MOST_OF_ONE, Ended

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


def waiting(ended: Ended, clients: list[int], seconds: float) -> tuple[list[int], int]:
    """Who of the `clients`, all waiting at once for what does not end, is answered at once; how many looks it took."""
    began = time.monotonic()
    looks: list[float] = []
    soon: list[int] = []

    def look() -> None:
        looks.append(time.monotonic())

    async def one(client: int) -> None:
        await ended.wait(look, pending=lambda _: SUBMISSION, seconds=seconds, who=client)
        if time.monotonic() - began < seconds:
            soon.append(client)

    async def all_of_them() -> None:
        await asyncio.gather(*(one(client) for client in clients))

    asyncio.run(all_of_them())
    return soon, len(looks)


def test_only_so_many_of_one_client_wait() -> None:
    ended = Ended()
    assert waiting(ended, [1] * (MOST_OF_ONE + 3) + [2], 0.8)[0] == [1, 1, 1]
    assert (ended._waiting, ended._waiters) == ({}, {})


def test_only_so_many_wait_and_the_more_wait_the_rarer_each_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.http.ended.MOST", 30)
    monkeypatch.setattr("app.http.ended.LOOKS_A_SECOND", 10)
    soon, looks = waiting(Ended(), list(range(32)), 2.5)
    # One look before and one after the wait of each, where every second would be four.
    assert (soon, looks) == ([30, 31], 62)
