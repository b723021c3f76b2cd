"""What may go wrong between a person and the platform: nothing lost, nothing counted twice, a sentence for each."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select

from app.db.evaluations import Evaluation
from app.db.submissions import Submission
from app.db.uploads import Upload
from app.domain.receipts import public_bytes
from app.services import runners
from tests import scenario
from tests.instance import organiser, runner, working
from tests.scenario import Person, scored, submit, until
from tests.serving import Served, served

CASES = scenario.cases()
PATH = "/api/v1/challenges/tiny/phases/main/submissions"


@pytest.fixture
def instance(tmp_path: Path, sqlite_template: Path) -> Iterator[Served]:
    with served(tmp_path, sqlite_template, lease_s=2, heartbeat_s=0.5, upload_idle_s=20) as instance:
        yield instance


def participant(instance: Served, **options: Any) -> Person:
    """A team in a fresh challenge `tiny`."""
    scenario.publish(organiser(instance), scenario.folder(CASES, **options))
    who = scenario.person(instance.url, "ada")
    scenario.join(who, "tiny")
    return who


def count(instance: Served, table: Any) -> int:
    with instance.database.read_session() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def left(who: Person) -> int:
    found: int = who.get("/challenges/tiny")["phases"][0]["left"]
    return found


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def raw(instance: Served, who: Person, *, length: int, headers: str = "") -> socket.socket:
    """A connection on which a submit request's head was sent."""
    address = urlsplit(instance.url)
    connection = socket.create_connection((address.hostname, address.port), timeout=30)
    head = f"POST {PATH} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: {length}\r\n{headers}"
    connection.sendall(f"{head}Authorization: {who.http.headers['Authorization']}\r\n\r\n".encode())
    return connection


def whole(connection: socket.socket) -> bytes:
    """The whole answer: its head, and as many bytes as that announces."""
    answer = b""
    while True:
        head, end, body = answer.partition(b"\r\n\r\n")
        length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b"")
        if end and len(body) >= int(length.partition(b":")[2] or 0):
            return answer
        received = connection.recv(65_536)
        assert received, f"the connection closed after {answer!r}"
        answer += received


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk(instance: Served, tmp_path: Path) -> None:
    who = participant(instance)
    small = tmp_path / "blobs" / "entries"
    small.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], check=True)
    try:
        data = scenario.entry(CASES) + b" " * 3_000_000
        refused = who.http.post("/challenges/tiny/phases/main/submissions", content=data)
        assert (refused.status_code, refused.json()["code"]) == (507, "E-DISK-FULL")
        assert "no quota was used" in refused.json()["detail"]
        assert (files(small), count(instance, Submission), count(instance, Upload), left(who)) == ([], 0, 0, 5)
        subprocess.run(["mount", "-o", "remount,size=50m", str(small)], check=True)
        assert submit(who, "tiny", data)["quota"]["left"] == 4
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_truncated_upload(instance: Served, tmp_path: Path) -> None:
    who = participant(instance)
    with raw(instance, who, length=10_000) as connection:
        connection.sendall(b"id,risk\n" * 100)
        until(lambda: count(instance, Upload) == 1)
    until(lambda: count(instance, Upload) == 0)
    assert (count(instance, Submission), left(who), files(tmp_path / "blobs" / "entries")) == (0, 5, [])


def test_a_body_that_stalls_is_given_up(tmp_path: Path, sqlite_template: Path) -> None:
    with served(tmp_path, sqlite_template, upload_idle_s=0.5) as instance:
        who = participant(instance)
        with raw(instance, who, length=10_000) as connection:
            connection.sendall(b"id,risk\n")
            answer = whole(connection)
        assert b" 400 " in answer.split(b"\r\n")[0]
        assert b"E-INCOMPLETE" in answer
        assert (count(instance, Upload), count(instance, Submission)) == (0, 0)


def test_two_simultaneous_uploads_for_the_last_slot(instance: Served) -> None:
    who = participant(instance, day=1)
    bodies = [scenario.entry(CASES, seed=seed) for seed in range(6)]
    start = threading.Barrier(len(bodies))

    def send(body: bytes) -> httpx.Response:
        start.wait()
        return who.http.post("/challenges/tiny/phases/main/submissions", content=body)

    with ThreadPoolExecutor(len(bodies)) as pool:
        answers = list(pool.map(send, bodies))
    assert sorted(answer.status_code for answer in answers) == [202] + [429] * 5
    refused = next(answer for answer in answers if answer.status_code == 429).json()
    assert refused["code"] == "E-QUOTA"
    assert "UTC" in refused["detail"]
    assert count(instance, Submission) == 1


