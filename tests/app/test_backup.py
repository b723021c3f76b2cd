"""Backup while everything runs, restore into an empty instance, from either database to either."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from app.db import blobs as blob_rows
from app.db import dump
from app.db.audit import AuditEntry
from app.db.engine import Database, open_database
from app.db.jobs import Job
from app.db.migrate import newest_revision, upgrade
from app.db.submissions import Submission
from app.db.users import UserSession
from app.domain.access import SYSTEM
from app.errors import Conflict, Invalid
from app.files.blobs import Blobs
from app.services import attempts, audit, backup, restore
from app.services.attempts import Report
from tests import postgres
from tests.app import world
from tests.app.world import NOW, at

LATER = at(86_400)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs", tmp_path / "secret", keep_free=0)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    (folder / "receipts.pem").write_bytes(b"secret key")
    return folder


@pytest.fixture
def full(database: Database, blobs: Blobs) -> Database:
    """An instance with a scored entry, one on lease, one that waits, a browser session, secrets and blobs."""
    with database.write_session() as session:
        here = world.make(session)
        stored = blobs.write("entries", [b"id,risk\n"])
        blob_rows.record(session, store="entries", sha256=stored.sha256, size=stored.size, now=NOW)
        secret = blobs.write("reference", [b"the answers " * 100_000])
        blob_rows.record(session, store="reference", sha256=secret.sha256, size=secret.size, now=NOW)
        session.add(UserSession(user_id=here.user_id, secret_hash="5" * 64, created_at=NOW, expires_at=at(10**7)))
        for name in ("é", "b", "c"):
            world.submit(session, here, world.team(session, here, name))
        audit.record(session, actor=SYSTEM, act="test", object="test:1", now=NOW, payload={"text": "naïve ✓"})
    for finished in (True, False):
        with database.write_session() as session:
            claimed = attempts.claim(session, queues=("score",), runner=None, lease_s=60, now=NOW)
            assert claimed is not None
            if finished:
                report = Report(world.scored(0.1 + 0.2), "1" * 64)
                attempts.finish(session, job_id=claimed[0].id, token=claimed[1], report=report, now=NOW)
    return database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database without tables."""
    if request.param == "sqlite":
        database = open_database(f"sqlite:///{tmp_path / 'target.sqlite3'}")
        yield database
        database.dispose()
        return
    cluster: postgres.Cluster = request.getfixturevalue("cluster")
    name = f"target_{os.urandom(4).hex()}"
    cluster.execute(f"CREATE DATABASE {name}")
    database = open_database(cluster.url(name))
    yield database
    database.dispose()
    cluster.execute(f"DROP DATABASE {name}")


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database without tables."""
    database = open_database(f"sqlite:///{tmp_path / 'copy.sqlite3'}")
    yield database
    database.dispose()


def write(database: Database, blobs: Blobs, keys: Path, file: Path) -> backup.Written:
    with dump.snapshot(database) as session:
        return backup.write(session, blobs=blobs, keys=keys, target=file, revision=newest_revision(), now=NOW)


def read(database: Database, file: Path, folder: Path) -> restore.Restored:
    blobs = Blobs(folder / "blobs", folder / "secret", keep_free=0)
    with file.open("rb") as stream:
        tar, manifest = restore.open_backup(stream)
        with tar, database.write_session() as session:
            return restore.read(session, tar=tar, manifest=manifest, blobs=blobs, keys=folder / "keys", now=LATER)


def content(database: Database) -> dict[str, list[Any]]:
    """All rows of all tables."""
    with database.read_session() as session:
        return {
            table.name: [json.loads(line) for line in dump.lines(session.connection(), table)]
            for table in dump.tables()
        }


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for name in ("blobs", "secret", "keys")
        for path in sorted((folder / name).rglob("*"))
        if path.is_file()
    }


REVIVED = {"jobs", "sessions", "submissions", "audit_entries", "audit_payloads"}


def test_everything_comes_back_on_either_database(
    full: Database, target: Database, blobs: Blobs, keys: Path, tmp_path: Path
) -> None:
    file, before = tmp_path / "backup.tar", content(full)
    written = write(full, blobs, keys, file)
    assert (written.blobs, written.rows, file.stat().st_mode & 0o777) == (2, sum(map(len, before.values())), 0o600)
    restored = read(target, file, tmp_path / "new")
    assert (restored.rows, restored.blobs, restored.jobs, restored.taken_at) == (written.rows, 2, 3, NOW)
    after = content(target)
    assert {name: after[name] for name in after.keys() - REVIVED} == {
        name: before[name] for name in before.keys() - REVIVED
    }
    assert after["audit_entries"][:-1] == before["audit_entries"]
    assert files(tmp_path / "new") == files(tmp_path)
    assert (tmp_path / "new" / "keys" / "receipts.pem").stat().st_mode & 0o777 == 0o600
    with target.read_session() as session:
        assert audit.broken_at(session) is None
        assert session.scalars(select(AuditEntry.act)).all()[-1] == "instance.restore"
        assert session.scalars(select(UserSession.revoked_at)).all() == [LATER]


def test_jobs_in_flight_run_again_and_none_is_scored_twice(
    full: Database, copy: Database, blobs: Blobs, keys: Path, tmp_path: Path
) -> None:
    write(full, blobs, keys, tmp_path / "backup.tar")
    read(copy, tmp_path / "backup.tar", tmp_path / "new")
    with copy.read_session() as session:
        rows = session.execute(select(Submission.number, Submission.state).order_by(Submission.number)).all()
        assert [tuple(row) for row in rows] == [(1, "scored"), (2, "queued"), (3, "queued")]
        open_jobs = session.scalars(select(Job).where(Job.queue == "score", Job.state == "ready")).all()
        assert [(job.attempt, job.token_hash, job.deadline) for job in open_jobs] == [(0, None, at(86_400 + 900))] * 2
    for attempt in (1, 1):
        with copy.write_session() as session:
            claimed = attempts.claim(session, queues=("score",), runner=None, lease_s=60, now=LATER)
            assert claimed is not None
            assert claimed[0].attempt == attempt
            report = Report(world.scored(0.5), f"{claimed[0].id}")
            attempts.finish(session, job_id=claimed[0].id, token=claimed[1], report=report, now=LATER)
    after = content(copy)
    assert (len(after["evaluations"]), len({row[1] for row in after["evaluations"]})) == (3, 3)


def test_a_backup_is_one_moment_of_a_busy_instance(
    full: Database, copy: Database, blobs: Blobs, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are written while the backup is being written are not in it, in no table."""
    before, busy = content(full), threading.Event()

    def submitting() -> None:
        with full.write_session() as session:
            job = session.scalars(select(Job)).first()
            assert job is not None
            job.error = "changed meanwhile"
            audit.record(session, actor=SYSTEM, act="test", object="test:2", now=NOW)
        busy.set()

    inner = dump.lines

    def lines(connection: Any, table: Any) -> Iterator[bytes]:
        if table.name == "blobs":
            thread = threading.Thread(target=submitting)
            thread.start()
            thread.join()
        yield from inner(connection, table)

    monkeypatch.setattr(dump, "lines", lines)
    write(full, blobs, keys, tmp_path / "backup.tar")
    monkeypatch.undo()
    assert busy.is_set()
    read(copy, tmp_path / "backup.tar", tmp_path / "new")
    after = content(copy)
    assert after["audit_entries"][:-1] == before["audit_entries"]


