"""Jobs: queued background work, written in the same transaction as what it is for."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base
from app.db.submissions import Submission
from app.domain.ids import new_id


class Job(Base):
    """One piece of work.

    State: ready → leased → done | dead | cancelled; an expired lease makes a leased job claimable again. `attempt`
    rises at each claim, so work that kills its runner ends dead after `max_attempts`. `deadline` is when a job that is
    still open is given up. At most one ready job per `coalesce` key.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("state IN ('ready', 'leased', 'done', 'dead', 'cancelled')", name="state"),
        Index(
            "ix_jobs_open",
            "queue",
            "priority",
            "run_after",
            sqlite_where=text("state IN ('ready', 'leased')"),
            postgresql_where=text("state IN ('ready', 'leased')"),
        ),
        Index(
            "uq_jobs_coalesce",
            "coalesce",
            unique=True,
            sqlite_where=text("state = 'ready' AND coalesce IS NOT NULL"),
            postgresql_where=text("state = 'ready' AND \"coalesce\" IS NOT NULL"),
        ),
        Index("ix_jobs_team", "team_id", "claimed_at"),
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    queue: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default="ready")
    priority: Mapped[int] = mapped_column(default=100)
    coalesce: Mapped[str | None] = mapped_column(String(120))
    challenge_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("challenges.id"))
    phase_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("phases.id"))
    team_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("teams.id"))
    submission_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("submissions.id"), index=True)
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    attempt: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int]
    run_after: Mapped[dt.datetime]
    deadline: Mapped[dt.datetime]
    created_at: Mapped[dt.datetime]
    claimed_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    lease_until: Mapped[dt.datetime | None]
    token_hash: Mapped[str | None] = mapped_column(String(64))
    finish_digest: Mapped[str | None] = mapped_column(String(64))
    runner_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("runners.id"))
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    error: Mapped[str] = mapped_column(String(500), default="")


class JobBlob(Base):
    """A blob that a job's runner sent before it finishes, by role."""

    __tablename__ = "job_blobs"
    job_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(String(64), primary_key=True)
    blob_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("blobs.id"))


def latest_of(session: Session, *, phase_id: uuid.UUID, team_id: uuid.UUID) -> list[tuple[Submission, Job]]:
    """Each submission of a team to a phase, oldest first, with the last job that was made for it."""
    query = select(Submission, Job).join(Job, Job.submission_id == Submission.id)
    query = query.where(Submission.phase_id == phase_id, Submission.team_id == team_id)
    found = {row.id: (row, job) for row, job in session.execute(query.order_by(Submission.number, Job.created_at))}
    return list(found.values())


def ahead_of(session: Session, submission_id: uuid.UUID) -> int:
    """How many ready jobs of the same queue were made before this submission's, and are no less urgent."""
    mine = session.scalar(select(Job).where(Job.submission_id == submission_id, Job.state == "ready"))
    if mine is None:
        return 0
    query = select(func.count()).where(
        Job.queue == mine.queue, Job.state == "ready", Job.priority <= mine.priority, Job.created_at < mine.created_at
    )
    return session.scalar(query) or 0
