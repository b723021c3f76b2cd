"""The audit chain: written at the commit, with the act or not at all."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.db.audit import AuditEntry, AuditPayload
from app.db.engine import Database
from app.domain.access import SYSTEM
from app.services import audit

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def record(session: Session, act: str) -> None:
    audit.record(session, actor=SYSTEM, act=act, object="test:1", now=NOW, payload={"text": "naïve ✓"})


def acts(database: Database) -> list[str]:
    with database.read_session() as session:
        return list(session.scalars(select(AuditEntry.act).order_by(AuditEntry.seq)))


def test_acts_are_chained_in_their_order(database: Database) -> None:
    for names in (("a", "b"), ("c",)):
        with database.write_session() as session:
            for name in names:
                record(session, name)
    assert acts(database) == ["a", "b", "c"]
    with database.read_session() as session:
        assert audit.broken_at(session) is None


def test_an_act_that_was_undone_is_not_on_record(database: Database) -> None:
    with suppress(ValueError), database.write_session() as session:
        record(session, "undone")
        raise ValueError
    with database.write_session() as session:
        record(session, "before")
        with suppress(ValueError), session.begin_nested():
            with session.begin_nested():
                record(session, "undone")
            raise ValueError
        with session.begin_nested():
            record(session, "inside")
        record(session, "after")
    assert acts(database) == ["before", "inside", "after"]


def test_many_at_once_make_one_chain(database: Database) -> None:
    def act(number: int) -> None:
        with database.write_session() as session:
            record(session, f"act {number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(act, range(40)))
    assert sorted(acts(database)) == sorted(f"act {number}" for number in range(40))
    with database.read_session() as session:
        assert audit.broken_at(session) is None


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (update(AuditEntry).where(AuditEntry.seq == 2).values(act="other"), 2),
        (update(AuditPayload).where(AuditPayload.seq == 2).values(payload={}), 2),
        (update(AuditEntry).where(AuditEntry.seq == 3).values(prev="0" * 64), 3),
        (delete(AuditPayload).where(AuditPayload.seq == 2), None),
    ],
)
def test_what_breaks_the_chain(database: Database, change: object, broken: int | None) -> None:
    for name in ("a", "b", "c"):
        with database.write_session() as session:
            record(session, name)
    with database.write_session() as session:
        session.execute(change)  # type: ignore[call-overload]
    with database.read_session() as session:
        assert audit.broken_at(session) == broken