def test_an_instance_that_holds_something_is_not_overwritten(
    full: Database, blobs: Blobs, keys: Path, tmp_path: Path
) -> None:
    write(full, blobs, keys, tmp_path / "backup.tar")
    before = content(full)
    with pytest.raises(Conflict) as refused:
        read(full, tmp_path / "backup.tar", tmp_path / "new")
    assert "This instance is not empty: audit_entries has 2 rows." in str(refused.value)
    assert content(full) == before
    with pytest.raises(Conflict) as exists:
        write(full, blobs, keys, tmp_path / "backup.tar")
    assert "exists already" in str(exists.value)


def rebuilt(source: Path, target: Path, change: str, content: bytes | None) -> None:
    """The same archive with one member changed, or left out."""
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for member in old:
            data = old.extractfile(member)
            assert data is not None
            body = data.read()
            if member.name.startswith(change):
                if content is None:
                    continue
                body = body.replace(body[:10], content[: len(body[:10])], 1)
            member.size = len(body)
            new.addfile(member, io.BytesIO(body))


@pytest.mark.parametrize(
    ("change", "content_"),
    [
        ("tables/users", None),
        ("tables/users", b'["00000000'),
        ("keys/", None),
        ("keys/", b"other key!"),
        ("blobs/reference", None),
        ("blobs/reference", b"other answ"),
    ],
)
def test_a_damaged_backup_restores_nothing(
    sqlite_template: Path, copy: Database, blobs: Blobs, keys: Path, tmp_path: Path, change: str, content_: bytes | None
) -> None:
    shutil.copyfile(sqlite_template, tmp_path / "source.sqlite3")
    source = open_database(f"sqlite:///{tmp_path / 'source.sqlite3'}")
    with source.write_session() as session:
        world.make(session)
        stored = blobs.write("entries", [b"id,risk\n"])
        secret = blobs.write("reference", [b"the answers"])
        blob_rows.record(session, store="reference", sha256=secret.sha256, size=secret.size, now=NOW)
        blob_rows.record(session, store="entries", sha256=stored.sha256, size=stored.size, now=NOW)
    write(source, blobs, keys, tmp_path / "good.tar")
    source.dispose()
    rebuilt(tmp_path / "good.tar", tmp_path / "bad.tar", change, content_)
    with pytest.raises(Invalid):
        read(copy, tmp_path / "bad.tar", tmp_path / "new")
    with copy.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar() == 0


