"""The base image for tests, made of Debian packages: no image registry is asked. Cached in .check/ as one archive."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.docker.engine import docker

SUITE = "bookworm"
PYTHON = "3.11"
PACKAGES = ("python3", "python3-venv", "bubblewrap", "util-linux", "ca-certificates")


def missing() -> str | None:
    """Why the base cannot be made here; None where it can."""
    if shutil.which("debootstrap") is None:
        return "debootstrap is not installed"
    return None if os.geteuid() == 0 else "debootstrap needs root"


def import_base(cache: Path, tag: str) -> None:
    """Imports the base as image `tag`, from the archive in `cache` or from packages (about a minute)."""
    digest = hashlib.sha256(f"{SUITE} {PACKAGES}".encode()).hexdigest()[:12]
    archive = cache / f"base-{digest}.tar"
    if not archive.exists():
        _bootstrap(archive)
    docker("import", str(archive), tag)


def _bootstrap(archive: Path) -> None:
    archive.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="arbitre-base-") as folder:
        root = Path(folder, "root")
        include = f"--include={','.join(PACKAGES)}"
        subprocess.run(
            ["debootstrap", "--variant=minbase", include, SUITE, root], check=True, stdout=subprocess.DEVNULL
        )
        for emptied in ("var/cache/apt/archives", "var/lib/apt/lists"):
            shutil.rmtree(root / emptied)
            root.joinpath(emptied).mkdir()
        partial = archive.with_suffix(".partial")
        subprocess.run(["tar", "--one-file-system", "-C", root, "-cf", partial, "."], check=True)
        partial.rename(archive)
