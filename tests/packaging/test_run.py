"""./run as a new user meets it: a fresh copy in a folder with a space, an empty home, first as nobody, then as root."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.locks import PROJECT
from tests.packaging.starting import NOBODY, Started, environment_for, running
from tests.packaging.terminal import typed

pytestmark = [pytest.mark.slow, pytest.mark.sandbox, pytest.mark.timeout(900)]

FIRST_START_S, LATER_START_S = 600, 60
USER = NOBODY if os.geteuid() == 0 else None


@pytest.fixture(scope="module")
def clone() -> Iterator[Path]:
    """The working tree as git would clone it, owned by nobody, with an empty home beside it."""
    place = Path(tempfile.mkdtemp(prefix="arbitre run ", dir="/tmp"))
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (PROJECT / name).is_file():
            target = place / "clone" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, target)
    place.joinpath("home").mkdir()
    place.chmod(0o755)
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", str(place)], check=True)
    yield place / "clone"
    shutil.rmtree(place)


def readme_block(starting: str) -> str:
    """The README's shell block whose first line starts so."""
    blocks = PROJECT.joinpath("README.md").read_text().split("```sh\n")[1:]
    (found,) = [block.partition("```")[0] for block in blocks if block.startswith(starting)]
    return found


def slugs(started: Started) -> list[str]:
    return sorted(challenge["slug"] for challenge in started.get("/api/v1/challenges"))


def test_first_start_installs_and_serves_and_ctrl_c_stops_everything(clone: Path) -> None:
    with running(clone, user=USER) as started:
        started.wait_for_address(FIRST_START_S)
        assert len(started.said("^Making a virtual environment")) == 1
        assert slugs(started) == ["aid-oral", "breast-cancer", "cytologia", "myocardia"]
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", started.port)):
        pass


def test_second_start_installs_nothing_needs_no_network_and_duplicates_nothing(clone: Path) -> None:
    with running(clone, user=USER, offline=True) as started:
        started.wait_for_address(LATER_START_S)
        assert started.said("virtual environment|Installing") == []
        assert slugs(started) == ["aid-oral", "breast-cancer", "cytologia", "myocardia"]


def test_the_readmes_first_screen_ends_with_a_scored_submission(clone: Path) -> None:
    with running(clone, user=USER, offline=True) as started:
        started.wait_for_address(LATER_START_S)
        ((_, email, password),) = [line.split() for line in started.said("^ *participant ")]
        script = readme_block(". .venv/bin/activate").replace("http://localhost:8000", started.url)
        answers = [("E-mail", email), ("Password: ", password), ("Type yes", "yes")]
        code, shown = typed(script, answers, cwd=clone, env=environment_for(clone), user=USER)
    assert code == 0, shown
    board = shown.rpartition("arbitre leaderboard")[2]
    assert "Participant" in board, shown


def test_root_starts_the_same_clone_with_another_data_folder(clone: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    with running(clone, "--data", str(tmp_path / "other data"), user=None, offline=True) as started:
        started.wait_for_address(LATER_START_S)
        assert slugs(started) == ["aid-oral", "breast-cancer", "cytologia", "myocardia"]
    assert (tmp_path / "other data" / "arbitre.sqlite3").is_file()
