"""Runners, the one-time tokens that register them, and sites."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base
from app.domain.ids import new_id


class Site(Base):
    """An institution whose data stay put; the row with the nil id is this instance itself."""

    __tablename__ = "sites"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120))


class Runner(Base):
    """A registered runner; `public_key` (Ed25519, base64) verifies its reports."""

    __tablename__ = "runners"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("sites.id"))
    name: Mapped[str] = mapped_column(String(80))
    public_key: Mapped[str] = mapped_column(String(64))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    queues: Mapped[list[str]]
    tags: Mapped[list[str]]
    versions: Mapped[dict[str, str]]
    registered_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]


class RunnerToken(Base):
    """Lets one runner register, once, for `queues`."""

    __tablename__ = "runner_tokens"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    site_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("sites.id"))
    queues: Mapped[list[str]]
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


def is_revoked(session: Session, runner_id: uuid.UUID) -> bool:
    """Whether the runner may no longer call."""
    return session.scalar(select(Runner.revoked_at).where(Runner.id == runner_id)) is not None


def by_key_hash(session: Session, key_hash: str) -> Runner | None:
    return session.scalar(select(Runner).where(Runner.key_hash == key_hash, Runner.revoked_at.is_(None)))
