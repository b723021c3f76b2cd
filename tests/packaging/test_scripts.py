"""The two commands of the README before they install anything: help, wrong options, and what a machine may lack."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.packaging.locks import PROJECT

SCRIPTS = ("run", "check", ".ci/run")
SYSTEM = (
    "sh",
    "bash",
    "env",
    "cat",
    "dirname",
    "id",
    "mktemp",
    "rm",
    "sha256sum",
    "sort",
    "wc",
    "grep",
    "find",
    "mkdir",
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The scripts and locks in a folder whose name has a space, without Arbitre itself."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    shutil.copytree(PROJECT / ".ci", folder / ".ci")
    for name in ("run", "check", "requirements.lock", "requirements-check.lock", "pyproject.toml"):
        shutil.copy(PROJECT / name, folder)
    return folder


def machine(folder: Path, *programs: str, python: str | None = None) -> dict[str, str]:
    """Environment of a machine that has only `programs` and, as python3, a script with the body `python`."""
    place = folder / "bin"
    place.mkdir()
    for program in programs:
        place.joinpath(program).symlink_to(str(shutil.which(program)))
    if python is not None:
        place.joinpath("python3").write_text(f"#!/bin/sh\n{python}\n")
        place.joinpath("python3").chmod(0o755)
    return {"PATH": str(place), "HOME": str(folder)}


def call(clone: Path, script: str, *arguments: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of one script of the clone."""
    ended = subprocess.run([clone / script, *arguments], capture_output=True, text=True, env=env or dict(os.environ))
    return ended.returncode, ended.stdout, ended.stderr


def contents(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_help_is_printed_and_nothing_is_installed(clone: Path, script: str, option: str) -> None:
    before = contents(clone)
    code, out, err = call(clone, script, option)
    assert (code, out.splitlines()[0].split()[0], err) == (0, "Usage:", "")
    assert contents(clone) == before


def test_check_names_an_unknown_option_before_any_work(clone: Path) -> None:
    before = contents(clone)
    code, _, err = call(clone, "check", "--fast")
    assert (code, err.splitlines()[0]) == (2, "Unknown option: --fast")
    assert contents(clone) == before


def test_run_says_which_python_it_needs_where_there_is_none(clone: Path, tmp_path: Path) -> None:
    code, _, err = call(clone, "run", env=machine(tmp_path, *SYSTEM))
    assert code == 1
    assert err.startswith("Arbitre needs Python 3.11, 3.12, 3.13 or 3.14, and none was found. Install one")


def test_run_passes_over_a_python_that_is_too_old(clone: Path, tmp_path: Path) -> None:
    code, _, err = call(clone, "run", env=machine(tmp_path, *SYSTEM, python="exit 1"))
    assert (code, "none was found" in err) == (1, True)


def test_run_names_the_packages_that_are_missing_and_the_command(clone: Path, tmp_path: Path) -> None:
    old_debian = 'case "$2" in *ensurepip*) exit 1 ;; *venv*) echo python3.11-venv ;; esac'
    code, _, err = call(clone, "run", env=machine(tmp_path, *SYSTEM, python=old_debian))
    assert (code, err.splitlines()) == (
        1,
        [
            "Missing on this machine: python3.11-venv bubblewrap util-linux. Run this, then start again: "
            "sudo apt-get install python3.11-venv bubblewrap util-linux "
            "(elsewhere than on Debian or Ubuntu: the packages of the same name)"
        ],
    )


def test_the_shell_scripts_are_clean() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    ended = subprocess.run(["shellcheck", "-x", *SCRIPTS], cwd=PROJECT, capture_output=True, text=True)
    assert ended.stdout == ""
