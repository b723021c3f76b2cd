"""Teams, their members and invitations."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base
from app.domain.ids import new_id
from app.domain.names import likeness


class Team(Base):
    """The unit that submits and is ranked. `baseline` teams stand on the board without a rank of their own."""

    __tablename__ = "teams"
    __table_args__ = (UniqueConstraint("challenge_id", "name"),)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    challenge_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("challenges.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    baseline: Mapped[bool] = mapped_column(default=False)
    eligible: Mapped[bool] = mapped_column(default=True)
    reason: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[dt.datetime]


class Membership(Base):
    """A person is in one team of a challenge."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("challenge_id", "user_id"),)
    team_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    challenge_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("challenges.id"))
    joined_at: Mapped[dt.datetime]


class Invitation(Base):
    """A link that lets one person join a team; the secret is stored hashed."""

    __tablename__ = "invitations"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    team_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("teams.id"), index=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


def of_user(session: Session, challenge_id: uuid.UUID, user_id: uuid.UUID) -> Team | None:
    """The person's team in this challenge."""
    query = select(Team).join(Membership).where(Membership.challenge_id == challenge_id, Membership.user_id == user_id)
    return session.scalar(query)


def members_of(session: Session, team_id: uuid.UUID) -> list[uuid.UUID]:
    query = select(Membership.user_id).where(Membership.team_id == team_id).order_by(Membership.joined_at)
    return list(session.scalars(query))


def likenesses(session: Session, challenge_id: uuid.UUID) -> dict[str, uuid.UUID]:
    """What the names of a challenge's teams look like (`domain.names.likeness`) -> team."""
    # In Python, because SQLite knows no other letters than ASCII.
    query = select(Team.name, Team.id).where(Team.challenge_id == challenge_id)
    return {likeness(name): team_id for name, team_id in session.execute(query)}


def baseline_of(session: Session, challenge_id: uuid.UUID) -> Team | None:
    """The team of the organisers' baseline."""
    return session.scalar(select(Team).where(Team.challenge_id == challenge_id, Team.baseline))


def lock(session: Session, team_id: uuid.UUID) -> Team:
    """The team's row, held until the transaction ends, so that two uploads at once never share a quota slot.

    Rows that name the team can be written meanwhile. On SQLite the write transaction itself is the lock. Raises
    NoResultFound for a team that is gone.
    """
    query = select(Team).where(Team.id == team_id).with_for_update(key_share=True)
    return session.scalars(query.execution_options(populate_existing=True)).one()
