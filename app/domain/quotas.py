"""How many submissions a team has left, and when the next slot opens."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class Quota:
    """What is left in the running day: `left` is None without a limit; `resets_at` is None where no reset helps."""

    left: int | None
    resets_at: dt.datetime | None
    limit: int | None


def quota(
    *, day: int | None, total: int | None, used_today: int, used: int, day_ends: dt.datetime, closes_at: dt.datetime
) -> Quota:
    """Combine the daily and the total limit.

    A reset after the close, or one that a used-up total makes useless, is no reset: None.
    """
    lefts = []
    if day is not None:
        lefts.append((max(day - used_today, 0), day))
    if total is not None:
        lefts.append((max(total - used, 0), total))
    if not lefts:
        return Quota(None, None, None)
    left, limit = min(lefts)
    helps = day is not None and (total is None or used < total) and day_ends < closes_at
    return Quota(left, day_ends if helps else None, limit)
