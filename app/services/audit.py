"""The record of every act: a hash chain whose payloads can be erased without breaking it."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from typing import Any

import rfc8785
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.db import audit as rows
from app.db.audit import AuditEntry, AuditPayload
from app.domain.access import Actor

FIRST = "0" * 64
CHAIN_LOCK = 0x41_55_44_49  # "AUDI": one writer of the chain at a time on PostgreSQL


def record(
    session: Session, *, actor: Actor, act: str, object: str, now: dt.datetime, payload: dict[str, Any] | None = None
) -> AuditEntry:
    """Append who did what to which thing. `act` is noun.verb (submission.create); `object` is noun:id.

    Returns the entry; written with the caller's transaction, so an act and its record stand or fall together.
    """
    _lock(session)
    last = rows.newest(session)
    seq, prev = (last.seq + 1, last.hash) if last else (1, FIRST)
    salt = secrets.token_hex(16)
    body = payload or {}
    digest = hashlib.sha256(salt.encode() + rfc8785.dumps(body)).hexdigest()
    entry = AuditEntry(
        seq=seq, at=now, actor_id=actor.user_id, act=act, object=object, payload_digest=digest, prev=prev, hash=""
    )
    entry.hash = chain_hash(entry)
    session.add(entry)
    session.flush()
    session.add(AuditPayload(seq=seq, salt=salt, payload=body))
    session.flush()
    return entry


def chain_hash(entry: AuditEntry) -> str:
    """sha256 over all columns of the entry but `hash`, in canonical JSON."""
    fields: dict[str, Any] = {
        "seq": entry.seq,
        "at": entry.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        "actor": str(entry.actor_id or uuid.UUID(int=0)),
        "act": entry.act,
        "object": entry.object,
        "payload": entry.payload_digest,
        "prev": entry.prev,
    }
    return hashlib.sha256(rfc8785.dumps(fields)).hexdigest()


def broken_at(session: Session) -> int | None:
    """The first `seq` where the chain does not hold, or None when it is whole."""
    prev, expected = FIRST, 1
    payloads = {row.seq: row for row in session.scalars(select(AuditPayload))}
    for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.seq).execution_options(yield_per=1000)):
        if entry.seq != expected or entry.prev != prev or entry.hash != chain_hash(entry):
            return entry.seq
        kept = payloads.get(entry.seq)
        if (
            kept
            and hashlib.sha256(kept.salt.encode() + rfc8785.dumps(kept.payload)).hexdigest() != entry.payload_digest
        ):
            return entry.seq
        prev, expected = entry.hash, expected + 1
    return None


def _lock(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHAIN_LOCK})
