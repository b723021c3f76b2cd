"""The instance on this machine: settings, data folder, database; its refusals as sentences of the command line."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from app.cli.errors import Fault, Invalid, NotAllowed
from app.db.engine import Database, open_database
from app.db.migrate import upgrade
from app.errors import AppError
from app.files.blobs import Blobs, open_blobs
from app.settings import Settings

DENIED = frozenset({401, 403, 409, 429})
DataFolder = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Folder of all data; else ARBITRE_DATA, else ~/.local/share/arbitre."),
]


@dataclass(frozen=True)
class Instance:
    """An instance whose database is open and of this version's schema."""

    settings: Settings
    database: Database
    blobs: Blobs


def settings_of(data: Path | None, **changes: Any) -> Settings:
    """Settings of the environment, with the folder and the values that were given on the command line."""
    given = changes | ({"data": data.expanduser().resolve()} if data is not None else {})
    return Settings(**given)


@contextmanager
def opened(settings: Settings, *, migrate: bool = True) -> Iterator[Instance]:
    """Open the instance and bring its schema up to date. Errors: CliError for every refusal, none with a traceback."""
    try:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise NotAllowed(f"The data folder {settings.data} cannot be made ({error.strerror}). Give --data.") from error
    database = open_database(settings.database)
    try:
        with refusals(settings):
            if migrate:
                upgrade(database)
            yield Instance(settings, database, open_blobs(settings))
    finally:
        database.dispose()


@contextmanager
def refusals(settings: Settings) -> Iterator[None]:
    """Turn the service's refusals, and a database that is away, into those of the command line."""
    try:
        yield
    except AppError as error:
        kind = NotAllowed if error.status in DENIED else Invalid if error.status < 500 else Fault
        raise kind(error.text(), code=error.code, problems=getattr(error, "problems", ())) from error
    except OperationalError as error:
        url = make_url(settings.database).render_as_string(hide_password=True)
        raise Fault(f"The database {url} cannot be used: {str(error.orig).strip()}") from error


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Hold the data folder for this process. Errors: NotAllowed when another server has it."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(settings.data / "serve.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(handle, settings.data)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise NotAllowed(
            f"Another server runs on {folder}. Stop it first, or give another folder with --data."
        ) from error


def utc_now() -> dt.datetime:
    """The clock of this machine."""
    return dt.datetime.now(dt.UTC)
