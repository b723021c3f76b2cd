"""People, their sign-ins and their tokens."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, String, delete, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base
from app.domain.ids import new_id


class User(Base):
    """A person. `email` is lower-cased; `demo` marks accounts with printed passwords, refused on a public address."""

    __tablename__ = "users"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str] = mapped_column(String(300))
    language: Mapped[str] = mapped_column(String(2), default="en")
    admin: Mapped[bool] = mapped_column(default=False)
    can_organise: Mapped[bool] = mapped_column(default=False)
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime]
    erased_at: Mapped[dt.datetime | None]


class UserSession(Base):
    """One browser signed in; only the hash of the cookie is stored."""

    __tablename__ = "sessions"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    device: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]


class ApiToken(Base):
    """A token for the API, limited to `scopes` (read, submit, organise, admin); shown once, stored hashed."""

    __tablename__ = "api_tokens"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime | None]
    used_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]


def by_email(session: Session, email: str) -> User | None:
    return session.scalar(select(User).where(User.email == email))


def session_of(session: Session, secret_hash: str, now: dt.datetime) -> UserSession | None:
    """The live browser session with this hash."""
    return session.scalar(
        select(UserSession).where(
            UserSession.secret_hash == secret_hash, UserSession.revoked_at.is_(None), UserSession.expires_at > now
        )
    )


def forget_ended(session: Session, user_id: uuid.UUID, now: dt.datetime) -> None:
    """Drop the browser sessions of a person that expired or were ended."""
    ended = or_(UserSession.expires_at <= now, UserSession.revoked_at.is_not(None))
    session.execute(delete(UserSession).where(UserSession.user_id == user_id, ended))


def token_of(session: Session, secret_hash: str, now: dt.datetime) -> ApiToken | None:
    """The live API token with this hash."""
    return session.scalar(
        select(ApiToken).where(
            ApiToken.secret_hash == secret_hash,
            ApiToken.revoked_at.is_(None),
            (ApiToken.expires_at.is_(None)) | (ApiToken.expires_at > now),
        )
    )


def tokens_of(session: Session, user_id: uuid.UUID) -> list[ApiToken]:
    """The unrevoked tokens of a person, newest first."""
    query = select(ApiToken).where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
    return list(session.scalars(query.order_by(ApiToken.created_at.desc())))
