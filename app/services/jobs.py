"""The queue: jobs are written with what they are for, leased to one taker at a time, and ended once.

This module knows nothing of what a job is for: `services/attempts.py` joins it to submissions and evaluations.
"""

from __future__ import annotations

import datetime as dt
import hmac
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import claims, runners
from app.db.jobs import Job
from app.domain.ids import new_secret, secret_hash
from app.errors import N_, Conflict

TURNS = 10
BACKOFF_S = 2.0
BACKOFF_MOST_S = 60.0
STALE = N_("This attempt of the job is over: its lease ended and the job went to another taker, or it was ended.")


def enqueue(
    session: Session,
    *,
    queue: str,
    kind: str,
    max_attempts: int,
    deadline: dt.datetime,
    now: dt.datetime,
    priority: int = 100,
    coalesce: str | None = None,
    challenge_id: uuid.UUID | None = None,
    phase_id: uuid.UUID | None = None,
    team_id: uuid.UUID | None = None,
    submission_id: uuid.UUID | None = None,
    payload: dict[str, Any] | None = None,
    run_after: dt.datetime | None = None,
) -> Job | None:
    """Add a job in the caller's transaction. None when a ready job of the same `coalesce` key will do the work.

    That ready job is then held until the caller commits, so it cannot run before it can see what the caller wrote.
    """
    job = Job(
        queue=queue,
        kind=kind,
        state="ready",
        priority=priority,
        coalesce=coalesce,
        challenge_id=challenge_id,
        phase_id=phase_id,
        team_id=team_id,
        submission_id=submission_id,
        payload=payload or {},
        attempt=0,
        max_attempts=max_attempts,
        run_after=run_after or now,
        deadline=deadline,
        created_at=now,
    )
    return job if _inserted(session, job) else None


def _inserted(session: Session, job: Job) -> bool:
    """False when a ready job of the same key stands already (and is now held)."""
    for turn in range(TURNS):
        if job.coalesce is not None and _ready_twin(session, job.coalesce):
            return False
        try:
            with session.begin_nested():
                session.add(job)
        except IntegrityError:
            # Another transaction committed a job of the same key in between (PostgreSQL): look again and hold that one;
            # where it was claimed in that same moment, there is room for this one after all.
            if job.coalesce is None or turn == TURNS - 1:
                raise
        else:
            break
    return True


def _ready_twin(session: Session, coalesce: str) -> bool:
    query = select(Job.id).where(Job.coalesce == coalesce, Job.state == "ready")
    return session.scalar(query.with_for_update(read=True)) is not None


def claim(
    session: Session, *, queues: Sequence[str], runner_id: uuid.UUID | None, lease_s: float, now: dt.datetime
) -> tuple[Job, str] | None:
    """Lease the next job of these queues for `lease_s` seconds: (job, token), or None when there is nothing to do.

    The caller holds the claim lock (`claims.lock`).
    """
    job = claims.next_job(session, queues=queues, now=now)
    if job is None:
        return None
    token = new_secret("job")
    job.state, job.attempt, job.claimed_at = "leased", job.attempt + 1, now
    job.lease_until = now + dt.timedelta(seconds=lease_s)
    job.token_hash, job.finish_digest, job.runner_id, job.error = secret_hash(token), None, runner_id, ""
    session.flush()
    return job, token


def of_token(session: Session, *, job_id: uuid.UUID, token: str) -> Job:
    """The job whose latest attempt this token opens, its row locked.

    Raises Conflict for any other token, and for that of a runner that was revoked: its jobs go to others.
    """
    query = select(Job).where(Job.id == job_id).with_for_update()
    job = session.scalar(query.execution_options(populate_existing=True))
    if job is None or not hmac.compare_digest(job.token_hash or "", secret_hash(token)):
        raise Conflict(STALE, code="E-STALE")
    if job.runner_id is not None and runners.is_revoked(session, job.runner_id):
        raise Conflict(STALE, code="E-STALE")
    return job


def held(session: Session, *, job_id: uuid.UUID, token: str) -> Job:
    """The job, still on lease to the holder of this token. Raises Conflict when it is not.

    A lease that ran out while nobody else took the job is still the holder's: the token fences, not the clock.
    """
    job = of_token(session, job_id=job_id, token=token)
    if job.state != "leased":
        raise Conflict(STALE, code="E-STALE")
    return job


def heartbeat(session: Session, *, job_id: uuid.UUID, token: str, lease_s: float, now: dt.datetime) -> bool:
    """Extend the lease; True when the holder should stop (cancelled, or past the job's deadline).

    Raises Conflict when the attempt is over.
    """
    job = held(session, job_id=job_id, token=token)
    if cancelled(session, job) or job.deadline <= now:
        return True
    job.lease_until = now + dt.timedelta(seconds=lease_s)
    return False


def cancelled(session: Session, job: Job) -> bool:
    """Whether nobody wants the result any more."""
    return job.cancel_requested or bool(session.scalar(select(claims.GONE).where(Job.id == job.id)))


def end(session: Session, job: Job, *, state: str, now: dt.datetime, error: str = "") -> None:
    """End the job: done, dead or cancelled. The token is kept, so that the same report sent again is known."""
    job.state, job.ended_at, job.lease_until, job.error = state, now, None, error[:500]
    session.flush()


def retry(session: Session, job: Job, *, now: dt.datetime, error: str) -> None:
    """Put the job back after a fault of ours, later each time; dead when no attempt is left."""
    if job.attempt >= job.max_attempts:
        return end(session, job, state="dead", now=now, error=error)
    wait = min(BACKOFF_S * 2 ** (job.attempt - 1), BACKOFF_MOST_S)
    return _ready(session, job, run_after=now + dt.timedelta(seconds=wait), now=now, error=error)


def release(session: Session, job: Job, *, now: dt.datetime) -> None:
    """Put back a job that its taker never began; the attempt does not count."""
    job.attempt -= 1
    _ready(session, job, run_after=now, now=now, error="")


def again(session: Session, job: Job, *, run_after: dt.datetime, deadline: dt.datetime) -> None:
    """Let a recurring job wait for its next turn, with all of its attempts."""
    job.state, job.attempt, job.lease_until = "ready", 0, None
    job.run_after, job.deadline = run_after, deadline
    session.flush()


def _ready(session: Session, job: Job, *, run_after: dt.datetime, now: dt.datetime, error: str) -> None:
    if job.coalesce is not None and _ready_twin(session, job.coalesce):
        return end(session, job, state="cancelled", now=now, error=f"A newer job does the same work. {error}")
    job.state, job.lease_until, job.run_after, job.error = "ready", None, run_after, error[:500]
    return session.flush()


def cancel_for(session: Session, *, submission_id: uuid.UUID, now: dt.datetime) -> None:
    """Cancel the open jobs of a submission: at once where nobody has them, else their taker is told to stop."""
    query = select(Job).where(claims.OPEN, Job.submission_id == submission_id).order_by(Job.id)
    # The caller's own changes are written after the locks are held: a claim takes lock, job, submission in this order.
    with session.no_autoflush:
        claims.lock(session)
        for job in session.scalars(query.with_for_update().execution_options(populate_existing=True)).all():
            job.cancel_requested = True
            if job.state == "ready":
                job.state, job.ended_at = "cancelled", now
    session.flush()


def is_open(session: Session, *, kind: str) -> bool:
    """Whether a job of this kind waits or is at work."""
    return session.scalar(select(Job.id).where(claims.OPEN, Job.kind == kind).limit(1)) is not None
