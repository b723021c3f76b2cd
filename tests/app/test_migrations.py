"""The migrated schema is the schema of the models, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text

from app.db.engine import Database, open_database
from app.db.migrate import newest_revision, revision_of, upgrade
from app.db.runners import Site
from app.db.tables import metadata
from app.domain.ids import NIL
from app.errors import Conflict

# What compare_metadata does not look at: CHECK constraints and the conditions of partial indexes.
PARTS = {
    "sqlite": "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '%alembic%' ORDER BY type, name",
    "postgresql": """
        SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname !~ 'alembic'
        UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conname !~ 'alembic' ORDER BY 1, 2""",
}


def parts(database: Database) -> list[tuple[str, str, tuple[str, ...]]]:
    with database.engine.connect() as connection:
        rows = connection.execute(text(PARTS[connection.dialect.name]))
        return [(kind, name, clauses(str(sql))) for kind, name, sql in rows]


def clauses(sql: str) -> tuple[str, ...]:
    """A definition without regard to white space and to the order of a table's constraints."""
    return tuple(sorted(" ".join(sql.split()).removesuffix(" )").split(", CONSTRAINT ")))


def empty(database: Database) -> None:
    with database.engine.begin() as connection:
        metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))


def test_the_migrated_schema_equals_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    migrated = parts(database)
    empty(database)
    metadata.create_all(database.engine)
    assert migrated == parts(database)


def test_upgrading_again_changes_nothing_and_keeps_the_local_site(database: Database) -> None:
    before = parts(database)
    upgrade(database)
    assert parts(database) == before
    with database.read_session() as session:
        assert revision_of(session.connection()) == newest_revision()
        assert session.scalars(select(Site.id)).all() == [NIL]


def test_many_processes_may_upgrade_an_empty_database_at_once(database: Database) -> None:
    empty(database)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: upgrade(database), range(3)))
    with database.read_session() as session:
        assert revision_of(session.connection()) == newest_revision()
        assert session.scalars(select(Site.id)).all() == [NIL]


def test_a_database_of_a_newer_version_is_refused_with_a_sentence(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'new.sqlite3'}")
    upgrade(database)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '2099_01_01_later'"))
    with pytest.raises(Conflict) as refused:
        upgrade(database)
    database.dispose()
    assert str(refused.value) == (
        "This database has schema 2099_01_01_later, which a newer Arbitre wrote. Start that version on it."
    )
