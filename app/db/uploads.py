"""Uploads on their way: what was admitted before its body arrived."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base
from app.domain.ids import new_id


class Upload(Base):
    """An admitted request whose body is still coming; a phase does not freeze before `expires_at` while it stands."""

    __tablename__ = "uploads"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    phase_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("phases.id"), index=True)
    team_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("teams.id"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    requested_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]


def open_in(session: Session, phase_id: uuid.UUID, now: dt.datetime) -> int:
    """How many uploads to this phase may still arrive."""
    query = select(func.count()).where(Upload.phase_id == phase_id, Upload.expires_at > now)
    return session.scalar(query) or 0


def forget(session: Session, upload_id: uuid.UUID) -> None:
    session.execute(delete(Upload).where(Upload.id == upload_id))


def forget_expired(session: Session, now: dt.datetime) -> None:
    session.execute(delete(Upload).where(Upload.expires_at <= now))
