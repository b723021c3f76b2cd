"""The platform's pulse: the recurring job whose last claim tells when it was last alive, and the last gap between two.

A gap is an outage, or a clock that leapt forwards: the platform cannot tell which. What fell due in it had no chance to
be done in time, and what is done at a close cannot be taken back; so it waits `SETTLE` from the first pulse after it.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.claims import OPEN
from app.db.jobs import Job

PULSE = "tick"
OUTAGE = dt.timedelta(minutes=2)
"""A pulse older than this means that the platform, not a job, stood still (or that the clock leapt forwards)."""
SETTLE = dt.timedelta(minutes=10)
"""How long what fell due in a gap waits: for who was held up, and for somebody to put a wrong clock right."""
_GAP = "gap"

Gap = tuple[dt.datetime, dt.datetime]


def pulse(session: Session) -> Job | None:
    return session.scalar(select(Job).where(OPEN, Job.kind == PULSE, Job.claimed_at.is_not(None)).limit(1))


def gap_at(job: Job, now: dt.datetime) -> Gap | None:
    """When the gap that ends now began and ends; None while the pulse is regular."""
    if job.claimed_at is None or now - job.claimed_at <= OUTAGE:
        return None
    last = _stored(job)
    # One that follows before all is settled adds to it.
    adds = last is not None and last[1] <= job.claimed_at < last[1] + SETTLE
    return (last[0] if adds and last else job.claimed_at), now


def note(session: Session, now: dt.datetime) -> Gap | None:
    """Remember the gap that ends now, if one does; it."""
    job = pulse(session)
    found = gap_at(job, now) if job else None
    if job is not None and found is not None:
        job.payload = job.payload | {_GAP: [moment.isoformat() for moment in found]}
    return found


def forget_ahead(job: Job, now: dt.datetime) -> None:
    """A gap that ends after now was a clock that leapt forwards, and is right again."""
    last = _stored(job)
    if last is not None and last[1] > now:
        job.payload = {key: value for key, value in job.payload.items() if key != _GAP}


def reprieved(session: Session, moment: dt.datetime, *, after: dt.timedelta = dt.timedelta(0)) -> dt.datetime:
    """`moment`, or the end of `SETTLE` after the last gap where it fell into that gap or up to `after` behind it."""
    job = pulse(session)
    last = _stored(job) if job else None
    if last is None or not last[0] < moment <= last[1] + after:
        return moment
    return last[1] + SETTLE


def _stored(job: Job) -> Gap | None:
    texts = job.payload.get(_GAP)
    return (dt.datetime.fromisoformat(texts[0]), dt.datetime.fromisoformat(texts[1])) if texts else None
