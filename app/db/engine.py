"""The engine and its two kinds of session: reading (deferred) and writing (SQLite: BEGIN IMMEDIATE)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session

BUSY_MS = 10_000


@dataclass(frozen=True)
class Database:
    """One engine; sessions never commit by themselves except through `write_session`."""

    engine: Engine

    @contextmanager
    def read_session(self) -> Iterator[Session]:
        """A session for reading; rolled back at the end."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write_session(self) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back when anything is raised."""
        engine = self.engine.execution_options(begin="IMMEDIATE")
        with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    def dispose(self) -> None:
        self.engine.dispose()


def _on_connect(connection: Any, _record: Any) -> None:
    if not isinstance(connection, sqlite3.Connection):
        _without_jit(connection)
        return
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _without_jit(connection: Any) -> None:
    """Our statements take milliseconds; PostgreSQL would compile some of them for half a second (measured)."""
    connection.autocommit = True
    connection.execute("SET jit = off")
    connection.autocommit = False


def _on_begin(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', '')}")


def open_database(url: str) -> Database:
    """Open SQLite (WAL) or PostgreSQL by address. SQLite: 10 s busy timeout, foreign keys on."""
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    sqlite = url.startswith("sqlite")
    # A pool as large as the server's thread pool: no request waits for a connection while a thread is free.
    options: dict[str, Any] = {"connect_args": {"check_same_thread": False}} if sqlite else {"pool_pre_ping": True}
    engine = create_engine(url, pool_size=40, max_overflow=10, hide_parameters=True, **options)
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return Database(engine)
