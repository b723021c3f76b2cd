"""Bringing an empty instance to the state of a backup, on either database."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from app.db import dump, migrate
from app.db.blobs import Blob
from app.db.jobs import Job, JobBlob
from app.db.pulse import PULSE
from app.db.runners import Site
from app.db.submissions import Submission
from app.db.uploads import Upload
from app.db.users import UserSession
from app.domain.access import SYSTEM
from app.errors import N_, Conflict, Invalid
from app.files.blobs import Blobs
from app.services import audit
from app.services.backup import FORMAT, MANIFEST

CHUNK = 1 << 20
BLOB = re.compile(r"blobs/([a-z]{1,16})/([0-9a-f]{64})")
KEY = re.compile(r"keys/([A-Za-z0-9_-][A-Za-z0-9_.-]{0,99})")
TABLE = re.compile(r"tables/([a-z_]{1,63})\.jsonl")
NOT_EMPTY = N_(
    "This instance is not empty: %(table)s has %(count)s rows. A backup is restored into an empty one: give a new "
    "folder with --data, and an empty database where ARBITRE_DATABASE_URL names one."
)
DAMAGED = N_("The backup is damaged at %(member)s: it does not hold what its manifest says. Nothing was restored.")


@dataclass(frozen=True)
class Restored:
    """What came back: rows, blobs, and jobs that were open and run again."""

    rows: int
    blobs: int
    jobs: int
    taken_at: dt.datetime


def open_backup(file: BinaryIO) -> tuple[tarfile.TarFile, dict[str, Any]]:
    """The archive, to be read once from here on, and its manifest. Raises Invalid for what is no backup of ours."""
    try:
        tar = tarfile.open(fileobj=file, mode="r|")  # noqa: SIM115 - closed by the caller
        first = tar.next()
        stream = tar.extractfile(first) if first is not None and first.name == MANIFEST else None
        manifest = json.loads(stream.read()) if stream else {}
    except (tarfile.TarError, ValueError) as error:
        raise Invalid(N_("This file is no backup of Arbitre.")) from error
    if manifest.get("format") != FORMAT:
        raise Invalid(
            N_("This file is no backup that this version reads (format %(found)s, known is %(known)s)."),
            found=str(manifest.get("format", "none")),
            known=FORMAT,
        )
    return tar, manifest


def read(
    session: Session, *, tar: tarfile.TarFile, manifest: dict[str, Any], blobs: Blobs, keys: Path, now: dt.datetime
) -> Restored:
    """Make the schema, load everything, verify every digest, and make the state fit to run again (see `_revive`).

    All in the caller's one transaction: when this fails, its rollback leaves the database as empty as it was. Raises
    Conflict when the instance is not empty, Invalid when the file is damaged or cut short or of a newer version.
    """
    _check_empty(session, keys=keys)
    if not migrate.knows(manifest["revision"]):
        raise Invalid(
            N_("A newer Arbitre wrote this backup (schema %(revision)s). Restore it with that version."), **manifest
        )
    migrate.bring(session.connection(), revision=manifest["revision"])
    session.execute(delete(Site))
    try:
        count = _members(session, tar, manifest, blobs=blobs, keys=keys)
    except (tarfile.TarError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise _damaged("its end") from error
    if count != session.scalar(select(func.count()).select_from(Blob)):
        raise _damaged("its end")
    migrate.bring(session.connection())
    taken_at = dt.datetime.fromisoformat(manifest["taken_at"])
    open_jobs = _revive(session, taken_at=taken_at, now=now)
    payload = {"taken_at": manifest["taken_at"], "blobs": count}
    audit.record(session, actor=SYSTEM, act="instance.restore", object="instance:local", now=now, payload=payload)
    return Restored(sum(table["rows"] for table in manifest["tables"]), count, open_jobs, taken_at)


def _check_empty(session: Session, *, keys: Path) -> None:
    """No rows but the local site, and no keys."""
    if migrate.revision_of(session.connection()) is not None:
        for table in dump.tables():
            count = session.scalar(select(func.count()).select_from(table)) or 0
            if count and table.name != Site.__tablename__:
                raise Conflict(NOT_EMPTY, table=table.name, count=count)
    if keys.is_dir() and any(keys.iterdir()):
        raise Conflict(N_("%(folder)s holds keys already. Give a new folder with --data."), folder=str(keys))


def _members(session: Session, tar: tarfile.TarFile, manifest: dict[str, Any], *, blobs: Blobs, keys: Path) -> int:
    """Load every member behind the manifest; how many blobs there were. Each of the manifest's members must come."""
    tables = {table["name"]: table for table in manifest["tables"]}
    digests = {key["name"]: key["sha256"] for key in manifest["keys"]}
    count = 0
    for member in tar:
        stream = tar.extractfile(member)
        if stream is None:
            raise _damaged(member.name)
        if match := TABLE.fullmatch(member.name):
            _table(session, tables.pop(match[1], None), member.name, stream)
        elif match := KEY.fullmatch(member.name):
            _key(keys, match[1], digests.pop(match[1], ""), stream)
        elif match := BLOB.fullmatch(member.name):
            _blob(blobs, match[1], match[2], stream)
            count += 1
    if tables or digests:
        raise _damaged("its end")
    return count


