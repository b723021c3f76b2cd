"""Windows of phases and quota days."""

import datetime as dt
from dataclasses import dataclass

import pytest

from app.domain.schedule import day_of, in_time, window

OPENS = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
CLOSES = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


@dataclass
class Times:
    opens_at: dt.datetime = OPENS
    closes_at: dt.datetime = CLOSES
    paused_at: dt.datetime | None = None


@pytest.mark.parametrize(
    ("published", "paused", "now", "expected"),
    [
        (False, False, OPENS + SECOND, "draft"),
        (False, False, CLOSES, "draft"),
        (True, False, OPENS - SECOND, "before"),
        (True, False, OPENS, "open"),
        (True, True, OPENS, "paused"),
        (True, False, CLOSES - SECOND, "open"),
        (True, False, CLOSES, "closed"),
        (True, True, CLOSES, "closed"),
    ],
)
def test_window(published: bool, paused: bool, now: dt.datetime, expected: str) -> None:
    times = Times(paused_at=OPENS if paused else None)
    assert window(times, published=published, now=now) == expected


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        ("2026-11-22T12:00", "2026-11-21T23:00", "2026-11-22T23:00"),
        ("2026-11-22T23:30", "2026-11-22T23:00", "2026-11-23T23:00"),
        # The day on which Paris puts the clock forward has 23 hours, the day it puts it back has 25.
        ("2026-03-29T12:00", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("2026-10-25T12:00", "2026-10-24T22:00", "2026-10-25T23:00"),
    ],
)
def test_quota_day_is_a_day_of_the_challenge_s_zone(now: str, start: str, end: str) -> None:
    found = day_of(dt.datetime.fromisoformat(now + "+00:00"), "Europe/Paris")
    assert found == (dt.datetime.fromisoformat(start + "+00:00"), dt.datetime.fromisoformat(end + "+00:00"))


@pytest.mark.parametrize(
    ("requested", "received", "expected"),
    [
        (-1, 0, True),
        (-1, 900, True),
        (-1, 901, False),
        (0, 1, False),
    ],
)
def test_in_time_is_by_the_request_and_a_grace_for_its_body(requested: int, received: int, expected: bool) -> None:
    found = in_time(
        Times(),
        requested_at=CLOSES + requested * SECOND,
        received_at=CLOSES + received * SECOND,
        until=CLOSES + 900 * SECOND,
    )
    assert found is expected
