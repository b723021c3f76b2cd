"""A phase's window as a function of its times and now; never stored."""

from __future__ import annotations

import datetime as dt
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

Window = Literal["draft", "before", "open", "paused", "closed"]


class Times(Protocol):
    """What the window of a phase depends on."""

    opens_at: dt.datetime
    closes_at: dt.datetime
    paused_at: dt.datetime | None


def window(times: Times, *, published: bool, now: dt.datetime) -> Window:
    """Where `now` lies: draft (not published), before, open, paused or closed (from `closes_at` on)."""
    if now >= times.closes_at:
        return "closed" if published else "draft"
    if not published:
        return "draft"
    if now < times.opens_at:
        return "before"
    return "paused" if times.paused_at is not None else "open"


def day_of(now: dt.datetime, zone: str) -> tuple[dt.datetime, dt.datetime]:
    """The quota day that holds `now`: from 00:00 to the next 00:00 of the challenge's zone, in UTC."""
    local = now.astimezone(ZoneInfo(zone))
    start = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    end = (start.replace(tzinfo=None) + dt.timedelta(days=1)).replace(tzinfo=ZoneInfo(zone))
    return start.astimezone(dt.UTC), end.astimezone(dt.UTC)


def in_time(times: Times, *, requested_at: dt.datetime, received_at: dt.datetime, until: dt.datetime) -> bool:
    """Design 11.5: the request came before the close, and its body was complete when the grace ended (`until`)."""
    return requested_at < times.closes_at and received_at <= until
