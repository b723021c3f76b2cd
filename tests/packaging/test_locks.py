"""What the lock files must hold, so that ./run installs the same bytes everywhere."""

from __future__ import annotations

import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.locks import LOCKS, PROJECT, pins


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_to_one_version_with_hashes(lock: str) -> None:
    loose = [name for name, (pin, hashes) in pins(lock).items() if not hashes or len(pin.specifier) != 1]
    assert loose == []
    assert [name for name, (pin, _) in pins(lock).items() if not str(pin.specifier).startswith("==")] == []


def test_the_locks_agree_where_they_overlap() -> None:
    run, check = (pins(lock) for lock in LOCKS)
    assert {name: (run[name], check[name]) for name in run.keys() & check.keys() if run[name] != check[name]} == {}


def test_every_declared_dependency_is_locked_at_a_version_it_allows() -> None:
    document = tomllib.loads(PROJECT.joinpath("pyproject.toml").read_text())
    project, groups = document["project"], document["dependency-groups"]
    extras = [line for extra in project["optional-dependencies"].values() for line in extra]
    declared = {
        "requirements.lock": project["dependencies"] + extras + groups["build"] + document["build-system"]["requires"],
        "requirements-check.lock": groups["check"],
    }
    for lock, lines in declared.items():
        locked = pins(lock)
        for wanted in map(Requirement, lines):
            (pinned,) = locked[canonicalize_name(wanted.name)][0].specifier
            assert wanted.specifier.contains(pinned.version), f"{lock} pins {pinned} against {wanted}"
