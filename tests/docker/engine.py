"""Calls of the docker command line, on whichever engine DOCKER_HOST names."""

from __future__ import annotations

import shutil
import subprocess
from typing import IO


def docker(*arguments: str, stdin: IO[bytes] | None = None) -> str:
    """Standard output of one docker command. Raises CalledProcessError; pytest shows both outputs."""
    ended = subprocess.run(["docker", *arguments], stdin=stdin, capture_output=True, text=True)
    if ended.returncode:
        print(ended.stdout[-4000:], ended.stderr[-4000:], sep="\n")
    ended.check_returncode()
    return ended.stdout


def answers() -> bool:
    """True where a Docker Engine can be used by this user."""
    return shutil.which("docker") is not None and not subprocess.run(["docker", "info"], capture_output=True).returncode
