"""Submissions: immutable entries and the state of their processing."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, and_, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base
from app.domain.ids import new_id
from app.domain.states import EARLIER_STATES, OPEN_STATES, QUOTA_STATES, STATES

MOST = 2**31 - 1
"""The largest number that a column of integers holds."""


class Submission(Base):
    """One entry of a team to a phase.

    `number` is dense per challenge. `requested_at` is when the request reached the server (design 11.5), `received_at`
    when its body was complete. `report` is what reading found: {issues, total, counts}. `current_id` points at the
    evaluation in force and is moved only by apply.
    """

    __tablename__ = "submissions"
    __table_args__ = (
        UniqueConstraint("challenge_id", "number"),
        UniqueConstraint("user_id", "idempotency_key"),
        CheckConstraint("state IN ({})".format(", ".join(f"'{s}'" for s in STATES)), name="state"),
        Index("ix_submissions_team", "phase_id", "team_id", "requested_at"),
        Index("ix_submissions_same", "phase_id", "team_id", "sha256"),
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[int]
    challenge_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("challenges.id"))
    phase_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("phases.id"))
    team_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("teams.id"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(String(16))
    check: Mapped[bool] = mapped_column(default=False)
    filename: Mapped[str] = mapped_column(String(200), default="")
    note: Mapped[str] = mapped_column(String(500), default="")
    blob_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("blobs.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16))
    outcome: Mapped[str | None] = mapped_column(String(16))
    report: Mapped[dict[str, Any] | None]
    message: Mapped[str] = mapped_column(String(500), default="")
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    requested_at: Mapped[dt.datetime]
    received_at: Mapped[dt.datetime]
    started_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    current_id: Mapped[uuid.UUID | None]
    final: Mapped[bool] = mapped_column(default=False)


def by_number(session: Session, challenge_id: uuid.UUID, number: int) -> Submission | None:
    if not 0 <= number <= MOST:
        return None
    return session.scalar(
        select(Submission).where(Submission.challenge_id == challenge_id, Submission.number == number)
    )


def by_idempotency_key(session: Session, user_id: uuid.UUID, key: str) -> Submission | None:
    return session.scalar(select(Submission).where(Submission.user_id == user_id, Submission.idempotency_key == key))


def of_team(session: Session, team_id: uuid.UUID, *, before: int | None = None, limit: int = 100) -> list[Submission]:
    """The team's submissions, newest first, at most `limit`, with numbers below `before`."""
    query = select(Submission).where(Submission.team_id == team_id)
    if before is not None:
        query = query.where(Submission.number < max(0, min(before, MOST)))
    return list(session.scalars(query.order_by(Submission.number.desc()).limit(limit)))


def earlier(
    session: Session, *, phase_id: uuid.UUID, team_id: uuid.UUID, kind: str, check: bool, sha256: str
) -> Submission | None:
    """The team's latest entry with the same bytes that still counts as "the same entry" (design 11.4)."""
    query = select(Submission).where(
        Submission.phase_id == phase_id,
        Submission.team_id == team_id,
        Submission.sha256 == sha256,
        Submission.kind == kind,
        Submission.check == check,
        Submission.state.in_(EARLIER_STATES),
    )
    return session.scalar(query.order_by(Submission.number.desc()).limit(1))


def counting(
    session: Session,
    *,
    phase_id: uuid.UUID,
    team_id: uuid.UUID,
    since: dt.datetime = dt.datetime.min.replace(tzinfo=dt.UTC),
    until: dt.datetime = dt.datetime.max.replace(tzinfo=dt.UTC),
) -> int:
    """How many entries of the team use quota (scored, failed, withdrawn, or still on their way), of requests in a time.

    `since` is included, `until` is not.
    """
    withdrawn = Submission.state == "withdrawn"
    query = select(func.count()).where(
        Submission.phase_id == phase_id,
        Submission.team_id == team_id,
        Submission.check.is_(False),
        # As domain.states.holds_slot says.
        or_(Submission.state.in_(QUOTA_STATES), and_(withdrawn, Submission.outcome != "internal")),
        Submission.requested_at >= since,
        Submission.requested_at < until,
    )
    return session.scalar(query) or 0


def rejected(session: Session, *, phase_id: uuid.UUID, team_id: uuid.UUID, since: dt.datetime) -> int:
    """How many entries and checks of the team were refused for their format since a moment."""
    query = select(func.count()).where(
        Submission.phase_id == phase_id,
        Submission.team_id == team_id,
        Submission.state == "rejected",
        Submission.requested_at >= since,
    )
    return session.scalar(query) or 0


def finals(session: Session, *, phase_id: uuid.UUID, team_id: uuid.UUID) -> int:
    """How many entries the team has chosen as final."""
    query = select(func.count()).where(
        Submission.phase_id == phase_id, Submission.team_id == team_id, Submission.final.is_(True)
    )
    return session.scalar(query) or 0


def open_checks(session: Session, *, team_id: uuid.UUID) -> int:
    """How many checks of the team have not ended."""
    query = select(func.count()).where(
        Submission.team_id == team_id, Submission.check.is_(True), Submission.state.in_(OPEN_STATES)
    )
    return session.scalar(query) or 0


def in_state(session: Session, *, phase_id: uuid.UUID, state: str) -> list[Submission]:
    """The entries of a phase, checks left out, that are in this state, oldest first."""
    query = select(Submission).where(
        Submission.phase_id == phase_id, Submission.check.is_(False), Submission.state == state
    )
    return list(session.scalars(query.order_by(Submission.number)))
