"""Which job is next. The claim lock is the only place where SQLite and PostgreSQL differ.

The statements are built once: an idle server asks them several times a second.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Subquery,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Session, aliased

from app.db.base import UtcDateTime
from app.db.jobs import Job
from app.db.submissions import Submission

CLAIM_LOCK = 0x4A_4F_42_53  # "JOBS"
BEFORE = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
NEVER = literal(BEFORE, UtcDateTime())
NOW = bindparam("now", type_=UtcDateTime())
LONG = bindparam("long", type_=UtcDateTime())
LONG_S, TURN_S, RISE = 10.0, 4, 60
"""In one second of `TURN_S`, jobs that wait longer than `LONG_S` rise by this much: scoring, above checks."""
QUEUES: BindParameter[str] = bindparam("queues", expanding=True)
# As text, not as parameters: SQLite takes a partial index only where it can read the condition in the statement.
OPEN = text("jobs.state IN ('ready', 'leased')")
GONE = exists().where(Submission.id == Job.submission_id, Submission.state.in_(("cancelled", "withdrawn")))
"""The job is for a submission that was cancelled or withdrawn."""


def lock(session: Session) -> None:
    """Hold the claim lock until the transaction ends. On SQLite the write transaction itself is that lock."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(CLAIM_LOCK)))


def next_job(session: Session, *, queues: Sequence[str], now: dt.datetime) -> Job | None:
    """The job to hand out next, its row locked; None when there is none. Call with the claim lock held.

    Lowest priority number first, then the team that was served longest ago, then the oldest job. Checks come before
    scores, but one second in four belongs to what has waited for long, so that a stream of checks holds up no score
    for good. A row that another transaction holds (it is being finished, or somebody coalesces into it) is passed over.
    """
    turn = int(now.timestamp()) % TURN_S == 0
    long = now - dt.timedelta(seconds=LONG_S) if turn else BEFORE
    return session.scalar(NEXT, {"queues": list(queues), "now": now, "long": long})


def waiting(session: Session, *, queues: Sequence[str], now: dt.datetime, limit: int) -> Counter[str]:
    """How many jobs could be handed out now, by queue; at most `limit` in all are counted."""
    return Counter(session.scalars(WAITING, {"queues": list(queues), "now": now, "limit": limit}))


def _claimable() -> list[ColumnElement[bool]]:
    ready = and_(Job.state == "ready", Job.run_after <= NOW)
    lapsed = and_(Job.state == "leased", Job.lease_until <= NOW)
    return [
        Job.queue.in_(QUEUES),
        or_(ready, lapsed),
        Job.attempt < Job.max_attempts,
        Job.deadline > NOW,
        ~Job.cancel_requested,
        or_(Job.submission_id.is_(None), ~GONE),
        or_(Job.coalesce.is_(None), ~_twin_at_work()),
    ]


def _twin_at_work() -> ColumnElement[bool]:
    """Another job of the same coalesce key is on lease: one at a time (two boards of one phase must not race)."""
    twin = aliased(Job)
    at_work = and_(twin.state == "leased", twin.lease_until > NOW)
    return exists().where(twin.queue == Job.queue, twin.coalesce == Job.coalesce, twin.id != Job.id, at_work)


def _turns() -> Subquery:
    """(team_id, served): when each team with an open job was last handed one.

    Moments after `now` come from a clock that was ahead: not counted. Asked once per team, not once per job: ten
    thousand waiting jobs are of a few hundred teams.
    """
    teams = select(Job.team_id).where(OPEN, Job.queue.in_(QUEUES)).distinct().subquery()
    other = aliased(Job)
    served = select(func.max(other.claimed_at)).where(other.team_id == teams.c.team_id, other.claimed_at <= NOW)
    return select(teams.c.team_id, served.scalar_subquery().label("served")).subquery()


TURNS = _turns()
URGENCY = Job.priority - case((Job.created_at <= LONG, RISE), else_=0)
NEXT = (
    select(Job)
    .outerjoin(TURNS, TURNS.c.team_id == Job.team_id)
    .where(OPEN, *_claimable())
    .order_by(URGENCY, func.coalesce(TURNS.c.served, NEVER), Job.created_at, Job.id)
    .limit(1)
    .with_for_update(of=Job, skip_locked=True)
)
WAITING = select(Job.queue).where(OPEN, *_claimable()).limit(bindparam("limit", type_=Job.attempt.type))
