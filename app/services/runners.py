"""Runners: one-time tokens, registration, who is calling, and whether a report is really theirs."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import uuid
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import runners as rows
from app.db.runners import Runner, RunnerToken
from app.domain.access import SYSTEM
from app.domain.ids import NIL, new_secret, secret_hash
from app.errors import N_, Invalid, NotAllowed, SignInNeeded
from app.services import audit
from sandbox_runner.contract import Register

QUEUES = ("check", "predict", "score", "describe", "inspect", "prepare", "analyse")
"""Queues that belong to runners; `house` is the worker's."""
TOKEN_HOURS = 24
SEEN_EVERY_S = 60


@dataclass(frozen=True)
class Registration:
    """A new runner and its key, which is shown once."""

    runner: Runner
    key: str


def add_token(session: Session, *, now: dt.datetime, queues: tuple[str, ...] = QUEUES, site_id: uuid.UUID = NIL) -> str:
    """Make a token with which one runner may register within a day, for `queues`; returned once, stored hashed."""
    unknown = sorted(set(queues) - set(QUEUES))
    if unknown or not queues:
        raise Invalid(N_("Queues of runners are: %(known)s."), known=", ".join(QUEUES))
    secret = new_secret("run")
    row = RunnerToken(
        secret_hash=secret_hash(secret),
        site_id=site_id,
        queues=list(queues),
        created_at=now,
        expires_at=now + dt.timedelta(hours=TOKEN_HOURS),
    )
    session.add(row)
    session.flush()
    audit.record(session, actor=SYSTEM, act="runner.invite", object=f"runner_token:{row.id}", now=now)
    return secret


def register(session: Session, *, token: str, request: Register, now: dt.datetime) -> Registration:
    """Register a runner by a one-time token. Raises SignInNeeded (token) or Invalid (public key)."""
    query = select(RunnerToken).where(RunnerToken.secret_hash == secret_hash(token)).with_for_update()
    known = session.scalar(query)
    if known is None or known.used_at is not None or known.expires_at <= now:
        raise SignInNeeded(
            N_("This registration token is unknown, used or expired. Make a new one with `arbitre admin runner add`.")
        )
    _public_key(request.public_key)
    known.used_at = now
    key = new_secret("run")
    runner = Runner(
        site_id=known.site_id,
        name=request.name[:80],
        public_key=request.public_key,
        key_hash=secret_hash(key),
        queues=[queue for queue in request.queues if queue in known.queues],
        tags=request.tags,
        versions=request.versions,
        registered_at=now,
        seen_at=now,
    )
    session.add(runner)
    session.flush()
    audit.record(session, actor=SYSTEM, act="runner.register", object=f"runner:{runner.id}", now=now)
    return Registration(runner, key)


def by_key(session: Session, *, key: str) -> Runner:
    """The runner that holds this key. Raises SignInNeeded when there is none, or it was revoked."""
    runner = rows.by_key_hash(session, secret_hash(key))
    if runner is None:
        raise SignInNeeded(
            N_("This runner's key is unknown or revoked. Register again with a token of `arbitre admin runner add`.")
        )
    return runner


def news(runner: Runner, *, versions: dict[str, str], now: dt.datetime) -> bool:
    """Whether `seen` has something to write: other versions, or not seen for a minute. An idle claim writes nothing."""
    return runner.versions != versions or abs((now - runner.seen_at).total_seconds()) >= SEEN_EVERY_S


def seen(session: Session, *, runner_id: uuid.UUID, versions: dict[str, str], now: dt.datetime) -> None:
    """Remember that a runner called, and what it runs."""
    runner = session.get_one(Runner, runner_id)
    runner.seen_at, runner.versions = now, versions


def check_signature(session: Session, *, runner_id: uuid.UUID | None, body: bytes, signature: str) -> None:
    """Refuse a report that was not signed by the runner that holds the job. Raises NotAllowed.

    `signature` is base64 of an Ed25519 signature over exactly `body` (RFC 8032).
    """
    runner = session.get(Runner, runner_id) if runner_id else None
    try:
        assert runner is not None, "jobs handed out over HTTP have a runner"
        _public_key(runner.public_key).verify(base64.b64decode(signature, validate=True), body)
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise NotAllowed(
            N_("The report is not signed with the key this runner registered. It was not counted."), code="E-SIGNATURE"
        ) from error


def _public_key(text: str) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise Invalid(N_("`public_key` must be base64 of the 32 bytes of an Ed25519 public key.")) from error
