"""What compose.yaml promises about its services, and that Compose accepts it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.docker.compose import compose, program, read

OURS = ("web", "worker", "runner")


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read()["services"]
    return found


def test_there_are_four_services_and_every_image_is_a_variable(services: dict[str, dict[str, Any]]) -> None:
    assert {name: service["image"] for name, service in services.items()} == {
        "web": "${ARBITRE_IMAGE:-arbitre}",
        "worker": "${ARBITRE_IMAGE:-arbitre}",
        "runner": "${ARBITRE_IMAGE:-arbitre}",
        "postgres": "${POSTGRES_IMAGE:-postgres:15}",
    }


def test_the_runner_reaches_web_only_and_holds_no_way_to_the_database(services: dict[str, dict[str, Any]]) -> None:
    shared = {name for name in services if set(services[name]["networks"]) & set(services["runner"]["networks"])}
    assert shared == {"web", "runner"}
    assert read()["networks"]["runners"] == {"internal": True}
    assert "environment" not in services["runner"]
    assert services["runner"]["volumes"] == ["runner:/var/lib/arbitre-runner"]


def test_no_service_is_privileged_or_sees_the_host(services: dict[str, dict[str, Any]]) -> None:
    wide = {"privileged", "cap_add", "pid", "ipc", "userns_mode", "network_mode", "devices", "user"}
    assert [(name, key) for name in services for key in services[name] if key in wide] == []
    mounts = [volume.split(":")[0] for service in services.values() for volume in service["volumes"]]
    assert set(mounts) == set(read()["volumes"])


def test_only_the_runner_relaxes_the_engines_default_profiles(services: dict[str, dict[str, Any]]) -> None:
    assert {name: services[name]["security_opt"] for name in OURS} == {
        "web": ["no-new-privileges:true"],
        "worker": ["no-new-privileges:true"],
        "runner": [
            "no-new-privileges:true",
            "seccomp=./sandbox_runner/seccomp.json",
            "apparmor=unconfined",
        ],
    }
    assert [(services[name]["read_only"], services[name]["cap_drop"]) for name in OURS] == [(True, ["ALL"])] * 3


def test_every_service_has_a_health_check_or_waits_for_one(services: dict[str, dict[str, Any]]) -> None:
    assert [name for name in services if "healthcheck" not in services[name]] == ["worker"]
    assert services["worker"]["depends_on"] == {"web": {"condition": "service_healthy"}}


def test_compose_accepts_the_file() -> None:
    if program() is None:
        pytest.skip("neither docker compose nor docker-compose is installed")
    answer = compose("config")
    assert answer.stderr == ""
    assert sorted(yaml.safe_load(answer.stdout)["services"]) == ["postgres", "runner", "web", "worker"]


def test_compose_refuses_to_start_without_a_database_password() -> None:
    if program() is None:
        pytest.skip("neither docker compose nor docker-compose is installed")
    answer = compose("config", environment={})
    assert answer.returncode != 0
    assert "set it in .env" in answer.stderr
