"""Rows as JSON lines that mean the same on SQLite and PostgreSQL: what a backup is made of."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Uuid,
    insert,
    select,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from app.db.base import UtcDateTime
from app.db.engine import Database
from app.db.tables import metadata

BATCH = 500
KINDS: tuple[tuple[str, type[TypeEngine[Any]] | type[UtcDateTime]], ...] = (
    ("time", UtcDateTime),
    ("uuid", Uuid),
    ("json", JSON),
    ("bool", Boolean),
    ("int", Integer),
    ("float", Float),
    ("text", String),
)
TYPES: dict[str, Any] = {
    "time": UtcDateTime(),
    "uuid": Uuid(),
    # As in the models, nothing is NULL and not the JSON word null.
    "json": JSON(none_as_null=True),
    "bool": Boolean(),
    "int": BigInteger(),
    "float": Double(),
    "text": String(),
}
FROM_JSON: dict[str, Callable[[Any], Any]] = {"time": dt.datetime.fromisoformat, "uuid": uuid.UUID}


@contextmanager
def snapshot(database: Database) -> Iterator[Session]:
    """A session that sees one moment of the database and holds nobody up.

    SQLite (WAL): a read transaction is such a moment. PostgreSQL: REPEATABLE READ.
    """
    engine = database.engine
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with Session(engine) as session:
        yield session


def tables() -> list[Table]:
    """All tables, each after those that it refers to."""
    return list(metadata.sorted_tables)


def columns_of(table: Table) -> list[tuple[str, str]]:
    """(name, kind) of every column; a kind is time, uuid, json, bool, int, float or text."""
    return [(column.name, _kind(column.type)) for column in table.columns]


def lines(connection: Connection, table: Table) -> Iterator[bytes]:
    """Every row as one line: a JSON list in the order of `columns_of`. Rows are streamed."""
    query = select(table).order_by(*table.primary_key.columns)
    with connection.execute(query.execution_options(yield_per=BATCH)) as rows:
        for row in rows:
            yield json.dumps([_plain(value) for value in row], ensure_ascii=False, allow_nan=False).encode() + b"\n"


def load(connection: Connection, name: str, columns: list[tuple[str, str]], rows: Iterable[bytes]) -> int:
    """Insert lines of `lines` into a table; how many. The columns need not be those of this version."""
    kinds = [kind for _, kind in columns]
    names = [name for name, _ in columns]
    table = Table(name, MetaData(), *(Column(column, TYPES[kind]) for column, kind in columns))
    count, source = 0, iter(rows)
    while batch := [json.loads(line) for line in islice(source, BATCH)]:
        values = [dict(zip(names, map(_value, kinds, row), strict=True)) for row in batch]
        connection.execute(insert(table), values)
        count += len(batch)
    return count


def _kind(type_: Any) -> str:
    for kind, python_type in KINDS:
        if isinstance(type_, python_type):
            return kind
    raise TypeError(f"a column of type {type_!r} has no portable form; add one to KINDS")


def _plain(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return value.hex
    return value.isoformat() if isinstance(value, dt.datetime) else value


def _value(kind: str, value: Any) -> Any:
    return FROM_JSON[kind](value) if value is not None and kind in FROM_JSON else value
