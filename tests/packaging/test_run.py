"""./run as a new user meets it: a fresh copy in a folder with a space, an empty home, first as nobody, then as root."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.packaging.locks import PROJECT

pytestmark = [pytest.mark.slow, pytest.mark.sandbox, pytest.mark.timeout(900)]

NOBODY = 65534
MARK = "CHECK_OF_RUN_ON_PORT"
FIRST_START_S, LATER_START_S, STOP_S = 600, 60, 30


@dataclass
class Started:
    """A running ./run: its process group and what it has said so far, both streams together."""

    process: subprocess.Popen[str]
    port: int
    lines: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def said(self, pattern: str) -> list[str]:
        return [line for line in list(self.lines) if re.search(pattern, line)]

    def wait_for_address(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self.said(re.escape(self.url)):
            assert self.process.poll() is None, "".join(self.lines)
            assert time.monotonic() < end, "".join(self.lines)
            time.sleep(0.1)

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=30) as answer:
            return json.load(answer)

    def living(self) -> list[int]:
        """Processes that carry this start's mark in their environment, whatever session they are in."""
        mark = f"{MARK}={self.port}".encode()
        return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if mark in environment_of(folder)]


def environment_of(folder: Path) -> list[bytes]:
    try:
        return folder.joinpath("environ").read_bytes().split(b"\0")
    except OSError:
        return []


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


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(clone: Path, *arguments: str, user: int | None, offline: bool = False) -> Iterator[Started]:
    """./run in a process group of its own, as a terminal would start it; ended by Ctrl-C."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ARBITRE_", "XDG_"))}
    environment |= {"HOME": str(clone.parent / "home"), "PATH": os.defpath + ":/usr/local/bin:/usr/sbin:/sbin"}
    if offline:
        environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/nowhere"}
    port = free_port()
    environment |= {MARK: str(port)}
    process = subprocess.Popen(
        [clone / "run", "--port", str(port), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        cwd="/",
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        start_new_session=True,
    )
    started = Started(process, port)
    reader = Thread(target=started.read, daemon=True)
    reader.start()
    try:
        yield started
        os.killpg(process.pid, signal.SIGINT)
        process.wait(STOP_S)
        assert started.living() == []
    finally:
        for pid in started.living():
            os.kill(pid, signal.SIGKILL)
        process.wait(5)
        reader.join(5)
        assert process.stdout is not None
        process.stdout.close()


def slugs(started: Started) -> list[str]:
    return sorted(challenge["slug"] for challenge in started.get("/api/v1/challenges"))


def test_first_start_installs_and_serves_and_ctrl_c_stops_everything(clone: Path) -> None:
    user = NOBODY if os.geteuid() == 0 else None
    with running(clone, user=user) as started:
        started.wait_for_address(FIRST_START_S)
        assert len(started.said("^Making a virtual environment")) == 1
        assert slugs(started) == ["breast-cancer", "cytologia"]
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", started.port)):
        pass


def test_second_start_installs_nothing_needs_no_network_and_duplicates_nothing(clone: Path) -> None:
    user = NOBODY if os.geteuid() == 0 else None
    with running(clone, user=user, offline=True) as started:
        started.wait_for_address(LATER_START_S)
        assert started.said("virtual environment|Installing") == []
        assert slugs(started) == ["breast-cancer", "cytologia"]


def test_root_starts_the_same_clone_with_another_data_folder(clone: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    with running(clone, "--data", str(tmp_path / "other data"), user=None, offline=True) as started:
        started.wait_for_address(LATER_START_S)
        assert slugs(started) == ["breast-cancer", "cytologia"]
    assert (tmp_path / "other data" / "arbitre.sqlite3").is_file()
