"""The audit chain and its erasable payloads."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base


class AuditEntry(Base):
    """Who did what to which thing, when. `hash` covers all other columns and `prev`, the hash before."""

    __tablename__ = "audit_entries"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[dt.datetime]
    actor_id: Mapped[uuid.UUID | None]
    act: Mapped[str] = mapped_column(String(64))
    object: Mapped[str] = mapped_column(String(200))
    payload_digest: Mapped[str] = mapped_column(String(64))
    prev: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditPayload(Base):
    """What the act was about; erasable, since the chain holds only its salted digest."""

    __tablename__ = "audit_payloads"
    seq: Mapped[int] = mapped_column(ForeignKey("audit_entries.seq"), primary_key=True)
    salt: Mapped[str] = mapped_column(String(64))
    payload: Mapped[dict[str, Any]]


def newest(session: Session) -> AuditEntry | None:
    return session.scalar(select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(1))