def _table(session: Session, table: dict[str, Any] | None, name: str, stream: Any) -> None:
    if table is None:
        raise _damaged(name)
    digest = hashlib.sha256()

    def lines() -> Iterator[bytes]:
        for line in stream:
            digest.update(line)
            yield line

    try:
        columns = [(column, kind) for column, kind in table["columns"]]
        rows = dump.load(session.connection(), table["name"], columns, lines())
    except (ValueError, KeyError, TypeError, IntegrityError, DataError) as error:
        raise _damaged(name) from error
    if (rows, digest.hexdigest()) != (table["rows"], table["sha256"]):
        raise _damaged(name)


def _key(keys: Path, name: str, sha256: str, stream: Any) -> None:
    content = stream.read(CHUNK)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise _damaged(f"keys/{name}")
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(keys / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)


def _blob(blobs: Blobs, store: str, sha256: str, stream: Any) -> None:
    stored = blobs.write(store, iter(lambda: stream.read(CHUNK), b""))
    if stored.sha256 != sha256:
        raise _damaged(f"blobs/{store}/{sha256}")


def _damaged(member: str) -> Invalid:
    return Invalid(DAMAGED, member=member)


def _revive(session: Session, *, taken_at: dt.datetime, now: dt.datetime) -> int:
    """What was going on when the backup was taken: jobs run again in full, browsers sign in again, uploads are over.

    Returns how many jobs are open.
    """
    away = max(now - taken_at, dt.timedelta(0))
    session.execute(update(UserSession).where(UserSession.revoked_at.is_(None)).values(revoked_at=now))
    session.execute(delete(Upload))
    running = Submission.state == "running"
    session.execute(update(Submission).where(running).values(state="queued", started_at=None))
    jobs = list(session.scalars(select(Job).where(Job.state.in_(("ready", "leased")))))
    waiting = {job.coalesce for job in jobs if job.state == "ready" and job.coalesce}
    for job in jobs:
        # The time on the shelf counts against no deadline, and the attempt that was cut off against no limit.
        job.deadline += away
        if job.state == "leased":
            superseded = job.coalesce in waiting
            if job.coalesce:
                waiting.add(job.coalesce)
            job.state, job.attempt = "cancelled" if superseded else "ready", job.attempt - 1
            job.lease_until, job.token_hash, job.finish_digest, job.runner_id = None, None, None, None
        job.run_after = min(job.run_after, now)
        if job.kind == PULSE:
            job.claimed_at = now
    session.flush()
    session.execute(delete(JobBlob).where(JobBlob.job_id.in_([job.id for job in jobs if job.state == "ready"])))
    return sum(job.state == "ready" and job.kind != PULSE for job in jobs)
