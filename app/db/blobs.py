"""Rows that say which bytes are kept; a read of bytes always goes through a row that the actor may see."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base
from app.domain.ids import NIL, new_id

MOST_ASKED = 500
"""Digests of one query."""


class Blob(Base):
    """Bytes by digest in one `store`: public, hidden, reference, entries, images or mail. `size` in bytes."""

    __tablename__ = "blobs"
    __table_args__ = (UniqueConstraint("store", "sha256"),)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    store: Mapped[str] = mapped_column(String(16))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    site_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("sites.id"), default=NIL)
    created_at: Mapped[dt.datetime]


def record(session: Session, *, store: str, sha256: str, size: int, now: dt.datetime) -> Blob:
    """The row of these bytes in this store, made when there is none; two who make it at once get the same."""
    query = select(Blob).where(Blob.store == store, Blob.sha256 == sha256)
    known = session.scalar(query)
    if known is not None:
        return known
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    row = {"id": new_id(), "store": store, "sha256": sha256, "size": size, "site_id": NIL, "created_at": now}
    session.execute(insert(Blob).values(row).on_conflict_do_nothing(index_elements=["store", "sha256"]))
    return session.scalars(query).one()


def any_named(session: Session) -> bool:
    """Whether there is a row at all."""
    return session.scalar(select(Blob.id).limit(1)) is not None


def named(session: Session, digests: Sequence[str]) -> set[str]:
    """Which of these digests (hex) have a row, in whatever store."""
    parts = [digests[start : start + MOST_ASKED] for start in range(0, len(digests), MOST_ASKED)]
    return {sha256 for part in parts for sha256 in session.scalars(select(Blob.sha256).where(Blob.sha256.in_(part)))}
