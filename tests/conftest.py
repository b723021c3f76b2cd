"""What many tests stand on: a migrated database of each kind, and real processes of the service."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db.engine import Database, open_database
from app.db.migrate import upgrade
from tests import postgres

COUNT = itertools.count()
BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """One PostgreSQL server for the whole run, with a migrated database `template`."""
    if not postgres.available():
        if os.environ.get("CI"):
            pytest.fail(f"PostgreSQL is not installed in {postgres.BINARIES}")
        pytest.skip(f"PostgreSQL is not installed in {postgres.BINARIES}")
    cluster = postgres.start()
    try:
        cluster.execute("CREATE DATABASE template")
        _migrate(cluster.url("template"))
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh, migrated database: the test runs once on SQLite and once on PostgreSQL."""
    yield from _fresh(request, tmp_path)


@pytest.fixture(scope="module", params=BOTH)
def module_database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same for all tests of a module, for those that start a server on it."""
    yield from _fresh(request, tmp_path_factory.mktemp("database"))


def _fresh(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if request.param == "sqlite":
        path = folder / "test.sqlite3"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    cluster: postgres.Cluster = request.getfixturevalue("cluster")
    name = f"test_{next(COUNT)}"
    cluster.execute(f"CREATE DATABASE {name} TEMPLATE template")
    yield cluster.url(name)
    cluster.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh, migrated database, open: once SQLite, once PostgreSQL."""
    database = open_database(database_url)
    yield database
    database.dispose()


def _migrate(url: str) -> None:
    database = open_database(url)
    upgrade(database)
    database.dispose()
