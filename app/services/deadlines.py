"""No open job waits for ever, whatever runners, servers and clocks do. `expire` needs the claim lock."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_, select
from sqlalchemy.orm import Session

from app.db import pulse as pulses
from app.db.base import UtcDateTime
from app.db.claims import GONE, NOW, OPEN
from app.db.jobs import Job
from app.services import jobs

SKEW_S = 5.0
"""Clocks of several machines may differ by this much without anything being mended."""


SOON = bindparam("soon", type_=UtcDateTime())
LEASE_END = bindparam("lease_end", type_=UtcDateTime())
RETRY_END = bindparam("retry_end", type_=UtcDateTime())


def _hopeless() -> ColumnElement[bool]:
    """Not at work, and cancelled, out of attempts or past the deadline."""
    idle = or_(Job.state == "ready", Job.lease_until <= NOW)
    spent = or_(Job.attempt >= Job.max_attempts, Job.deadline <= NOW)
    return and_(idle, or_(Job.cancel_requested, GONE, spent))


def _ahead() -> ColumnElement[bool]:
    """Written by a clock that was ahead of now: no correct clock writes such times."""
    return or_(
        Job.created_at > SOON,
        Job.claimed_at > SOON,
        and_(Job.state == "leased", Job.lease_until > LEASE_END),
        and_(Job.state == "ready", Job.claimed_at.is_not(None), Job.run_after > RETRY_END),
    )


CARE = select(exists().where(OPEN, or_(_hopeless(), _ahead())))
HOPELESS = select(Job).where(OPEN, _hopeless()).order_by(Job.id).with_for_update(of=Job, skip_locked=True)
AHEAD = select(Job).where(OPEN, _ahead()).order_by(Job.id).with_for_update(of=Job, skip_locked=True)


def care_needed(session: Session, *, lease_s: float, now: dt.datetime) -> bool:
    """Whether `expire` has something to do."""
    return bool(session.scalar(CARE, _moments(lease_s, now)))


def _moments(lease_s: float, now: dt.datetime) -> dict[str, dt.datetime]:
    """`soon`, `lease_end`, `retry_end`: the latest that anything, a lease, a retry may say when clocks are right."""
    soon = now + dt.timedelta(seconds=SKEW_S)
    lease, retry = dt.timedelta(seconds=lease_s), dt.timedelta(seconds=jobs.BACKOFF_MOST_S)
    return {"now": now, "soon": soon, "lease_end": soon + lease, "retry_end": soon + retry}


def expire(session: Session, *, lease_s: float, now: dt.datetime) -> list[Job]:
    """Mend times that a wrong clock or an outage spoiled, then end what nobody may take any more.

    Cancelled jobs end cancelled; those out of attempts or past their deadline end dead and are returned.
    """
    _mend(session, lease_s=lease_s, now=now)
    _resume(session, lease_s=lease_s, now=now)
    dead = []
    for job in session.scalars(HOPELESS, {"now": now}).all():
        if jobs.cancelled(session, job):
            jobs.end(session, job, state="cancelled", now=now)
        else:
            jobs.end(session, job, state="dead", now=now, error=_reason(job))
            dead.append(job)
    return dead


def _reason(job: Job) -> str:
    if job.attempt >= job.max_attempts:
        return f"Its runner was lost {job.attempt} times in a row. {job.error}".strip()
    if job.attempt == 0:
        return "No runner took it before its deadline."
    return f"It was not finished before its deadline. {job.error}".strip()


def _mend(session: Session, *, lease_s: float, now: dt.datetime) -> None:
    """After the clock stepped back, no job waits for the hour that it believed it was."""
    for job in session.scalars(AHEAD, _moments(lease_s, now)).all():
        lead = max(job.created_at - now, dt.timedelta(0))
        job.created_at, job.run_after, job.deadline = job.created_at - lead, job.run_after - lead, job.deadline - lead
        if job.claimed_at is not None:
            job.claimed_at = min(job.claimed_at, now)
            job.run_after = min(job.run_after, now + dt.timedelta(seconds=jobs.BACKOFF_MOST_S))
        pulses.forget_ahead(job, now)
        if job.lease_until is not None:
            job.lease_until = min(job.lease_until, now + dt.timedelta(seconds=lease_s))
    session.flush()


def _resume(session: Session, *, lease_s: float, now: dt.datetime) -> None:
    """Time in which the platform stood still counts against no deadline, and who worked on may still report."""
    gap, pulse = pulses.note(session, now), pulses.pulse(session)
    if gap is None or pulse is None or pulse.claimed_at is None:
        return
    length, pulse.claimed_at = now - pulse.claimed_at, now
    query = select(Job).where(OPEN).order_by(Job.id)
    for job in session.scalars(query.with_for_update(of=Job, skip_locked=True)).all():
        job.deadline += length
        if job.state == "leased":
            job.lease_until = max(job.lease_until or now, now + dt.timedelta(seconds=lease_s))
    session.flush()