@pytest.mark.parametrize("pause", [0, 1])
def test_a_connection_dropped_after_the_body(instance: Served, pause: float) -> None:
    who = participant(instance, day=1)
    body = scenario.entry(CASES)
    with raw(instance, who, length=len(body), headers="Idempotency-Key: k1\r\n") as connection:
        connection.sendall(body)
        time.sleep(pause)
    until(lambda: count(instance, Upload) == 0)
    entered = count(instance, Submission)
    # Dropped at once, the request may not have been read; a second later it has been.
    assert entered == 1 or pause == 0
    again = submit(who, "tiny", body, headers={"Idempotency-Key": "k1"})
    assert (again["number"], again["new"], again["quota"]["left"]) == (1, entered == 0, 0)
    assert count(instance, Submission) == 1


def test_a_changed_body_is_refused_and_not_kept(instance: Served, tmp_path: Path) -> None:
    who = participant(instance)
    answer = who.http.post(
        "/challenges/tiny/phases/main/submissions", content=scenario.entry(CASES), headers={"X-Sha256": "0" * 64}
    )
    assert (answer.status_code, count(instance, Submission), count(instance, Upload)) == (422, 0, 0)
    assert files(tmp_path / "blobs" / "entries") == []


def test_a_request_before_the_close_whose_body_ends_after_it(instance: Served) -> None:
    who, chief = participant(instance), scenario.signed_in(instance.url, "organiser@example.org", ("read", "organise"))
    body = scenario.entry(CASES)
    with raw(instance, who, length=len(body)) as connection:
        connection.sendall(body[:100])
        until(lambda: count(instance, Upload) == 1)
        chief.post("/challenges/tiny/phases/main/close")
        with working(instance):
            time.sleep(1)
            assert chief.get("/challenges/tiny")["phases"][0]["frozen_at"] is None
            connection.sendall(body[100:])
            assert b" 202 " in whole(connection).split(b"\r\n")[0]
    late = who.http.post("/challenges/tiny/phases/main/submissions", content=scenario.entry(CASES, seed=9))
    assert (late.status_code, late.json()["code"], count(instance, Submission)) == (409, "E-WINDOW", 1)


@pytest.mark.sandbox
def test_a_runner_that_freezes_past_its_lease_and_returns(instance: Served, tmp_path: Path) -> None:
    who = participant(instance, total=1000, day=1000)
    with working(instance), runner(instance, tmp_path / "first") as frozen:
        number = submit(who, "tiny", scenario.entry(CASES, seed=0))["number"]
        scored(who, "tiny", number)
        sent = [submit(who, "tiny", scenario.entry(CASES, seed=seed))["number"] for seed in range(1, 6)]
        frozen.send_signal(signal.SIGSTOP)
        with runner(instance, tmp_path / "second"):
            for number in sent:
                assert scored(who, "tiny", number, seconds=60)["state"] == "scored"
            frozen.send_signal(signal.SIGCONT)
            time.sleep(2)
    assert count(instance, Evaluation) == 6


def test_200_open_claims_and_a_slow_upload_hold_nothing_up(instance: Served) -> None:
    who = participant(instance)
    key = runner_key(instance)

    async def main() -> tuple[list[int], list[bool]]:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        headers = {"Authorization": f"Bearer {key}", "Arbitre-Protocol": "1"}
        async with httpx.AsyncClient(base_url=instance.url, timeout=60, limits=limits) as http:
            claim = {"queues": ["predict"], "capacity": 1}
            claims = [
                asyncio.create_task(http.post("/api/v1/runner/claim?wait=8", json=claim, headers=headers))
                for _ in range(200)
            ]
            stop = asyncio.Event()
            upload = asyncio.create_task(http.post(PATH, content=slow_body(stop), headers=bearer(who)))
            await asyncio.sleep(2)
            pages = [(await http.get(path)).status_code for path in ("/api/v1/health", "/api/v1/challenges/tiny")]
            open_still = [task.done() for task in [*claims, upload]]
            stop.set()
            assert (await upload).status_code == 202
            assert {(await task).status_code for task in claims} == {204}
            return pages, open_still

    # In a thread of its own: a browser that another test keeps open may hold this one's event loop.
    with ThreadPoolExecutor(1) as pool:
        pages, done = pool.submit(asyncio.run, main()).result()
    assert pages == [200, 200]
    assert done == [False] * 201


async def slow_body(stop: asyncio.Event) -> Any:
    """A good entry whose last byte comes when `stop` is set."""
    body = scenario.entry(CASES)
    yield body[:50]
    await stop.wait()
    yield body[50:]


def bearer(who: Person) -> dict[str, str]:
    return {"Authorization": who.http.headers["Authorization"]}


def runner_key(instance: Served) -> str:
    """The key of a runner registered by hand."""
    with instance.database.write_session() as session:
        token = runners.add_token(session, now=dt.datetime.now(dt.UTC))
    body = {
        "name": "waiting",
        "public_key": base64.b64encode(public_bytes(Ed25519PrivateKey.generate())).decode(),
        "queues": ["predict"],
    }
    headers = {"Authorization": f"Bearer {token}", "Arbitre-Protocol": "1"}
    key: str = scenario.said(httpx.post(f"{instance.url}/api/v1/runner/register", json=body, headers=headers))["key"]
    return key
