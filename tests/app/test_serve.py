"""`arbitre serve` and `arbitre demo` as real processes: starting, being killed, stopping, refusing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import scenario
from tests.processes import Server, descendants, gone, serving

pytestmark = pytest.mark.sandbox
ALL = ("web", "worker", "runner")


def arbitre(*arguments: str, said: str = "") -> tuple[int, str]:
    """(exit code, standard error) of a command that ends by itself."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ARBITRE_")}
    command = [sys.executable, "-m", "app.cli", *arguments]
    done = subprocess.run(command, input=said, capture_output=True, text=True, env=environment, timeout=120)
    return done.returncode, done.stderr


def get(url: str, path: str) -> Any:
    with urllib.request.urlopen(f"{url}/api/v1{path}", timeout=30) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(data=tmp_path_factory.mktemp("served") / "data", lease_s=2) as server:
        yield server


def test_serve_starts_web_worker_and_runner_and_says_where(server: Server) -> None:
    assert sorted(server.wait_for(*ALL)) == sorted(ALL)
    assert get(server.url, "/health")["status"] == "ok"
    assert (server.data.stat().st_mode & 0o777, (server.data / "arbitre.sqlite3").stat().st_mode & 0o777) == (
        0o700,
        0o600,
    )


@pytest.mark.parametrize("name", ALL)
def test_a_child_that_is_killed_is_started_again(server: Server, name: str) -> None:
    old = server.kill(name)
    end = time.monotonic() + 20
    while server.wait_for(*ALL)[name] == old and time.monotonic() < end:
        time.sleep(0.05)
    assert server.wait_for(*ALL)[name] != old


def test_no_connection_is_refused_while_the_web_process_is_started_again(server: Server) -> None:
    server.wait_for(*ALL)
    server.kill("web")
    assert httpx.get(f"{server.url}/api/v1/health", timeout=30).json()["status"] == "ok"


def test_the_runner_knows_nothing_of_the_database(server: Server) -> None:
    pid = server.wait_for("runner")["runner"]
    environment = Path(f"/proc/{pid}/environ").read_bytes().decode()
    assert [line for line in environment.split("\0") if line.startswith("ARBITRE_")] == []


def test_a_second_server_on_the_same_folder_is_refused(server: Server) -> None:
    code, said = arbitre("serve", "--port", "0", "--data", str(server.data))
    assert (code, said) == (
        4,
        f"Another server runs on {server.data}. Stop it first, or give another folder with --data.\n",
    )


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, said = arbitre("serve", "--port", str(port), "--data", str(tmp_path / "data"))
    assert (code, said) == (
        2,
        f"Port {port} on 127.0.0.1 cannot be used: another program listens there. Give another one with --port.\n",
    )


