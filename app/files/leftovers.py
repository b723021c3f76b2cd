"""What a process that was killed left half written: uploads on their way into a store, archives being unpacked."""

from __future__ import annotations

import shutil
from pathlib import Path

from app.files.blobs import SECRET_STORES, STORES
from app.settings import Settings

OLD_S = 86_400.0
"""Nothing that is still being written was last written to this long ago."""


def sweep(settings: Settings, *, now: float) -> int:
    """Remove what is older than a day (`now` in Unix seconds); how many files and folders went."""
    roots = [(settings.secret_blobs if store in SECRET_STORES else settings.public_blobs) / store for store in STORES]
    folders = [*(root / "tmp" for root in roots), settings.data / "work"]
    old = [path for folder in folders if folder.is_dir() for path in folder.iterdir() if _age(path, now) > OLD_S]
    for path in old:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(old)


def _age(path: Path, now: float) -> float:
    """Seconds since the last write; 0 for what is gone meanwhile."""
    try:
        return now - path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0
