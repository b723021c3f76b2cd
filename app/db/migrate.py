"""Bringing a database to the schema of this version."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select

from app.db.engine import Database
from app.db.runners import Site
from app.domain.ids import NIL
from app.errors import N_, Conflict
from app.settings import PROJECT

MIGRATION_LOCK = 0x4D_49_47_52  # "MIGR"


def upgrade(database: Database) -> None:
    """Create or upgrade all tables in one transaction, and the row of the local site (nil id).

    Several processes may call this at once: one works, the others wait and find it done. Raises Conflict for a database
    that a newer version of Arbitre wrote.
    """
    with database.write_session() as session:
        bring(session.connection())
        if session.get(Site, NIL) is None:
            session.add(Site(id=NIL, slug="local", name="This site"))


def bring(connection: Connection, *, revision: str = "head") -> None:
    """Bring the schema to `revision` in the transaction of `connection`. Raises Conflict as `upgrade` does."""
    config = _config()
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
    _check_known(connection)
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def revision_of(connection: Connection) -> str | None:
    """The schema revision of the database; None when it has no tables."""
    return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str:
    """The schema revision of this version of Arbitre."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "migrations/versions holds revisions"
    return head


def knows(revision: str) -> bool:
    """Whether this version of Arbitre knows a schema revision."""
    return any(script.revision == revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(PROJECT / "migrations").replace("%", "%%"))
    config.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(slug)s")
    return config


def _check_known(connection: Connection) -> None:
    revision = revision_of(connection)
    if revision is not None and not knows(revision):
        raise Conflict(
            N_("This database has schema %(revision)s, which a newer Arbitre wrote. Start that version on it."),
            revision=revision,
        )
