"""Inputs of jobs on the runner's disk: what many jobs share is kept by digest; entries have no name and do not stay."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from sandbox_runner.contract import Input

_KEPT = frozenset({"spec", "cases", "attributes", "plan", "reference"})
_BYTES = 4 << 30


class Cache:
    """A folder (0700) of files named by their sha256, at most `most_bytes` together; the longest unused go first."""

    def __init__(self, folder: Path, *, most_bytes: int = _BYTES) -> None:
        """Makes the folder, and clears what an interrupted download left."""
        self._folder, self._most = folder, most_bytes
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        for left in folder.glob("new-*"):
            left.unlink(missing_ok=True)

    def open(self, item: Input, fetch: Callable[[BinaryIO], None]) -> int:
        """A read-only descriptor of the blob, verified; `fetch` writes it to a file where it is not here yet.

        The caller closes it. An entry's bytes are gone with the last descriptor.
        """
        if item.role.partition("/")[0] not in _KEPT:
            with tempfile.TemporaryFile(dir=self._folder) as file:
                fetch(file)
                return os.open(f"/proc/self/fd/{file.fileno()}", os.O_RDONLY | os.O_CLOEXEC)
        path = self._folder / item.sha256
        kept = _verified(path, item)
        return self._added(path, fetch) if kept is None else kept

    def _added(self, path: Path, fetch: Callable[[BinaryIO], None]) -> int:
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix="new-", delete=False) as file:
            try:
                fetch(file)  # type: ignore[arg-type]
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
            descriptor = os.open(f"/proc/self/fd/{file.fileno()}", os.O_RDONLY | os.O_CLOEXEC)
        self._forget(path)
        return descriptor

    def _forget(self, newest: Path) -> None:
        """Delete the longest unused; who has them open reads on."""
        found = []
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another slot may be faster
                stat = path.stat()
                found.append((stat.st_mtime_ns, stat.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self._most:
                break
            if path != newest and not path.name.startswith("new-"):
                path.unlink(missing_ok=True)
                total -= size


def _verified(path: Path, item: Input) -> int | None:
    """A descriptor of the kept blob; None where there is none, or a damaged one, which is deleted."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    with os.fdopen(os.dup(descriptor), "rb") as file:
        same = hashlib.file_digest(file, "sha256").hexdigest() == item.sha256
    if same:
        os.lseek(descriptor, 0, os.SEEK_SET)
        with contextlib.suppress(OSError):
            os.utime(path)
        return descriptor
    os.close(descriptor)
    path.unlink(missing_ok=True)
    return None
