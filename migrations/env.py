"""Runs revisions on the connection that `app.db.migrate` opened; there is no offline mode and no ini file."""

from __future__ import annotations

from alembic import context

from app.db.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite changes tables by copying them; like PostgreSQL it does so inside one transaction.
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
