"""Blobs that no row names go after a day; what is named, new, or stored anew meanwhile stays. On both databases."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import uuid
from pathlib import Path

import pytest

from app.db import blobs as rows
from app.db.engine import Database
from app.files import leftovers, partial
from app.files.blobs import Blobs, Stored, open_blobs
from app.files.leftovers import OLD_S
from app.services import strays
from app.settings import Settings

NOW = dt.datetime.now(dt.UTC)
LATER = NOW.timestamp() + 1.5 * OLD_S


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return open_blobs(Settings(data=tmp_path, keep_free=0))


def stored(blobs: Blobs, store: str, data: bytes, *, database: Database | None = None) -> Path:
    """Where a blob lies; with a `database`, a row of it there."""
    done = blobs.write(store, [data])
    if database is not None:
        named(database, store, done)
    return blobs.path(store, done.sha256)


def named(database: Database, store: str, done: Stored) -> None:
    with database.write_session() as session:
        rows.record(session, store=store, sha256=done.sha256, size=done.size, now=NOW)


def swept(database: Database, blobs: Blobs, *, at: float) -> int:
    """How many blobs go when every shard has its turn."""
    return sum(strays.sweep(database, blobs, shard=shard, now=at) for shard in range(strays.SHARDS))


def test_only_what_no_row_names_goes_after_a_day(database: Database, blobs: Blobs) -> None:
    kept = [stored(blobs, store, store.encode(), database=database) for store in ("entries", "reference")]
    # The same bytes in another store: their row there keeps them here too.
    kept.append(stored(blobs, "public", b"entries"))
    refused = [stored(blobs, store, b"refused " + store.encode()) for store in ("entries", "reference")]
    assert swept(database, blobs, at=NOW.timestamp()) == 0
    assert swept(database, blobs, at=LATER) == 2
    assert [path.exists() for path in (*kept, *refused)] == [True, True, True, False, False]


def test_a_database_without_blobs_takes_nothing(database: Database, blobs: Blobs) -> None:
    path = stored(blobs, "entries", b"restored in this moment")
    assert (swept(database, blobs, at=LATER), path.exists()) == (0, True)


@pytest.mark.parametrize("resumable", [False, True])
def test_bytes_that_come_again_while_the_sweep_runs_stay(
    database: Database, blobs: Blobs, resumable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are stored and named after the sweep has looked for their row, before it removes the file."""
    stored(blobs, "entries", b"another", database=database)
    data, real = b"twice", leftovers.remove_old
    path = stored(blobs, "entries", data)
    os.utime(path, (NOW.timestamp() - 2 * OLD_S,) * 2)

    def meanwhile(path: Path, *, now: float) -> bool:
        again(blobs, data, resumable=resumable)
        named(database, "entries", Stored(path.name, len(data)))
        return real(path, now=now)

    monkeypatch.setattr(strays, "remove_old", meanwhile)
    assert (swept(database, blobs, at=NOW.timestamp()), path.read_bytes()) == (0, data)


def again(blobs: Blobs, data: bytes, *, resumable: bool) -> None:
    if not resumable:
        blobs.write("entries", [data])
        return
    upload_id = uuid.uuid4()
    held = partial.hold(blobs, upload_id)
    held.write(data)
    held.close()
    partial.adopt(blobs, upload_id, hashlib.sha256(data).hexdigest())
