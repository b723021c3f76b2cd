"""Writing a backup while the instance runs: one tar with a manifest, every table, the keys and every blob.

Members, in this order: manifest.json; tables/<name>.jsonl, each after those that it refers to; keys/<name>;
blobs/<store>/<sha256>. The manifest holds the digests of all but the blobs, whose names are their digests.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from app.db import dump
from app.db.blobs import Blob
from app.errors import N_, Conflict, DiskFull
from app.files.blobs import FULL, Blobs

FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Written:
    """What a backup holds: rows of all tables, blobs, and bytes of the file."""

    rows: int
    blobs: int
    size: int


def write(session: Session, *, blobs: Blobs, keys: Path, target: Path, revision: str, now: dt.datetime) -> Written:
    """Write the state that `session` sees (`dump.snapshot`) to `target`, which only its owner can read.

    Blobs are only ever added and are written before the rows that name them, so a snapshot's blobs are all there.
    Raises Conflict when `target` exists, or a blob is missing or damaged on disk; DiskFull. Then nothing is left.
    """
    if target.exists():
        raise Conflict(N_("%(path)s exists already. A backup overwrites nothing; give another name."), path=str(target))
    with _appearing(target) as file, tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as work:
        spooled = [_spool(session, table, Path(work)) for table in dump.tables()]
        found = sorted(path for path in keys.iterdir() if path.is_file()) if keys.is_dir() else []
        manifest = {
            "format": FORMAT,
            "revision": revision,
            "taken_at": now.isoformat(),
            "tables": spooled,
            "keys": [{"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()} for path in found],
        }
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            content = json.dumps(manifest, indent=1).encode()
            _add(tar, MANIFEST, len(content), io.BytesIO(content), now)
            for table in spooled:
                _add_file(tar, f"tables/{table['name']}.jsonl", Path(work) / table["name"], now)
            for path in found:
                _add_file(tar, f"keys/{path.name}", path, now)
            count = _add_blobs(tar, session, blobs, now)
    return Written(sum(table["rows"] for table in spooled), count, target.stat().st_size)


@contextmanager
def _appearing(target: Path) -> Iterator[BinaryIO]:
    """A file that stands under its name only when it is whole and on disk."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, target)
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull(N_("The disk of %(path)s is full; no backup was written."), path=str(target)) from error
        raise
    finally:
        partial.unlink(missing_ok=True)


def _spool(session: Session, table: Table, work: Path) -> dict[str, Any]:
    """Write a table's rows to a file, since a tar wants to know sizes first; its entry of the manifest."""
    digest, rows = hashlib.sha256(), 0
    with (work / table.name).open("xb") as file:
        for line in dump.lines(session.connection(), table):
            file.write(line)
            digest.update(line)
            rows += 1
    return {"name": table.name, "columns": dump.columns_of(table), "rows": rows, "sha256": digest.hexdigest()}


def _add_blobs(tar: tarfile.TarFile, session: Session, blobs: Blobs, now: dt.datetime) -> int:
    count = 0
    query = select(Blob.store, Blob.sha256, Blob.size).order_by(Blob.store, Blob.sha256)
    with session.execute(query.execution_options(yield_per=dump.BATCH)) as rows:
        for store, sha256, size in rows:
            if not _add_blob(tar, blobs, store, sha256, size, now):
                raise Conflict(
                    N_("The blob %(sha256)s of store %(store)s is missing or damaged on disk. No backup was written."),
                    sha256=sha256,
                    store=store,
                )
            count += 1
    return count


def _add_blob(tar: tarfile.TarFile, blobs: Blobs, store: str, sha256: str, size: int, now: dt.datetime) -> bool:
    """Whether the blob was there and whole."""
    try:
        with blobs.open(store, sha256) as stream:
            checked = _Checked(stream)
            _add(tar, f"blobs/{store}/{sha256}", size, checked, now)
            return checked.digest.hexdigest() == sha256 and stream.read(1) == b""
    except FileNotFoundError:
        return False
    except OSError as error:
        # tarfile says so when a file is shorter than its size; all others have a number.
        if error.errno is None:
            return False
        raise


class _Checked(io.RawIOBase):
    """Reads a blob and computes its digest on the way."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.digest.update(data)
        return data


def _add_file(tar: tarfile.TarFile, name: str, path: Path, now: dt.datetime) -> None:
    with path.open("rb") as stream:
        _add(tar, name, path.stat().st_size, stream, now)


def _add(tar: tarfile.TarFile, name: str, size: int, stream: Any, now: dt.datetime) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, int(now.timestamp())
    tar.addfile(member, stream)
