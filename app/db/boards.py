"""Board entries (which evaluation stands for a team) and immutable snapshots of leaderboards."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    Select,
    String,
    UniqueConstraint,
    delete,
    func,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base
from app.db.evaluations import FINITE
from app.db.phases import Split
from app.domain.ids import new_id

Standing = tuple[uuid.UUID, uuid.UUID, int]
"""(team, evaluation, how many entries the team has)."""
OFF_BOARD = 0
"""`rank_low` of a change that says that the team is not on the board from then on."""


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
    gets the row with the highest `seq`. `hash` is set by the freeze. Old ones go once newer ones stand (`prune`); what
    they said of each team's rank stays in BoardChange.
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


class BoardChange(Base):
    """From snapshot `seq` on, a team stood at this rank with this value; one row where rank or shown value changed.

    Kept for splits that are live, and of every split for the board that froze: what was secret until the freeze leaves
    no history. `value` has 12 digits. `rank_low`, `rank_high`: as they were when the row was written. A team that left
    the board has one row more, without rank and value and with `rank_low` OFF_BOARD, which no team on a board has.
    """

    __tablename__ = "board_changes"
    phase_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("phases.id"), primary_key=True)
    split: Mapped[str] = mapped_column(String(64), primary_key=True)
    team_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime]
    rank: Mapped[int | None]
    tied: Mapped[bool]
    rank_low: Mapped[int | None]
    rank_high: Mapped[int | None]
    value: Mapped[float | None] = mapped_column(Double)


def newest(session: Session, phase_id: uuid.UUID, split: str) -> BoardSnapshot | None:
    query = select(BoardSnapshot).where(BoardSnapshot.phase_id == phase_id, BoardSnapshot.split == split)
    return session.scalar(query.order_by(BoardSnapshot.seq.desc()).limit(1))


def entries_of(session: Session, phase_id: uuid.UUID, split: str) -> list[BoardEntry]:
    query = select(BoardEntry).where(BoardEntry.phase_id == phase_id, BoardEntry.split == split)
    return list(session.scalars(query.order_by(BoardEntry.team_id)))


def standing(session: Session, phase_id: uuid.UUID, split: str) -> frozenset[Standing]:
    """Which evaluation stands for each team, and of how many entries."""
    query = select(BoardEntry.team_id, BoardEntry.evaluation_id, BoardEntry.entries)
    found = session.execute(query.where(BoardEntry.phase_id == phase_id, BoardEntry.split == split))
    return frozenset((team, evaluation, entries) for team, evaluation, entries in found)


def last_seq(session: Session, phase_id: uuid.UUID, split: str) -> int:
    """Number of the newest snapshot; 0 before the first."""
    query = select(func.max(BoardSnapshot.seq)).where(BoardSnapshot.phase_id == phase_id, BoardSnapshot.split == split)
    return session.scalar(query) or 0


def prune(session: Session, phase_id: uuid.UUID, split: str, *, upto: int) -> None:
    """Delete the snapshots numbered up to `upto`, never a frozen one."""
    old = delete(BoardSnapshot).where(BoardSnapshot.phase_id == phase_id, BoardSnapshot.split == split)
    session.execute(old.where(BoardSnapshot.seq <= upto, BoardSnapshot.frozen.is_(False)))


def has_changes(session: Session, phase_id: uuid.UUID, split: str) -> bool:
    """Whether any history was kept of this split."""
    query = select(BoardChange.seq).where(BoardChange.phase_id == phase_id, BoardChange.split == split)
    return session.scalar(query.limit(1)) is not None


def changes_of(
    session: Session, phase_id: uuid.UUID, split: str, team_id: uuid.UUID, *, seqs: Sequence[int]
) -> list[BoardChange]:
    """The changes of a team at these snapshots, oldest first."""
    query = _of_team(phase_id, split, team_id).where(BoardChange.seq.in_(seqs))
    return list(session.scalars(query.order_by(BoardChange.seq)))


def change_seqs(session: Session, phase_id: uuid.UUID, split: str, team_id: uuid.UUID) -> list[int]:
    """At which snapshots something changed for a team, oldest first."""
    query = _of_team(phase_id, split, team_id).with_only_columns(BoardChange.seq)
    return list(session.scalars(query.order_by(BoardChange.seq)))


def on_board(session: Session, phase_id: uuid.UUID, split: str) -> list[uuid.UUID]:
    """The teams that are on the board by their newest change, in order of their ids."""
    of_split = (BoardChange.phase_id == phase_id, BoardChange.split == split)
    newest = select(BoardChange.team_id, func.max(BoardChange.seq).label("seq")).where(*of_split)
    latest = newest.group_by(BoardChange.team_id).subquery()
    same = (BoardChange.team_id == latest.c.team_id) & (BoardChange.seq == latest.c.seq)
    query = select(BoardChange.team_id).join(latest, same).where(*of_split)
    query = query.where(BoardChange.rank_low.is_distinct_from(OFF_BOARD))
    return list(session.scalars(query.order_by(BoardChange.team_id)))


def forget_hidden(session: Session, phase_id: uuid.UUID) -> None:
    """Delete the history of the splits that are not live: what a board that is opened again had told at its freeze."""
    hidden = select(Split.name).where(Split.phase_id == phase_id, Split.visible != "live")
    session.execute(delete(BoardChange).where(BoardChange.phase_id == phase_id, BoardChange.split.in_(hidden)))


def _of_team(phase_id: uuid.UUID, split: str, team_id: uuid.UUID) -> Select[Any]:
    return select(BoardChange).where(
        BoardChange.phase_id == phase_id, BoardChange.split == split, BoardChange.team_id == team_id
    )
