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


def import_base(cache: Path, name: str) -> str:
    """The base as image `name:<digest of its packages>`, made where the engine has none (a minute without cache)."""
    digest = hashlib.sha256(f"{SUITE} {PACKAGES}".encode()).hexdigest()[:12]
    tag, archive = f"{name}:{digest}", cache / f"base-{digest}.tar"
    # An import gets a new id each time, which would make every later build start from nothing.
    if not docker("images", "--quiet", tag):
        if not archive.exists():
            _bootstrap(archive)
        docker("import", str(archive), tag)
    return tag


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
