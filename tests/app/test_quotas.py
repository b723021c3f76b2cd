"""What a team has left."""

import datetime as dt

import pytest

from app.domain.quotas import Quota, quota

END = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
LATER = END + dt.timedelta(days=9)


@pytest.mark.parametrize(
    ("day", "total", "used_today", "used", "closes", "expected"),
    [
        (None, None, 3, 9, LATER, Quota(None, None, None)),
        (5, None, 2, 9, LATER, Quota(3, END, 5)),
        (5, 100, 5, 9, LATER, Quota(0, END, 5)),
        (5, 10, 0, 9, LATER, Quota(1, END, 10)),
        (5, 10, 1, 10, LATER, Quota(0, None, 10)),
        (5, 10, 7, 11, LATER, Quota(0, None, 5)),
        (5, None, 5, 5, END, Quota(0, None, 5)),
        (None, 10, 1, 4, LATER, Quota(6, None, 10)),
    ],
)
def test_quota(
    day: int | None, total: int | None, used_today: int, used: int, closes: dt.datetime, expected: Quota
) -> None:
    found = quota(day=day, total=total, used_today=used_today, used=used, day_ends=END, closes_at=closes)
    assert found == expected
