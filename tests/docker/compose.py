"""The compose.yaml of the repository as data, and calls of whichever Compose is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {"POSTGRES_PASSWORD": "abc123"}


def read() -> dict[str, Any]:
    """The file as YAML, anchors resolved, variables not."""
    document: dict[str, Any] = yaml.safe_load(PROJECT.joinpath("compose.yaml").read_text())
    return document


def run_options(service: str) -> list[str]:
    """What `docker run` must be told so that a container is confined as that service is; always without a network."""
    described = read()["services"][service]
    options = ["--rm", "--network=none", f"--tmpfs={described['tmpfs']}"] + ["--read-only"] * described["read_only"]
    options += [f"--cap-drop={name}" for name in described["cap_drop"]]
    return options + [f"--security-opt={option}" for option in described["security_opt"]]


def program() -> list[str] | None:
    """Compose v2 where the docker command has it, else Compose 1.29, else None."""
    if shutil.which("docker") and not subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None


def compose(
    *arguments: str, environment: dict[str, str] = ENVIRONMENT, given: str = ""
) -> subprocess.CompletedProcess[str]:
    """One Compose command in the repository's folder, as a user gives it; `given` is its standard input."""
    command = [*(program() or []), *arguments]
    kept = {name: value for name, value in os.environ.items() if name != "POSTGRES_PASSWORD"}
    return subprocess.run(command, cwd=PROJECT, env=kept | environment, input=given, capture_output=True, text=True)