def test_a_database_that_is_away_is_said_without_its_password(tmp_path: Path) -> None:
    environment = os.environ | {"ARBITRE_DATABASE_URL": "postgresql://ada:secret@127.0.0.1:1/arbitre"}
    command = [sys.executable, "-m", "app.cli", "serve", "--port", "0", "--data", str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 5
    assert done.stderr.startswith("The database postgresql://ada:***@127.0.0.1:1/arbitre cannot be used: ")
    assert "secret" not in done.stderr


def test_stopping_ends_all_within_seconds_and_the_next_start_goes_on(tmp_path: Path) -> None:
    """Once as a service manager stops it, once by Ctrl-C; the runner keeps the registration of the first start."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    cut_off = [tmp_path / "data" / name for name in ("blobs/entries/tmp/1", "secret/reference/tmp/2", "work/upload-3")]
    for path in cut_off:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"half of a file")
    runners = []
    for number in (signal.SIGTERM, signal.SIGINT):
        with serving("--port", port, data=tmp_path / "data") as server:
            server.wait_for(*ALL)
            known = server.data / "runner" / "runner.json"
            scenario.until(known.is_file)
            runners.append(json.loads(known.read_text())["runner_id"])
            assert [path for path in cut_off if path.exists()] == []
            below, began = descendants(server.process.pid), time.monotonic()
            assert server.stop(number) == 0
            assert time.monotonic() - began < 12
            assert gone(below, seconds=2) == []
    assert runners[0] == runners[1]


@dataclass(frozen=True)
class Demo:
    """What a start of the demo showed."""

    accounts: dict[str, str]
    challenges: dict[str, int]


def started(data: Path, *options: str) -> Demo:
    """Start the demo, look at it as its organiser, and stop it."""
    with serving(*options, data=data, command="demo") as server:
        accounts: dict[str, str] = json.loads((data / "demo-accounts.json").read_text())
        assert [name for name, password in accounts.items() if f"{password}\n" not in "".join(server.lines)] == []
        login = {"email": "organiser@example.org", "password": accounts["organiser"], "scopes": ["read", "organise"]}
        token = httpx.post(f"{server.url}/api/v1/tokens", json=login, timeout=30).json()["token"]
        with httpx.Client(base_url=f"{server.url}/api/v1", headers={"Authorization": f"Bearer {token}"}) as http:
            slugs = [row["slug"] for row in http.get("/challenges").json()]
            return Demo(accounts, {slug: http.get(f"/challenges/{slug}").json()["version"] for slug in slugs})


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Demo]:
    """The data folder of a demo that was started once, and what it showed."""
    data = tmp_path_factory.mktemp("demo") / "data"
    return data, started(data)


def test_the_demo_has_four_accounts_and_the_builtin_challenges(first: tuple[Path, Demo]) -> None:
    data, demo = first
    assert sorted(demo.accounts) == ["admin", "juror", "organiser", "participant"]
    assert demo.challenges == {"aid-oral": 1, "breast-cancer": 1, "cytologia": 1, "myocardia": 1}
    assert (data / "demo-accounts.json").stat().st_mode & 0o777 == 0o600


def test_a_second_start_of_the_demo_changes_nothing(first: tuple[Path, Demo]) -> None:
    data, demo = first
    assert started(data) == demo


def test_demo_accounts_never_meet_a_public_address(first: tuple[Path, Demo]) -> None:
    data, _ = first
    code, said = arbitre("demo", "--host", "0.0.0.0", "--data", str(data))
    assert (code, said.startswith("The demo is not served on 0.0.0.0: its accounts have passwords")) == (4, True)
    code, said = arbitre("serve", "--host", "0.0.0.0", "--port", "0", "--data", str(data))
    assert (code, said) == (
        4,
        f"{data} holds demo accounts (organiser@example.org), whose passwords were printed, so it is not served on "
        "0.0.0.0. Serve it on 127.0.0.1, or give an instance without them with --data.\n",
    )


def test_fresh_deletes_a_demo(first: tuple[Path, Demo]) -> None:
    data, demo = first
    again = started(data, "--fresh")
    assert again.challenges == demo.challenges
    assert set(again.accounts.values()) & set(demo.accounts.values()) == set()


def test_fresh_deletes_nothing_but_a_demo(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    code, said = arbitre("demo", "--fresh", "--port", "0", "--data", str(mine))
    expected = f"{mine} was not made by the demo, so nothing in it is deleted. Give another --data.\n"
    assert (code, said) == (4, expected)
    assert (mine / "thesis.txt").read_text() == "years of work"


def test_the_demo_adds_nothing_to_an_instance_in_use(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    password = scenario.PASSWORD
    assert arbitre("admin", "create", "--email", "ada@example.org", "--name", "Ada", "--data", data, said=password) == (
        0,
        "",
    )
    code, said = arbitre("demo", "--port", "0", "--data", data)
    assert (code, said.startswith(f"{data} holds an instance that is no demo; no demo accounts are added to it.")) == (
        4,
        True,
    )


def test_the_first_administrator(server: Server) -> None:
    options = ("admin", "create", "--email", "ada@example.org", "--name", "Ada", "--data", str(server.data))
    assert arbitre(*options, said="short\n") == (
        1,
        "The account was not made: see the problems below.\n- password: Give a password of at least 10 characters.\n",
    )
    assert arbitre(*options, said=f"{scenario.PASSWORD}\n") == (0, "")
    ada = scenario.signed_in(server.url, "ada@example.org", ("read", "admin"))
    assert ada.get("/me")["admin"] is True


def test_killing_the_supervisor_ends_its_children(server: Server) -> None:
    """Last: it ends the server of this module."""
    server.wait_for(*ALL)
    below = descendants(server.process.pid)
    server.process.kill()
    assert gone(below, seconds=10) == []
