"""What nothing names: half written by a process that was killed, or whole and refused before a row named it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from app.files.blobs import SECRET_STORES, STORES, Blobs, settling
from app.settings import Settings

DIGEST = re.compile("[0-9a-f]{64}")
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


def old_blobs(blobs: Blobs, *, shard: int, now: float) -> list[Path]:
    """The blobs of all stores whose digest begins with the byte `shard` (0..255), written more than a day ago."""
    roots = [(blobs.secret_root if store in SECRET_STORES else blobs.public_root) / store for store in sorted(STORES)]
    files = [path for root in roots for path in root.glob(f"{shard:02x}/*") if DIGEST.fullmatch(path.name)]
    return [path for path in files if _age(path, now) > OLD_S]


def remove_old(path: Path, *, now: float) -> bool:
    """Remove a blob if it is older than a day still: who stores its bytes anew makes it new (`settling`)."""
    with settling(path.parent, alone=True):
        if _age(path, now) <= OLD_S:
            return False
        path.unlink(missing_ok=True)
        return True


def _age(path: Path, now: float) -> float:
    """Seconds since the last write; 0 for what is gone meanwhile."""
    try:
        return now - path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0
