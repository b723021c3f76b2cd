"""Accounts: sign up, sign in, browser sessions and API tokens."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from dataclasses import dataclass

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.orm import Session

from app.db import users as rows
from app.db.users import ApiToken, User, UserSession
from app.domain import access
from app.domain.access import ANONYMOUS, SCOPES, Actor
from app.domain.ids import new_secret, secret_hash
from app.domain.names import is_name, one_line
from app.errors import N_, Conflict, Invalid, NotAllowed, NotFound, SignInNeeded
from app.services import audit

PASSWORDS = PasswordHash((Argon2Hasher(),))
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)*")
SHORTEST_PASSWORD = 10
# Checked when the address is unknown, so that both answers take the same time.
NOBODY = PASSWORDS.hash("nobody has this password")


@dataclass(frozen=True)
class Opened:
    """A new session or token: its row and the secret, which is shown once."""

    row: UserSession | ApiToken
    secret: str


def sign_up(
    session: Session,
    *,
    email: str,
    name: str,
    password: str,
    now: dt.datetime,
    language: str = "en",
    admin: bool = False,
    can_organise: bool = False,
    demo: bool = False,
) -> User:
    """Make an account. Raises Invalid for a bad address, name or password, Conflict for an address in use."""
    email, name = email.strip().lower(), one_line(name)
    _check_account(email=email, name=name, password=password)
    # Before the first statement: a password is hashed slowly, and nobody can write to SQLite meanwhile.
    hashed = PASSWORDS.hash(password)
    if rows.by_email(session, email):
        raise Conflict(N_("There is an account with this e-mail address already. Sign in instead."))
    user = User(
        email=email,
        name=name,
        password_hash=hashed,
        language=language if language in ("fr", "en") else "en",
        admin=admin,
        can_organise=can_organise or admin,
        demo=demo,
        created_at=now,
    )
    session.add(user)
    session.flush()
    audit.record(session, actor=actor_of(user), act="account.create", object=f"user:{user.id}", now=now)
    return user


def _check_account(*, email: str, name: str, password: str) -> None:
    problems = []
    if not is_name(email, longest=254) or not EMAIL.fullmatch(email):
        problems.append({"where": "email", "text": N_("This is not an e-mail address.")})
    if not is_name(name, longest=120):
        problems.append({"where": "name", "text": N_("Give a name of 1 to 120 visible characters.")})
    if not SHORTEST_PASSWORD <= len(password) <= 1000:
        problems.append({"where": "password", "text": N_("Give a password of at least 10 characters.")})
    if problems:
        raise Invalid(N_("The account was not made: see the problems below."), problems=problems)


def authenticate(session: Session, *, email: str, password: str) -> User:
    """The person with this address and password. Raises SignInNeeded with one sentence for both mistakes."""
    user = rows.by_email(session, email.strip().lower())
    known = PASSWORDS.verify(password[:1000], user.password_hash if user else NOBODY)
    if user is None or not known or user.erased_at:
        raise SignInNeeded(N_("The e-mail address or the password is wrong."))
    return user


def sign_in(session: Session, *, user: User, device: str, days: int, now: dt.datetime) -> Opened:
    """Open a browser session for `days`; the secret goes into a cookie. The person's ended sessions are forgotten."""
    rows.forget_ended(session, user.id, now)
    secret = new_secret("ses")
    row = UserSession(
        user_id=user.id,
        secret_hash=secret_hash(secret),
        device=device[:200],
        created_at=now,
        expires_at=now + dt.timedelta(days=days),
    )
    session.add(row)
    audit.record(session, actor=actor_of(user), act="session.open", object=f"user:{user.id}", now=now)
    return Opened(row, secret)


def sign_out(session: Session, *, secret: str, now: dt.datetime) -> None:
    """End the browser session of this secret; nothing happens when there is none."""
    row = rows.session_of(session, secret_hash(secret), now)
    if row:
        row.revoked_at = now


def signed_in_user(session: Session, *, actor: Actor) -> User:
    """The person behind a browser session. A token cannot make tokens, or neither its scopes nor its end would hold."""
    user = session.get(User, actor.user_id) if actor.user_id else None
    if user is None:
        raise SignInNeeded()
    if actor.token_id is not None:
        raise NotAllowed(N_("Make tokens after signing in with your password: a token cannot make others."))
    return user


def create_token(
    session: Session, *, user: User, name: str, scopes: list[str], days: int | None, now: dt.datetime
) -> Opened:
    """Make an API token. Raises Invalid for an unknown scope."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise Invalid(N_("Scopes are: %(known)s."), known=", ".join(SCOPES))
    secret = new_secret("arb")
    row = ApiToken(
        user_id=user.id,
        name=name.strip()[:80] or "token",
        secret_hash=secret_hash(secret),
        scopes=sorted(set(scopes)),
        created_at=now,
        expires_at=now + dt.timedelta(days=days) if days else None,
    )
    session.add(row)
    session.flush()
    audit.record(session, actor=actor_of(user), act="token.create", object=f"token:{row.id}", now=now)
    return Opened(row, secret)


def revoke_token(session: Session, *, actor: Actor, token_id: uuid.UUID, now: dt.datetime) -> None:
    """Revoke one of the actor's own tokens. Raises NotFound otherwise, NotAllowed for a limited token."""
    row = session.get(ApiToken, token_id)
    if row is None or row.user_id != actor.user_id:
        raise NotFound()
    if not access.can_revoke_token(actor, owner_id=row.user_id, token_id=token_id):
        raise NotAllowed(N_("A limited token revokes no other. Sign in to do this."))
    row.revoked_at = now
    audit.record(session, actor=actor, act="token.revoke", object=f"token:{token_id}", now=now)


def actor_by_session(session: Session, *, secret: str, now: dt.datetime) -> Actor:
    """Who holds this browser session; anonymous when it is unknown, expired or revoked."""
    row = rows.session_of(session, secret_hash(secret), now)
    user = session.get(User, row.user_id) if row else None
    return actor_of(user) if user and not user.erased_at else ANONYMOUS


def actor_by_token(session: Session, *, secret: str, now: dt.datetime) -> Actor:
    """Who holds this API token, limited to its scopes. Raises SignInNeeded when it is not valid."""
    row = rows.token_of(session, secret_hash(secret), now)
    user = session.get(User, row.user_id) if row else None
    if row is None or user is None or user.erased_at:
        raise SignInNeeded(N_("This token is unknown, expired or revoked. Make a new one with `arbitre login`."))
    return actor_of(user, scopes=frozenset(row.scopes), token_id=row.id)


def actor_of(user: User, *, scopes: frozenset[str] = frozenset(SCOPES), token_id: uuid.UUID | None = None) -> Actor:
    """The person as an actor with these scopes."""
    return Actor(
        user_id=user.id,
        admin=user.admin,
        can_organise=user.can_organise,
        scopes=scopes,
        language=user.language,
        name=user.name,
        token_id=token_id,
    )
