"""Uploads on their way: what was admitted before its body arrived, in one request or in resumable pieces."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, ForeignKey, String, delete, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column, object_session

from app.db.base import Base
from app.db.phases import Phase
from app.db.pulse import SETTLE, reprieved
from app.domain.ids import new_id

KEEP = dt.timedelta(days=1)
"""How long a resumable upload is kept after its last piece."""
ENTER = dt.timedelta(minutes=5)
"""How long the entry of a resumable upload is awaited that was complete when the grace ended."""


class Upload(Base):
    """An admitted request whose body is still coming. `expires_at` is the request's moment and the grace for a body.

    The grace begins at the close for requests before it (design 11.5), so the phase does not freeze before then.
    `length` (bytes) is None for the body of one request. A resumable upload has what its creation announced:
    `announced` as it was sent, `kind`, `sha256`, `filename`, and `repeats` when it was let in as a repetition of an
    earlier entry. `touched_at` is when its last piece began or ended, `completed_at` when its bytes were whole
    and right, `submission_id` what it was entered as.
    """

    __tablename__ = "uploads"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    phase_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("phases.id"), index=True)
    team_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("teams.id"), index=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    requested_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    length: Mapped[int | None] = mapped_column(BigInteger)
    announced: Mapped[str] = mapped_column(String(4000), default="")
    kind: Mapped[str] = mapped_column(String(16), default="")
    filename: Mapped[str] = mapped_column(String(200), default="")
    sha256: Mapped[str | None] = mapped_column(String(64))
    repeats: Mapped[bool] = mapped_column(default=False)
    touched_at: Mapped[dt.datetime | None]
    completed_at: Mapped[dt.datetime | None]
    submission_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("submissions.id"))


def last_moment(upload: Upload, *, closes_at: dt.datetime) -> dt.datetime:
    """When the body must be complete, whatever the close was when the request came."""
    return reprieve(upload, max(upload.requested_at, closes_at) + (upload.expires_at - upload.requested_at))


def reprieve(upload: Upload, moment: dt.datetime) -> dt.datetime:
    """`moment`, or later where the platform stood still then."""
    session = object_session(upload)
    return moment if session is None else reprieved(session, moment, after=SETTLE)


def kept_until(upload: Upload, *, closes_at: dt.datetime) -> dt.datetime:
    """When an upload is given up (or, once it is entered, forgotten)."""
    end = last_moment(upload, closes_at=closes_at)
    if upload.touched_at is None:
        return end
    idle = upload.touched_at + KEEP
    if upload.submission_id is not None:
        return idle
    return reprieve(upload, min(end + ENTER if upload.completed_at else end, idle))


def open_in(session: Session, phase: Phase, now: dt.datetime) -> int:
    """How many uploads to this phase may still arrive, or have arrived and may still be entered.

    What was requested after the close can only repeat an entry that is there, and holds nothing up.
    """
    query = select(Upload).where(Upload.phase_id == phase.id, Upload.submission_id.is_(None))
    found = session.scalars(query.where(Upload.requested_at < phase.closes_at))
    return sum(kept_until(upload, closes_at=phase.closes_at) >= now for upload in found)


def of_team(session: Session, team_id: uuid.UUID) -> int:
    """How many uploads of a team are on their way."""
    query = select(func.count()).where(Upload.team_id == team_id, Upload.submission_id.is_(None))
    return session.scalar(query) or 0


def resumable_of_team(session: Session, team_id: uuid.UUID) -> int:
    """How many resumable uploads of a team are not entered."""
    query = select(func.count()).where(
        Upload.team_id == team_id, Upload.submission_id.is_(None), Upload.length.is_not(None)
    )
    return session.scalar(query) or 0


def locked(session: Session, upload_id: uuid.UUID) -> Upload | None:
    """The row as it is now, held until the transaction ends."""
    query = select(Upload).where(Upload.id == upload_id).with_for_update(of=Upload)
    return session.scalar(query.execution_options(populate_existing=True))


def resumable(session: Session) -> set[uuid.UUID]:
    """All resumable uploads that are not forgotten."""
    return set(session.scalars(select(Upload.id).where(Upload.length.is_not(None))))


def forget(session: Session, upload_id: uuid.UUID) -> None:
    session.execute(delete(Upload).where(Upload.id == upload_id))


def arrived(session: Session, upload_id: uuid.UUID) -> None:
    """The body is entered. A resumable upload stays, so that asking again is answered with the same entry."""
    session.execute(delete(Upload).where(Upload.id == upload_id, Upload.length.is_(None)))


def forget_expired(session: Session, now: dt.datetime) -> list[uuid.UUID]:
    """Drop what can no longer arrive, as uploads that a server took with it when it died; which were resumable."""
    query = select(Upload, Phase.closes_at).join(Phase, Phase.id == Upload.phase_id)
    query = query.where(or_(Upload.expires_at < now, Upload.touched_at < now - KEEP))
    dropped = []
    for upload, closes_at in session.execute(query).all():
        if kept_until(upload, closes_at=closes_at) < now:
            dropped += [upload.id] if upload.length is not None else []
            forget(session, upload.id)
    return dropped
