"""Board entries (which evaluation stands for a team) and immutable snapshots of leaderboards."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base
from app.db.evaluations import FINITE
from app.domain.ids import new_id


class BoardEntry(Base):
    """The evaluation that stands for a team in a phase's split; `selected_by` is best, last or final."""

    __tablename__ = "board_entries"
    __table_args__ = (
        UniqueConstraint("phase_id", "split", "team_id"),
        CheckConstraint(f"ranked_value {FINITE}", name="finite"),
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    phase_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("phases.id"))
    split: Mapped[str] = mapped_column(String(64))
    team_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("teams.id"))
    evaluation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("evaluations.id"))
    submission_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("submissions.id"))
    ranked_value: Mapped[float | None] = mapped_column(Double)
    shown_value: Mapped[float | None] = mapped_column(Double)
    low: Mapped[float | None] = mapped_column(Double)
    high: Mapped[float | None] = mapped_column(Double)
    reason: Mapped[str | None] = mapped_column(String(80))
    selected_by: Mapped[str] = mapped_column(String(8))
    entries: Mapped[int]
    at: Mapped[dt.datetime]


class BoardSnapshot(Base):
    """One immutable computed state of a leaderboard (design 11.7).

    `body` holds 12 digits (organisers); `shown` is the same rounded to the phase's precision (everybody else). A read
    gets the row with the highest `seq`. `hash` is set by the freeze.
    """

    __tablename__ = "board_snapshots"
    __table_args__ = (
        UniqueConstraint("phase_id", "split", "seq"),
        Index("ix_board_snapshots_newest", "phase_id", "split", "seq"),
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    phase_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("phases.id"))
    split: Mapped[str] = mapped_column(String(64))
    seq: Mapped[int]
    computed_at: Mapped[dt.datetime]
    provisional: Mapped[bool]
    frozen: Mapped[bool] = mapped_column(default=False)
    hash: Mapped[str | None] = mapped_column(String(64))
    salt: Mapped[str | None] = mapped_column(String(64))
    body: Mapped[dict[str, Any]]
    shown: Mapped[dict[str, Any]]


def newest(session: Session, phase_id: uuid.UUID, split: str) -> BoardSnapshot | None:
    query = select(BoardSnapshot).where(BoardSnapshot.phase_id == phase_id, BoardSnapshot.split == split)
    return session.scalar(query.order_by(BoardSnapshot.seq.desc()).limit(1))


def entries_of(session: Session, phase_id: uuid.UUID, split: str) -> list[BoardEntry]:
    query = select(BoardEntry).where(BoardEntry.phase_id == phase_id, BoardEntry.split == split)
    return list(session.scalars(query.order_by(BoardEntry.team_id)))
