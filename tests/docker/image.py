"""Builds the image of the Dockerfile as a site without a network would: wheels beside the source, hashes checked."""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.docker.base import PYTHON, import_base
from tests.docker.engine import docker

PROJECT = Path(__file__).resolve().parents[2]
CACHE = PROJECT / ".check"
BASE = "arbitre-check-base"
BUILD = "arbitre-check-build"
IMAGE = "arbitre-check"
OLDEST_GLIBC, DEBIANS_GLIBC = 5, 36


def build() -> str:
    """Builds and returns the tag. The stage `build` keeps a tag of its own, so that pip's layer stays cached."""
    base = import_base(CACHE, BASE)
    with tempfile.TemporaryFile() as context:
        _write_context(context.fileno())
        for arguments in (("--target", "build", "-t", BUILD), ("-t", IMAGE)):
            context.seek(0)
            docker("build", "--network", "none", "--build-arg", f"BASE={base}", *arguments, "-", stdin=context)
    return IMAGE


def _write_context(descriptor: int) -> None:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    names = sorted(name for name in listed.stdout.decode().split("\0") if name and (PROJECT / name).is_file())
    with open(descriptor, "wb", closefd=False) as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        for name in names:
            archive.add(PROJECT / name, name, filter=_undated)
        for wheel in sorted(_wheels().iterdir()):
            archive.add(wheel, f"wheels/{wheel.name}", filter=_undated)


def _undated(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """A fixed time and owner: the engine's cache then depends on content only."""
    member.mtime = member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _wheels() -> Path:
    """Wheels of requirements.lock for the base's Python, downloaded once per lock file."""
    lock = PROJECT / "requirements.lock"
    folder = CACHE / f"wheels-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    if folder.exists():
        return folder
    glibc = [f"--platform=manylinux_2_{minor}_{platform.machine()}" for minor in range(OLDEST_GLIBC, DEBIANS_GLIBC + 1)]
    partial = folder.with_suffix(".partial")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    command += [
        "--only-binary=:all:",
        "--no-deps",
        f"--python-version={PYTHON}",
        *glibc,
        "-d",
        str(partial),
        "-r",
        str(lock),
    ]
    subprocess.run(command, check=True)
    return partial.rename(folder)
