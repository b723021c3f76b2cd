"""Challenges, their versions, files, people and documents."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base
from app.domain.ids import new_id


class Challenge(Base):
    """`slug` never changes after publication; `submissions` counts the numbers given out (dense per challenge)."""

    __tablename__ = "challenges"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    title: Mapped[dict[str, str]]
    summary: Mapped[dict[str, str]]
    zone: Mapped[str] = mapped_column(String(64))
    sensitivity: Mapped[str] = mapped_column(String(16))
    version_id: Mapped[uuid.UUID | None]
    submissions: Mapped[int] = mapped_column(default=0)
    created_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[dt.datetime]
    published_at: Mapped[dt.datetime | None]


class ChallengeVersion(Base):
    """One immutable state of the whole folder; `digest` is over its canonical form."""

    __tablename__ = "challenge_versions"
    __table_args__ = (UniqueConstraint("challenge_id", "number"), UniqueConstraint("challenge_id", "digest"))
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    challenge_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("challenges.id"))
    number: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    spec: Mapped[dict[str, Any]]
    created_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[dt.datetime]


class ChallengeFile(Base):
    """One file of a version's folder, by path, and the blob that holds it."""

    __tablename__ = "challenge_files"
    __table_args__ = (UniqueConstraint("version_id", "path"),)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("challenge_versions.id"))
    path: Mapped[str] = mapped_column(String(1000))
    blob_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("blobs.id"))


class Organiser(Base):
    __tablename__ = "organisers"
    challenge_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("challenges.id"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    added_at: Mapped[dt.datetime]


class Juror(Base):
    """A member of the jury; `role` is chair, juror or secretary."""

    __tablename__ = "jurors"
    challenge_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("challenges.id"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(16), default="juror")
    added_at: Mapped[dt.datetime]


class Document(Base):
    """One version of a text that participants accept (rules, data-use agreement); `files` maps language to path."""

    __tablename__ = "documents"
    __table_args__ = (UniqueConstraint("challenge_id", "slug", "version"),)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    challenge_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("challenges.id"))
    slug: Mapped[str] = mapped_column(String(64))
    version: Mapped[int]
    title: Mapped[dict[str, str]]
    files: Mapped[dict[str, str]]
    required: Mapped[bool]
    current: Mapped[bool] = mapped_column(default=True)


class Acceptance(Base):
    """A person accepted one version of one document."""

    __tablename__ = "acceptances"
    document_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("documents.id"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    at: Mapped[dt.datetime]


def by_slug(session: Session, slug: str) -> Challenge | None:
    return session.scalar(select(Challenge).where(Challenge.slug == slug))


def lock(session: Session, challenge: Challenge) -> None:
    """Read the challenge anew and hold its row until the transaction ends; rows that name it can be written meanwhile.

    On SQLite the write transaction itself is the lock.
    """
    session.refresh(challenge, with_for_update={"key_share": True})


def version(session: Session, challenge: Challenge) -> ChallengeVersion:
    """The version in force."""
    return session.get_one(ChallengeVersion, challenge.version_id)


def versions_of(session: Session, challenge: Challenge) -> list[ChallengeVersion]:
    """All versions of a challenge: the one in force, then the newest first."""
    query = select(ChallengeVersion).where(ChallengeVersion.challenge_id == challenge.id)
    found = session.scalars(query.order_by(ChallengeVersion.number.desc()))
    return sorted(found, key=lambda version: version.id != challenge.version_id)


def files_of(session: Session, version_id: uuid.UUID) -> list[ChallengeFile]:
    query = select(ChallengeFile).where(ChallengeFile.version_id == version_id).order_by(ChallengeFile.path)
    return list(session.scalars(query))


def file_at(session: Session, version_id: uuid.UUID, path: str) -> ChallengeFile | None:
    return session.scalar(
        select(ChallengeFile).where(ChallengeFile.version_id == version_id, ChallengeFile.path == path)
    )


def documents_of(session: Session, challenge_id: uuid.UUID) -> list[Document]:
    """The documents in force, in the order of their slugs."""
    query = select(Document).where(Document.challenge_id == challenge_id, Document.current)
    return list(session.scalars(query.order_by(Document.slug)))


def accepted_by(session: Session, challenge_id: uuid.UUID, user_id: uuid.UUID) -> set[uuid.UUID]:
    """Ids of the challenge's documents that this person accepted."""
    query = select(Acceptance.document_id).join(Document).where(Document.challenge_id == challenge_id)
    return set(session.scalars(query.where(Acceptance.user_id == user_id)))
