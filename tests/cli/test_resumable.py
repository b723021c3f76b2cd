"""Large files from the command line: resumed where they broke off, entered once, whatever the network does."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.cli import client, resumable
from app.cli.client import connect
from app.cli.entries import read_file
from app.cli.output import Output
from app.cli.resumable import Wish, send_resumable
from tests import scenario
from tests.cli.flaky import Network, network
from tests.cli.harness import ROOT, Faulty, Run, Seen, as_json, problem
from tests.instance import organiser
from tests.newcomers import newcomer
from tests.scenario import Person, until
from tests.serving import Served, served

CASES = scenario.cases()
SIZE = 20_000_000


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Served]:
    """One challenge for all tests of this file."""
    with served(tmp_path_factory.mktemp("resumable"), sqlite_template) as instance:
        scenario.publish(organiser(instance), scenario.folder(CASES, day=50))
        yield instance


@pytest.fixture
def ada(instance: Served, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Person:
    """A newcomer's team for each test; the commands carry her token."""
    who = newcomer(instance, f"ada-{hashlib.sha256(request.node.name.encode()).hexdigest()[:8]}")
    monkeypatch.setenv("ARBITRE_TOKEN", who.http.headers["Authorization"].removeprefix("Bearer "))
    return who


@pytest.fixture
def line(instance: Served, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """The network between the commands and the instance."""
    monkeypatch.setattr(client, "WAITS_S", (0.05, 0.05, 0.1, 0.2))
    monkeypatch.setattr(resumable, "BUSY_S", (0.05,) * 60)
    monkeypatch.setattr(resumable, "LONGER_S", ())
    with network(instance.url) as line:
        monkeypatch.setenv("ARBITRE_SERVER", line.url)
        yield line


def large(tmp_path: Path, *, size: int = SIZE, seed: int = 1) -> Path:
    """A file that no reader would like, but which nobody reads here."""
    path = tmp_path / "large.csv"
    path.write_bytes(hashlib.shake_128(b"%d" % seed).digest(size))
    return path


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def entries(who: Person) -> list[Any]:
    found: list[Any] = who.get("/challenges/tiny/submissions")
    return found


def kept(home: Path) -> list[Path]:
    """What is remembered of uploads on their way."""
    return list((home / "cache" / "arbitre" / "uploads").glob("*"))


def test_a_large_file_goes_in_pieces(run: Run, line: Network, ada: Person, tmp_path: Path) -> None:
    path = large(tmp_path)
    result = run("submit", "tiny", "-f", path, "-m", "large")
    (entry,) = entries(ada)
    assert (result.code, result.err) == (0, "Sending large.csv in pieces (20.0 MB).\n")
    assert result.out == (
        f"Submission {entry['number']} received: 20,000,000 bytes, sha256 {digest(path)} there as here.\n"
        f"{result.out.splitlines()[1]}\n"
        f"Follow it: arbitre submission tiny {entry['number']}\n"
    )
    assert (entry["filename"], entry["note"], entry["sha256"]) == ("large.csv", "large", digest(path))
    assert kept(tmp_path) == []


def test_broken_connections_cost_pieces_not_the_entry(run: Run, line: Network, ada: Person, tmp_path: Path) -> None:
    line.cuts = [3_000_000, 5_000_000, 1_000_000]
    path = large(tmp_path)
    result = run("submit", "tiny", "-f", path, "--json")
    assert (result.code, result.document["sha256"], result.document["new"]) == (0, digest(path), True)
    assert result.err.count("Going on at ") == 3
    assert (line.cuts, len(entries(ada))) == ([], 1)


@pytest.mark.parametrize("size", [1_000, SIZE])
def test_a_lost_answer_makes_no_second_entry(run: Run, line: Network, ada: Person, tmp_path: Path, size: int) -> None:
    """The body arrived and was entered; the answer did not come back. Sent at once, and in pieces."""
    line.lost = [b"POST /api/v1/challenges/tiny/phases/main/submissions"]
    path = large(tmp_path, size=size)
    result = run("submit", "tiny", "-f", path, "--again", "--json")
    (entry,) = entries(ada)
    assert (result.code, result.document["number"], result.document["new"]) == (0, entry["number"], False)
    assert (line.lost, kept(tmp_path)) == ([], [])


def test_lost_answers_to_pieces_and_creation(run: Run, line: Network, ada: Person, tmp_path: Path) -> None:
    line.lost = [b"POST /api/v1/uploads", b"PATCH /api/v1/uploads"]
    path = large(tmp_path)
    assert run("submit", "tiny", "-f", path).code == 0
    assert [entry["sha256"] for entry in entries(ada)] == [digest(path)]


def test_the_next_run_goes_on_where_the_killed_one_stood(
    run: Run, line: Network, ada: Person, instance: Served, tmp_path: Path
) -> None:
    path, line.pause_s = large(tmp_path), 0.01
    arguments = [sys.executable, "-m", "app.cli", "submit", "tiny", "-f", str(path)]
    with subprocess.Popen(
        arguments, cwd=ROOT, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as one:
        folder = instance.parts.settings.public_blobs / "entries" / "uploads"
        until(lambda: any(file.stat().st_size > 4_000_000 for file in folder.glob("*")), every=0.01)
        one.send_signal(signal.SIGKILL)
    assert (len(kept(tmp_path)), entries(ada)) == (1, [])
    line.pause_s = 0.0
    result = run("submit", "tiny", "-f", path)
    assert (result.code, result.err.startswith("Going on at ")) == (0, True)
    assert "Sending " not in result.err
    assert [entry["sha256"] for entry in entries(ada)] == [digest(path)]
    assert kept(tmp_path) == []


def test_two_clients_resume_the_same_upload(line: Network, ada: Person, tmp_path: Path) -> None:
    """Two windows, one file: both end with the same entry, and its bytes are right."""
    file = read_file(large(tmp_path))

    def client_of(_: int) -> Any:
        with connect() as api:
            return send_resumable(api, file, Wish("tiny", "main"), Output(json=True))

    with connect() as api:
        state = resumable._state(api, file, Wish("tiny", "main"))
        transfer = resumable._Transfer(api, file, Wish("tiny", "main"), Output(json=True), lambda _: None, state)
        transfer._stand()
        transfer._send_piece(0)
    line.pause_s, line.cuts = 0.001, [5_000_000]
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(client_of, range(2))
    assert (first["number"], first["sha256"]) == (second["number"], file.sha256)
    assert len(entries(ada)) == 1


def test_an_upload_that_the_server_forgot_is_begun_anew(
    run: Run, line: Network, ada: Person, instance: Served, tmp_path: Path
) -> None:
    path, line.cuts = large(tmp_path), [4_000_000, 100, 100, 100, 100]
    broken = run("submit", "tiny", "-f", path)
    assert (broken.code, broken.err.endswith(" What arrived is kept; run the same again to go on.\n")) == (3, True)
    (state,) = kept(tmp_path)
    upload = json.loads(state.read_text())["upload"]
    headers = {"Tus-Resumable": "1.0.0"}
    assert ada.http.delete(f"/uploads/{upload}", headers=headers).status_code == 204
    line.cuts = []
    assert run("submit", "tiny", "-f", path).code == 0
    assert [entry["sha256"] for entry in entries(ada)] == [digest(path)]


def test_what_the_server_refuses_is_told_in_its_words(run: Run, line: Network, ada: Person, tmp_path: Path) -> None:
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(50_000_001)
    result = run("submit", "tiny", "-f", tmp_path / "huge.csv")
    assert (result.code, result.err) == (1, "The file is larger than 50 MB.\n")
    assert kept(tmp_path) == []


# What our own server never does, told by one that does.


def answering(request: Seen) -> Any:
    return as_json({"slug": "blood", "phases": [{"slug": "main", "window": "open"}]})


def test_a_limit_of_one_request_leads_to_pieces(run: Run, faulty: Faulty, tmp_path: Path) -> None:
    path = large(tmp_path, size=1_000)
    told = {"number": 3, "sha256": digest(path), "size": 1_000, "state": "queued", "new": True, "quota": None}

    def answer(request: Seen) -> Any:
        if request.path == "/api/v1/uploads":
            return 201, {"Location": "/api/v1/uploads/abc"}, b""
        if request.path.startswith("/api/v1/uploads/"):
            return 204, {"Upload-Offset": "1000"}, b""
        if request.method == "POST":
            is_json = request.headers["content-type"] == "application/json"
            return as_json(told, 202) if is_json else problem(413, "E-RESUMABLE", "Send it in pieces.")
        return answering(request)

    faulty.answer = answer
    assert run("submit", "blood", "-f", path, "--server", faulty.address).code == 0
    created, piece, entered = faulty.seen[2:]
    assert [created.headers["upload-length"], piece.headers["upload-offset"], piece.body] == [
        "1000",
        "0",
        path.read_bytes(),
    ]
    keys = {request.headers["idempotency-key"] for request in (created, entered)}
    assert (len(keys), json.loads(entered.body)["upload_id"]) == (1, "abc")


def test_a_proxy_with_a_limit_gets_smaller_pieces(run: Run, faulty: Faulty, tmp_path: Path) -> None:
    path = large(tmp_path, size=9_000_000)
    told = {"number": 3, "sha256": digest(path), "size": 1, "state": "queued", "new": True, "quota": None}
    arrived = bytearray()

    def answer(request: Seen) -> Any:
        if request.method == "PATCH":
            if len(request.body) > 1_000_000:
                return 413, {"Content-Type": "text/html"}, b"too large"
            assert int(request.headers["upload-offset"]) == len(arrived)
            arrived.extend(request.body)
            return 204, {"Upload-Offset": str(len(arrived))}, b""
        if request.path == "/api/v1/uploads":
            return 201, {"Location": "/api/v1/uploads/abc"}, b""
        return as_json(told, 202) if request.method == "POST" else answering(request)

    faulty.answer = answer
    assert run("submit", "blood", "-f", path, "--server", faulty.address).code == 0
    assert hashlib.sha256(arrived).hexdigest() == digest(path)


def test_a_file_that_changes_meanwhile_is_not_entered(run: Run, faulty: Faulty, tmp_path: Path) -> None:
    path = large(tmp_path, size=9_000_000)

    def answer(request: Seen) -> Any:
        if request.method == "PATCH":
            path.write_bytes(path.read_bytes()[::-1])
            return problem(422, "E-DIGEST", "The file changed on its way.")
        if request.path == "/api/v1/uploads":
            return 201, {"Location": "/api/v1/uploads/abc"}, b""
        return answering(request)

    faulty.answer = answer
    result = run("submit", "blood", "-f", path, "--server", faulty.address)
    assert (result.code, result.err.splitlines()[-1]) == (
        2,
        f"{path} was changed while it was sent. Submit it again when nothing writes to it.",
    )
