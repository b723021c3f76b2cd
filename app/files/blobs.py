"""Bytes by digest on local disk: `<root>/<store>/<aa>/<sha256>`, written once, never changed."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.errors import DiskFull
from app.settings import Settings

SECRET_STORES = frozenset({"reference", "hidden"})
STORES = frozenset({"public", "entries", "images", "mail"}) | SECRET_STORES
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True)
class Stored:
    """What was written: digest (hex) and size in bytes."""

    sha256: str
    size: int


class Partial:
    """Bytes on their way into a store; become a blob by `finish`, vanish by `abort`, which may always come last."""

    def __init__(self, folder: Path, keep_free: int) -> None:
        self.folder = folder
        self.path = folder / "tmp" / uuid.uuid4().hex
        self.size = 0
        self._hash = hashlib.sha256()
        self._keep_free = keep_free
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.check_room()
        self._file = os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def check_room(self) -> None:
        """Refuse while the disk has less than the reserve left, so that the database can still write."""
        need_room(self.folder, self._keep_free)

    def write(self, data: bytes) -> None:
        """Append `data`; a disk without room for it removes the partial file and raises DiskFull."""
        try:
            self.check_room()
            self._file.write(data)
        except DiskFull:
            self.abort()
            raise
        except OSError as error:
            self._refuse_full(error)
        self._hash.update(data)
        self.size += len(data)

    def so_far(self) -> Stored:
        """Digest and size of what was written until now."""
        return Stored(self._hash.hexdigest(), self.size)

    def finish(self) -> Stored:
        """Make the bytes durable under their digest and return it."""
        stored = self.seal()
        self.place()
        return stored

    def seal(self) -> Stored:
        """Make the bytes durable without a place in the store; `place` gives them one and `abort` forgets them."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            self._refuse_full(error)
        self._file.close()
        self._target().parent.mkdir(parents=True, exist_ok=True)
        # The folder above: it may have just learnt of this one.
        sync_folder(self.folder)
        return self.so_far()

    def place(self) -> None:
        """Give sealed bytes their place: little work, the last act of the transaction that names them."""
        target = self._target()
        with settling(target.parent):
            os.utime(self.path)
            self.path.replace(target)
        sync_folder(target.parent)

    def abort(self) -> None:
        """Forget the bytes."""
        # Closing flushes what is buffered, which a full disk refuses again.
        try:
            self._file.close()
        except OSError as error:
            if error.errno not in FULL:
                raise
        finally:
            self.path.unlink(missing_ok=True)

    def _target(self) -> Path:
        sha256 = self._hash.hexdigest()
        return self.folder / sha256[:2] / sha256

    def _refuse_full(self, error: OSError) -> None:
        self.abort()
        if error.errno in FULL:
            raise DiskFull() from error
        raise error


def need_room(folder: Path, keep_free: int) -> None:
    """Raises DiskFull when the disk of `folder` has less than `keep_free` bytes left."""
    if shutil.disk_usage(folder).free < keep_free:
        raise DiskFull()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def settling(folder: Path, *, alone: bool = False) -> Iterator[None]:
    """Hold a folder of blobs while one gets its name and time there, or `alone` while those without a row go."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


@dataclass(frozen=True)
class Blobs:
    """The stores of one instance; `reference` and `hidden` live under a root of their own (0700)."""

    public_root: Path
    secret_root: Path
    keep_free: int

    def begin(self, store: str) -> Partial:
        """Start writing into `store`. Raises DiskFull when the reserve is not free."""
        return Partial(self._folder(store), self.keep_free)

    def write(self, store: str, chunks: Iterable[bytes]) -> Stored:
        """Write all `chunks` as one blob."""
        partial = self.begin(store)
        try:
            for chunk in chunks:
                partial.write(chunk)
        except BaseException:
            partial.abort()
            raise
        return partial.finish()

    def path(self, store: str, sha256: str) -> Path:
        """Where a blob lies."""
        return self._folder(store) / sha256[:2] / sha256

    def open(self, store: str, sha256: str) -> BinaryIO:
        """Open a blob for reading; FileNotFoundError when it is not there."""
        return self.path(store, sha256).open("rb")

    def read(self, store: str, sha256: str) -> bytes:
        return self.path(store, sha256).read_bytes()

    def _folder(self, store: str) -> Path:
        if store not in STORES:
            raise ValueError(f"there is no store {store!r}")
        folder = (self.secret_root if store in SECRET_STORES else self.public_root) / store
        if not folder.is_dir():
            for root in (self.secret_root, self.public_root):
                root.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.mkdir(exist_ok=True, mode=0o700)
        return folder


def open_blobs(settings: Settings) -> Blobs:
    """The stores that the settings name."""
    return Blobs(settings.public_blobs, settings.secret_blobs, settings.keep_free)
