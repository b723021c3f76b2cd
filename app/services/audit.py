"""The record of every act: a hash chain whose payloads can be erased without breaking it.

An act is noted when it is done and chained when its transaction commits. So the chain's lock, which everybody needs, is
the last lock of every transaction and held for a moment only: no two transactions can wait for each other over it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

import rfc8785
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session, SessionTransaction

from app.db import audit as rows
from app.db.audit import AuditEntry, AuditPayload
from app.domain.access import Actor

FIRST = "0" * 64
CHAIN_LOCK = 0x41_55_44_49  # "AUDI": one writer of the chain at a time on PostgreSQL
NOTED = "audit"


@dataclass(frozen=True)
class _Act:
    """What is to be chained, and the savepoints that it falls with."""

    at: dt.datetime
    actor_id: uuid.UUID | None
    act: str
    object: str
    payload: dict[str, Any]
    canonical: bytes
    savepoints: tuple[SessionTransaction, ...]


def record(
    session: Session, *, actor: Actor, act: str, object: str, now: dt.datetime, payload: dict[str, Any] | None = None
) -> None:
    """Note who did what to which thing. `act` is noun.verb (submission.create); `object` is noun:id.

    Written with the caller's transaction, at its commit, so an act and its record stand or fall together.
    """
    body = payload or {}
    noted = _Act(now, actor.user_id, act, object, body, rfc8785.dumps(body), _savepoints(session))
    session.info.setdefault(NOTED, []).append(noted)


def _savepoints(session: Session) -> tuple[SessionTransaction, ...]:
    found, one = [], session.get_nested_transaction()
    while one is not None and one.nested:
        found.append(one)
        one = one.parent
    return tuple(found)


@event.listens_for(Session, "before_commit")
def _chain(session: Session) -> None:
    """Chain what was noted, at the end of the whole transaction; the end of a savepoint is none."""
    if session.in_nested_transaction() or not session.info.get(NOTED):
        return
    session.flush()
    _lock(session)
    last = rows.newest(session)
    seq, prev = (last.seq, last.hash) if last else (0, FIRST)
    for noted in session.info.pop(NOTED):
        seq, prev = seq + 1, _append(session, noted, seq=seq + 1, prev=prev)


def _append(session: Session, noted: _Act, *, seq: int, prev: str) -> str:
    """Write one entry with its payload; its hash."""
    salt = secrets.token_hex(16)
    digest = _digest(salt, noted.canonical)
    entry = AuditEntry(
        seq=seq,
        at=noted.at,
        actor_id=noted.actor_id,
        act=noted.act,
        object=noted.object,
        payload_digest=digest,
        prev=prev,
        hash="",
    )
    entry.hash = chain_hash(entry)
    session.add(entry)
    session.flush()
    session.add(AuditPayload(seq=seq, salt=salt, payload=noted.payload))
    session.flush()
    return entry.hash


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, undone: SessionTransaction) -> None:
    """What was undone is not on record: a savepoint's acts, or all of them."""
    noted: list[_Act] = session.info.get(NOTED, [])
    session.info[NOTED] = [one for one in noted if undone.nested and undone not in one.savepoints]


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
    """The first `seq` where the chain does not hold, or None when it is whole. Reads it in pieces."""
    query = select(AuditEntry, AuditPayload).outerjoin(AuditPayload, AuditPayload.seq == AuditEntry.seq)
    with session.execute(query.order_by(AuditEntry.seq).execution_options(yield_per=1000)) as found:
        prev, expected = FIRST, 1
        for entry, kept in found:
            if entry.seq != expected or entry.prev != prev or entry.hash != chain_hash(entry):
                return int(entry.seq)
            if kept is not None and _digest(kept.salt, rfc8785.dumps(kept.payload)) != entry.payload_digest:
                return int(entry.seq)
            prev, expected = entry.hash, expected + 1
    return None


def _digest(salt: str, canonical: bytes) -> str:
    return hashlib.sha256(salt.encode() + canonical).hexdigest()


def _lock(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHAIN_LOCK})
