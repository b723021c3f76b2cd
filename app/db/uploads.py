"""Uploads on their way: what was admitted before its body arrived."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base
from app.db.phases import Phase
from app.domain.ids import new_id


class Upload(Base):
    """An admitted request whose body is still coming. `expires_at` is the request's moment and the grace for a body.

    The grace begins at the close for requests before it (design 11.5), so the phase does not freeze before then.
    """

    __tablename__ = "uploads"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    phase_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("phases.id"), index=True)
    team_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("teams.id"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    requested_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]


def last_moment(upload: Upload, *, closes_at: dt.datetime) -> dt.datetime:
    """When the body must be complete, whatever the close was when the request came."""
    return max(upload.requested_at, closes_at) + (upload.expires_at - upload.requested_at)


def open_in(session: Session, phase: Phase, now: dt.datetime) -> int:
    """How many uploads to this phase may still arrive."""
    found = session.scalars(select(Upload).where(Upload.phase_id == phase.id))
    return sum(last_moment(upload, closes_at=phase.closes_at) >= now for upload in found)


def of_team(session: Session, team_id: uuid.UUID) -> int:
    """How many uploads of a team are on their way."""
    return session.scalar(select(func.count()).where(Upload.team_id == team_id)) or 0


def forget(session: Session, upload_id: uuid.UUID) -> None:
    session.execute(delete(Upload).where(Upload.id == upload_id))


def forget_expired(session: Session, now: dt.datetime) -> None:
    """Drop what can no longer arrive: uploads that a server took with it when it died."""
    query = select(Upload, Phase.closes_at).join(Phase, Phase.id == Upload.phase_id).where(Upload.expires_at < now)
    for upload, closes_at in session.execute(query).all():
        if last_moment(upload, closes_at=closes_at) < now:
            forget(session, upload.id)
