"""Resumable uploads on disk: `<entries>/uploads/<id>`, only ever appended to; its length is the offset."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import uuid
from pathlib import Path

from app.errors import N_, AppError, DiskFull
from app.files.blobs import FULL, Blobs, need_room, settling, sync_folder

STORE = "entries"
NAME = re.compile("[0-9a-f]{32}")
KEPT = N_(
    "The server's disk is full. What arrived of this upload is kept and no quota was used: "
    "go on with it later; the operator can see this."
)


class Locked(AppError):
    """Two requests for one upload at once."""

    status = 423
    code = "E-LOCKED"
    template = N_(
        "Another request is sending to this upload. Wait until it has ended, ask for the offset, and go on from there."
    )


class Lost(AppError):
    """The row says that the bytes are whole, and they are not there."""

    status = 410
    code = "E-LOST"
    template = N_("The bytes of this upload are gone. Nothing was entered; start a new one.")


class Held:
    """One upload's bytes, held by one request: nobody else can write to them until `close`, on any web process.

    The kernel ends the hold when the process dies. `offset` is how many bytes are there.
    """

    def __init__(self, path: Path, *, keep_free: int) -> None:
        self.path = path
        self._keep_free = keep_free
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._file)
            raise Locked(headers={"Retry-After": "1"}) from error
        self._open = True

    @property
    def offset(self) -> int:
        return os.fstat(self._file).st_size

    def write(self, data: bytes) -> None:
        """Append `data`. Raises DiskFull; what was written until then stays."""
        try:
            need_room(self.path.parent, self._keep_free)
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except DiskFull as error:
            raise DiskFull(KEPT) from error
        except OSError as error:
            raise (DiskFull(KEPT) if error.errno in FULL else error) from error

    def digest(self) -> str:
        """sha256 of all bytes, in hex."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def restart(self) -> None:
        """Drop all bytes."""
        os.ftruncate(self._file, 0)

    def sync(self) -> None:
        """Make the bytes durable."""
        os.fsync(self._file)

    def close(self) -> int:
        """Make the bytes durable and let go; the offset. Closing again does nothing and gives 0."""
        if not self._open:
            return 0
        self._open = False
        try:
            self.sync()
            return self.offset
        finally:
            os.close(self._file)


def hold(blobs: Blobs, upload_id: uuid.UUID) -> Held:
    """The upload's bytes, for one writer. Raises Locked while another request has them."""
    return Held(_place(blobs, upload_id), keep_free=blobs.keep_free)


def offset(blobs: Blobs, upload_id: uuid.UUID) -> int:
    """How many bytes are durably there."""
    try:
        file = os.open(_place(blobs, upload_id), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    try:
        # Measured before it is made durable: what comes meanwhile is not yet.
        size = os.fstat(file).st_size
        os.fsync(file)
        return size
    finally:
        os.close(file)


def check_room(blobs: Blobs, length: int) -> None:
    """Raises DiskFull when `length` more bytes would not fit beside the reserve."""
    need_room(_folder(blobs), blobs.keep_free + length)


def adopt(blobs: Blobs, upload_id: uuid.UUID, sha256: str) -> None:
    """Give the whole upload its place as a blob; doing it twice changes nothing. Raises Lost."""
    target = blobs.path(STORE, sha256)
    target.parent.mkdir(parents=True, exist_ok=True)
    with settling(target.parent):
        try:
            os.link(_place(blobs, upload_id), target)
        except FileExistsError:
            pass
        except FileNotFoundError as error:
            if not target.exists():
                raise Lost() from error
        # New from now on, so that the sweep leaves it until its row is committed.
        os.utime(target)
    for folder in (target.parent, target.parent.parent):
        sync_folder(folder)


def drop(blobs: Blobs, upload_id: uuid.UUID) -> None:
    """Forget the bytes; a blob that was made of them stays."""
    _place(blobs, upload_id).unlink(missing_ok=True)


def older(blobs: Blobs, moment: float) -> set[uuid.UUID]:
    """The uploads that nobody added to since `moment` (Unix seconds)."""
    old = [path.name for path in _folder(blobs).iterdir() if _written(path) < moment]
    return {uuid.UUID(hex=name) for name in old if NAME.fullmatch(name)}


def _written(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _place(blobs: Blobs, upload_id: uuid.UUID) -> Path:
    return _folder(blobs) / upload_id.hex


def _folder(blobs: Blobs) -> Path:
    folder = blobs.path(STORE, "0" * 64).parent.parent / "uploads"
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder
