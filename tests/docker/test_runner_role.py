"""The image in the role runner, confined as compose.yaml says: its preflight, and one file scored in a sandbox."""

from __future__ import annotations

import json
import subprocess
import tomllib

import pytest

from tests.docker.compose import PROJECT, run_options

pytestmark = [pytest.mark.docker, pytest.mark.sandbox, pytest.mark.slow, pytest.mark.timeout(900)]

FOLDER = "$(python3 -c 'import challenges; print(challenges.__path__[0])')/breast_cancer"


def runner(image: str, script: str, service: str = "runner") -> subprocess.CompletedProcess[str]:
    """A shell script in a container of that role."""
    command = ["docker", "run", *run_options(service), image, "sh", "-c", script]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)


def test_the_preflight_succeeds_as_an_ordinary_user(image: str) -> None:
    ended = runner(image, "arbitre-runner doctor --json")
    found = json.loads(ended.stdout)
    assert (ended.returncode, found["works"], found["tier"]) == (0, True, "user")


def test_one_file_is_scored_in_a_sandbox_as_its_example_says(image: str) -> None:
    example = "examples/baseline"
    told = tomllib.loads((PROJECT / "challenges/breast_cancer" / example / "expected.toml").read_text())
    script = f'folder={FOLDER}; arbitre-runner score "$folder" --entry "$folder/{example}/predictions.csv" --json'
    finish = json.loads(runner(image, script).stdout)
    values = {value["metric"]: value["value"] for value in finish["values"] if value["slice"] == "all"}
    assert finish["outcome"] == told["outcome"]
    assert values == pytest.approx(told["values"], abs=told["tolerance"], rel=0)


def test_without_the_runners_options_nothing_is_scored_and_the_fix_is_named(image: str) -> None:
    ended = runner(image, "arbitre-runner doctor", service="web")
    assert ended.returncode == 5
    assert "seccomp.json, --security-opt apparmor=unconfined" in ended.stderr
