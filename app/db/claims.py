"""Which job is next. The claim lock is the only place where SQLite and PostgreSQL differ."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select, text
from sqlalchemy.orm import Session, aliased

from app.db.base import UtcDateTime
from app.db.jobs import Job
from app.db.submissions import Submission

CLAIM_LOCK = 0x4A_4F_42_53  # "JOBS"
NEVER = literal(dt.datetime(1, 1, 1, tzinfo=dt.UTC), UtcDateTime())
# As text, not as parameters: SQLite takes a partial index only where it can read the condition in the statement.
OPEN = text("jobs.state IN ('ready', 'leased')")
GONE = ("cancelled", "withdrawn")


def lock(session: Session) -> None:
    """Hold the claim lock until the transaction ends. On SQLite the write transaction itself is that lock."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(CLAIM_LOCK)))


def next_job(session: Session, *, queues: Sequence[str], now: dt.datetime) -> Job | None:
    """The job to hand out next, its row locked; None when there is none. Call with the claim lock held.

    Lowest priority number first, then the team that was served longest ago, then the oldest job. A row that another
    transaction holds (it is being finished, or somebody coalesces into it) is passed over.
    """
    query = select(Job).where(OPEN, *_claimable(queues, now))
    order = Job.priority, _served(now), Job.created_at, Job.id
    return session.scalar(query.order_by(*order).limit(1).with_for_update(of=Job, skip_locked=True))


def waiting(session: Session, *, queues: Sequence[str], now: dt.datetime, limit: int) -> Counter[str]:
    """How many jobs could be handed out now, by queue; at most `limit` in all are counted."""
    query = select(Job.queue).where(OPEN, *_claimable(queues, now)).limit(limit)
    return Counter(session.scalars(query))


def submission_gone() -> ColumnElement[bool]:
    """The job is for a submission that was cancelled or withdrawn."""
    return exists().where(Submission.id == Job.submission_id, Submission.state.in_(GONE))


def _claimable(queues: Sequence[str], now: dt.datetime) -> list[ColumnElement[bool]]:
    ready = and_(Job.state == "ready", Job.run_after <= now)
    lapsed = and_(Job.state == "leased", Job.lease_until <= now)
    return [
        Job.queue.in_(queues),
        or_(ready, lapsed),
        Job.attempt < Job.max_attempts,
        Job.deadline > now,
        ~Job.cancel_requested,
        or_(Job.submission_id.is_(None), ~submission_gone()),
        or_(Job.coalesce.is_(None), ~_twin_at_work(now)),
    ]


def _twin_at_work(now: dt.datetime) -> ColumnElement[bool]:
    """Another job of the same coalesce key is on lease: one at a time (two boards of one phase must not race)."""
    twin = aliased(Job)
    at_work = and_(twin.state == "leased", twin.lease_until > now)
    return exists().where(twin.queue == Job.queue, twin.coalesce == Job.coalesce, twin.id != Job.id, at_work)


def _served(now: dt.datetime) -> ColumnElement[dt.datetime]:
    """When the job's team was last handed a job. Moments after `now` come from a clock that was ahead: not counted."""
    other = aliased(Job)
    last = select(func.max(other.claimed_at)).where(other.team_id == Job.team_id, other.claimed_at <= now)
    return func.coalesce(last.scalar_subquery(), NEVER)
