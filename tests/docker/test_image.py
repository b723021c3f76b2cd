"""The image's own promises, before any role runs in it."""

from __future__ import annotations

import json

import pytest

from tests.docker.engine import docker

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(900)]


def test_the_image_runs_as_nobody_special_and_holds_no_secret(image: str) -> None:
    config = json.loads(docker("inspect", image))[0]["Config"]
    assert config["User"] == "10001"
    assert config["Volumes"] is None
    assert [entry.partition("=")[0] for entry in config["Env"]] == ["PATH", "PYTHONUNBUFFERED", "ARBITRE_DATA"]


def test_no_index_address_stays_in_the_image_history(image: str) -> None:
    history = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image)
    assert "INDEX" not in history
    assert "://" not in history


def test_the_installed_program_cannot_be_changed_by_its_user(image: str) -> None:
    script = "find /opt/arbitre -writable -not -type l | head -n 3; id -u"
    assert docker("run", "--rm", "--network=none", image, "sh", "-c", script) == "10001\n"


def test_pip_and_the_build_backend_are_not_in_the_image(image: str) -> None:
    script = "import importlib.util as u; print([n for n in ('pip', 'hatchling', 'setuptools') if u.find_spec(n)])"
    assert docker("run", "--rm", "--network=none", image, "python3", "-c", script) == "[]\n"