def test_a_backup_that_is_cut_short_restores_nothing(
    full: Database, copy: Database, blobs: Blobs, keys: Path, tmp_path: Path
) -> None:
    write(full, blobs, keys, tmp_path / "backup.tar")
    whole = (tmp_path / "backup.tar").read_bytes()
    for size in (0, 100, len(whole) // 2, len(whole) - 700_000):
        (tmp_path / "cut.tar").write_bytes(whole[:size])
        with pytest.raises(Invalid):
            read(copy, tmp_path / "cut.tar", tmp_path / "new")
        shutil.rmtree(tmp_path / "new", ignore_errors=True)
    read(copy, tmp_path / "backup.tar", tmp_path / "new")


@pytest.mark.parametrize("damage", ["missing", "short", "long", "changed"])
def test_a_blob_that_is_missing_or_damaged_on_disk_is_named(
    full: Database, blobs: Blobs, keys: Path, tmp_path: Path, damage: str
) -> None:
    with full.read_session() as session:
        sha256 = session.scalars(select(blob_rows.Blob.sha256).where(blob_rows.Blob.store == "reference")).one()
    path = blobs.path("reference", sha256)
    body = path.read_bytes()
    changes = {"short": body[:-1], "long": body + b"x", "changed": b"x" + body[1:]}
    path.unlink()
    if damage in changes:
        path.write_bytes(changes[damage])
    (tmp_path / "out").mkdir()
    with pytest.raises(Conflict) as refused:
        write(full, blobs, keys, tmp_path / "out" / "backup.tar")
    assert f"The blob {sha256} of store reference is missing or damaged" in str(refused.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_backup_of_a_newer_version_is_refused(
    full: Database, copy: Database, blobs: Blobs, keys: Path, tmp_path: Path
) -> None:
    with dump.snapshot(full) as session:
        backup.write(session, blobs=blobs, keys=keys, target=tmp_path / "b.tar", revision="2099_later", now=NOW)
    with pytest.raises(Invalid) as refused:
        read(copy, tmp_path / "b.tar", tmp_path / "new")
    assert str(refused.value).startswith("A newer Arbitre wrote this backup (schema 2099_later).")


def test_two_boards_in_flight_come_back_as_one(
    full: Database, copy: Database, blobs: Blobs, keys: Path, tmp_path: Path
) -> None:
    with full.write_session() as session:
        claimed = attempts.claim(session, queues=("house",), runner=None, lease_s=60, now=NOW)
        assert claimed is not None
        session.execute(update(Job).where(Job.id == claimed[0].id).values(created_at=NOW))
        phase = claimed[0].phase_id
        again = Job(
            queue="house", kind="board", state="ready", coalesce=claimed[0].coalesce, phase_id=phase, max_attempts=5
        )
        again.payload, again.attempt, again.run_after, again.deadline, again.created_at = {}, 0, NOW, at(900), NOW
        session.add(again)
    write(full, blobs, keys, tmp_path / "backup.tar")
    read(copy, tmp_path / "backup.tar", tmp_path / "new")
    with copy.read_session() as session:
        boards = session.scalars(select(Job.state).where(Job.kind == "board"))
        assert sorted(boards) == ["cancelled", "ready"]
    upgrade(copy)
