"""Which code a sandbox imports: a digest that changes when an installation is upgraded under a running runner."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from sandbox_runner.bubblewrap import HOME, Layout

_OURS = f"{HOME}/scoring"


class Code:
    """The Python files that a sandbox of this layout gets: ours by content, other packages by their own top files."""

    def __init__(self, layout: Layout) -> None:
        """Nothing is read yet."""
        self._binds = [(source, inside) for source, inside in layout.binds if inside.startswith(HOME)]
        self._seen: tuple[tuple[str, int, int, int], ...] = ()
        self._digest = ""

    def digest(self) -> str:
        """sha256 hex over names and contents. Files are read again only where size, time or inode of one changed."""
        paths = sorted(self._paths())
        seen = tuple((str(path), *_stamp(path)) for path in paths)
        if seen != self._seen:
            digest = hashlib.sha256()
            for path in paths:
                digest.update(f"{path}\n".encode() + _content(path))
            self._seen, self._digest = seen, digest.hexdigest()
        return self._digest

    def _paths(self) -> Iterator[Path]:
        for source, inside in self._binds:
            if not source.is_dir():
                yield source
            elif inside == _OURS:
                yield from source.rglob("*.py")
            else:
                yield from source.glob("*.py")  # among them the version, which an upgrade changes


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = os.stat(path)  # noqa: PTH116 - asked for each file at each job
    except FileNotFoundError:
        return 0, 0, 0
    return found.st_size, found.st_mtime_ns, found.st_ino


def _content(path: Path) -> bytes:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except FileNotFoundError:
        return b""
