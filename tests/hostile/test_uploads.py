"""Uploads in pieces under bad luck: killed servers, full disks, many senders at once, the minutes around a close."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from app.db.engine import Database, open_database
from app.domain.access import Actor
from app.errors import AppError
from app.files import partial
from app.files.blobs import Stored, open_blobs
from app.http.transaction import Parts
from app.http.wake import Wake
from app.services import challenges, schedule, uploads
from app.services.admissions import Request
from app.settings import Settings
from tests import crowd, scenario
from tests.cli.flaky import network
from tests.crowd import Crowd
from tests.instance import organiser
from tests.newcomers import newcomer
from tests.scenario import Person, until
from tests.serving import Served, served

CASES = scenario.cases()
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = TUS | {"Content-Type": "application/offset+octet-stream"}
PROGRAM = """
import sys, uvicorn
from app.main import create_app
uvicorn.run(create_app(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""
MIB = 1 << 20
ROOT = Path(__file__).resolve().parents[2]


class Process:
    """A server in a process of its own, which can be killed and started again at the same address."""

    def __init__(self, data: Path) -> None:
        self.data = data
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        settings = Settings(data=data, keep_free=0)
        parts = Parts(settings, open_database(settings.database), open_blobs(settings), Wake())
        self.served = Served(f"http://127.0.0.1:{self.port}", parts)
        self.start()

    def start(self) -> None:
        environment = os.environ | {
            "ARBITRE_DATA": str(self.data),
            "ARBITRE_RATE_LIMITS": "0",
            "ARBITRE_KEEP_FREE": "0",
        }
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(self.port)], env=environment)
        until(self._answers, seconds=30, every=0.05)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.served.url}/api/v1/health").is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def forget_most_memory(self) -> None:
        """Count from now on: hashing a password takes more than any upload."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def most_memory(self) -> int:
        """The most that the process held since, in bytes."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024


@pytest.fixture
def process(tmp_path: Path, sqlite_template: Path) -> Iterator[Process]:
    (tmp_path / "arbitre.sqlite3").write_bytes(sqlite_template.read_bytes())
    process = Process(tmp_path)
    try:
        yield process
    finally:
        process.kill()
        process.served.database.dispose()


def participant(instance: Served, *, megabytes: int = 50) -> Person:
    """A team in a fresh challenge `tiny` whose entries may have so many megabytes."""
    files = scenario.folder(CASES)
    limits = f"limits = {{ size_mb = {megabytes} }}\nquotas =".encode()
    files["challenge.toml"] = files["challenge.toml"].replace(b"quotas =", limits)
    scenario.publish(organiser(instance), files)
    return newcomer(instance, "ada")


def created(who: Person, length: int, sha256: str = "") -> str:
    said = {"challenge": "tiny", "phase": "main"} | ({"sha256": sha256} if sha256 else {})
    coded = ",".join(f"{key} {base64.b64encode(text.encode()).decode()}" for key, text in said.items())
    answer = who.http.post("/uploads", headers=TUS | {"Upload-Length": str(length), "Upload-Metadata": coded})
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"].removeprefix("/api/v1")


def patch(who: Person, address: str, offset: int, data: Any) -> httpx.Response:
    return who.http.patch(address, content=data, headers=PIECE | {"Upload-Offset": str(offset)})


def offset(who: Person, address: str) -> int:
    return int(who.http.head(address, headers=TUS).headers["Upload-Offset"])


def enter(who: Person, address: str) -> Any:
    return who.post("/challenges/tiny/phases/main/submissions", json={"upload_id": address.rsplit("/", 1)[-1]})


def begun(who: Person, address: str, *, at: int, length: int) -> socket.socket:
    """A connection on which the head of a PATCH of `length` bytes was sent."""
    target = urlsplit(str(who.http.base_url))
    connection = socket.create_connection((target.hostname, target.port), timeout=30)
    lines = [f"PATCH /api/v1{address} HTTP/1.1", f"Host: {target.netloc}", f"Content-Length: {length}"]
    lines += [f"{key}: {value}" for key, value in PIECE.items()]
    lines += [f"Upload-Offset: {at}", f"Authorization: {who.http.headers['Authorization']}", "", ""]
    connection.sendall("\r\n".join(lines).encode())
    return connection


def noise(size: int, seed: int = 1) -> bytes:
    """`size` bytes that do not repeat."""
    return hashlib.shake_128(str(seed).encode()).digest(size)


def test_a_server_that_is_killed_keeps_what_it_has_told(process: Process) -> None:
    """SIGKILL in the middle of a piece: the offset is what lies on disk, and the upload goes on from there."""
    who, data = participant(process.served), noise(6 * MIB)
    address = created(who, len(data), hashlib.sha256(data).hexdigest())
    assert patch(who, address, 0, data[:MIB]).status_code == 204
    with begun(who, address, at=MIB, length=len(data) - MIB) as connection:
        connection.sendall(data[MIB : 4 * MIB])
        until(lambda: offset(who, address) >= 3 * MIB)
        process.kill()
    process.start()
    there = offset(who, address)
    assert 3 * MIB <= there <= 4 * MIB
    assert patch(who, address, there, data[there:]).status_code == 204
    assert enter(who, address)["sha256"] == hashlib.sha256(data).hexdigest()


def test_a_server_killed_before_it_noted_the_end(process: Process) -> None:
    """All bytes are on disk, nothing says that they are whole: entering finds out."""
    who, data = participant(process.served), noise(MIB)
    address = created(who, len(data), hashlib.sha256(data).hexdigest())
    held = partial.hold(process.served.parts.blobs, uuid.UUID(address[-36:]))
    held.write(data)
    held.close()
    assert offset(who, address) == len(data)
    assert enter(who, address)["sha256"] == hashlib.sha256(data).hexdigest()


def test_300_megabytes_pass_through_little_memory(process: Process) -> None:
    who, size = participant(process.served, megabytes=400), 300 * MIB
    block = noise(MIB)
    digest = hashlib.sha256()
    for _ in range(300):
        digest.update(block)
    small = created(who, MIB)
    patch(who, small, 0, block)
    enter(who, small)
    process.forget_most_memory()
    before = process.most_memory()
    address = created(who, size, digest.hexdigest())
    assert patch(who, address, 0, (block for _ in range(300))).status_code == 204
    answer = enter(who, address)
    assert (answer["size"], answer["sha256"]) == (size, digest.hexdigest())
    grown = process.most_memory() - before
    assert grown < 16 * MIB, f"{grown / MIB:.0f} MiB more"


def test_the_client_outlives_a_server_that_is_killed(process: Process) -> None:
    """Killed in the middle of a slow upload and started again a moment later; the command never notices more."""
    who, path = participant(process.served), process.data / "large.csv"
    path.write_bytes(noise(20 * MIB))
    with network(process.served.url) as line:
        line.pause_s = 0.01
        environment = {"ARBITRE_SERVER": line.url, "ARBITRE_TOKEN": who.http.headers["Authorization"][7:]}
        places = {name: str(process.data / "home") for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
        command = [sys.executable, "-m", "app.cli", "submit", "tiny", "-f", str(path), "--json"]
        with subprocess.Popen(
            command, env=os.environ | environment | places, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as client:
            folder = process.data / "blobs" / "entries" / "uploads"
            until(lambda: any(file.stat().st_size > 5 * MIB for file in folder.glob("*")), every=0.02)
            process.kill()
            process.start()
            line.pause_s = 0.0
            out, err = client.communicate(timeout=120)
    assert (client.returncode, json.loads(out)["sha256"]) == (0, hashlib.sha256(path.read_bytes()).hexdigest())
    assert b"Trying again in 1 s." in err and b"Going on at " in err
    assert len(who.get("/challenges/tiny/submissions")) == 1


@pytest.fixture
def instance(tmp_path: Path, sqlite_template: Path) -> Iterator[Served]:
    with served(tmp_path, sqlite_template, upload_idle_s=20) as instance:
        yield instance


def test_a_broken_piece_is_kept_to_its_last_byte(instance: Served) -> None:
    who, data = participant(instance), noise(300_000)
    address = created(who, len(data))
    with begun(who, address, at=0, length=len(data)) as connection:
        connection.sendall(data[:200_000])
    until(lambda: offset(who, address) == 200_000)
    assert patch(who, address, 200_000, data[200_000:]).status_code == 204
    assert enter(who, address)["sha256"] == hashlib.sha256(data).hexdigest()


def test_many_senders_of_one_upload_never_mix_their_bytes(instance: Served) -> None:
    """Eight send the same piece at once, piece by piece: one is let in, the others are told why not."""
    who, data, step = participant(instance), noise(4 * MIB), MIB
    address = created(who, len(data), hashlib.sha256(data).hexdigest())
    with ThreadPoolExecutor(8) as pool:
        while (at := offset(who, address)) < len(data):
            piece = data[at : at + step]
            answers = list(pool.map(lambda _, at=at, piece=piece: patch(who, address, at, piece), range(8)))
            codes = sorted(answer.status_code for answer in answers)
            assert (codes[0], set(codes[1:]) <= {409, 423}) == (204, True)
            refused = {answer.json()["code"] for answer in answers if answer.status_code != 204}
            assert refused <= {"E-LOCKED", "E-OFFSET"}
        entered = list(pool.map(lambda _: enter(who, address), range(8)))
    assert len({answer["number"] for answer in entered}) == 1
    assert sum(answer["new"] for answer in entered) == 1
    assert entered[0]["sha256"] == hashlib.sha256(data).hexdigest()


def test_while_one_sends_another_is_told_to_wait(instance: Served) -> None:
    who = participant(instance)
    address = created(who, 10)
    with begun(who, address, at=0, length=10) as connection:
        connection.sendall(b"abc")
        # At an offset that is never right, so that asking too early changes nothing.
        until(lambda: patch(who, address, 9, b"x").status_code == 423)
        waiting = patch(who, address, 0, b"x")
        assert (waiting.json()["code"], waiting.headers["Retry-After"]) == ("E-LOCKED", "1")
        assert who.http.delete(address, headers=TUS).status_code == 423
    until(lambda: offset(who, address) == 3)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_says_so_and_loses_nothing(instance: Served, tmp_path: Path) -> None:
    who, data = participant(instance), noise(3 * MIB)
    address = created(who, len(data), hashlib.sha256(data).hexdigest())
    with small_disk(tmp_path / "blobs" / "entries", "2m") as disk:
        refused = patch(who, address, 0, data)
        assert (refused.status_code, refused.json()["code"]) == (507, "E-DISK-FULL")
        assert refused.json()["detail"] == (
            "The server's disk is full. What arrived of this upload is kept and no quota was used: go on with it "
            "later; the operator can see this."
        )
        there = offset(who, address)
        assert MIB <= there <= 2 * MIB
        with pytest.raises(AssertionError, match="E-DISK-FULL"):
            created(who, 3 * MIB)
        subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
        assert patch(who, address, there, data[there:]).status_code == 204
        assert enter(who, address)["sha256"] == hashlib.sha256(data).hexdigest()


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


# What the clock does, by the services themselves, on both databases.

ENTRY = scenario.entry(crowd.CASES, seed=7)
REQUEST = Request(slug="tiny", phase="main", sha256=hashlib.sha256(ENTRY).hexdigest())
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def one(database: Database, tmp_path: Path) -> Iterator[Crowd]:
    with crowd.crowd(tmp_path, database, day=5) as one:
        drain(one)
        yield one


def drain(one: Crowd) -> None:
    draw = random.Random(1)
    while crowd.score(one, draw):
        pass


def announce(one: Crowd, who: Actor, at: dt.datetime) -> uuid.UUID:
    with one.database.write_session() as session:
        return uploads.create(
            session,
            actor=who,
            request=REQUEST,
            length=len(ENTRY),
            announced="",
            settings=one.settings,
            now=at,
        ).id


def send(one: Crowd, who: Actor, upload_id: uuid.UUID, at: dt.datetime, data: bytes = ENTRY) -> None:
    """All bytes come at `at`."""
    with one.database.write_session() as session:
        view = uploads.touch(session, actor=who, upload_id=upload_id, now=at)
    held = partial.hold(one.blobs, upload_id)
    held.write(data)
    stored = uploads.check_bytes(held, view=view)
    held.close()
    with one.database.write_session() as session:
        uploads.completed(session, upload_id=upload_id, stored=stored, now=at)


def make_entry(one: Crowd, who: Actor, upload_id: uuid.UUID, at: dt.datetime) -> int:
    with one.database.write_session() as session:
        return uploads.enter(
            session,
            actor=who,
            request=REQUEST,
            upload_id=upload_id,
            blobs=one.blobs,
            settings=one.settings,
            now=at,
        ).submission.number


def refusal(act: Any, *args: Any) -> str:
    with pytest.raises(AppError) as refused:
        act(*args)
    return refused.value.code


def close(one: Crowd, at: dt.datetime) -> None:
    with one.database.write_session() as session:
        challenges.close(session, actor=one.chief, slug="tiny", phase="main", now=at)


def tick(one: Crowd, at: dt.datetime) -> dt.datetime | None:
    with one.database.write_session() as session:
        schedule.tick(session, blobs=one.blobs, now=at)
        return crowd.phase_of(session).frozen_at


def on_disk(one: Crowd) -> int:
    return len(list((one.settings.public_blobs / "entries" / "uploads").glob("*")))


def test_announced_before_the_close_and_complete_within_the_grace(one: Crowd) -> None:
    ada = crowd.join(one, "ada", "Ada")
    start = crowd.now()
    upload_id = announce(one, ada, start)
    close(one, closed := start + 10 * MINUTE)
    assert refusal(announce, one, ada, closed + MINUTE) == "E-WINDOW"
    assert tick(one, closed + 14 * MINUTE) is None
    send(one, ada, upload_id, closed + 14 * MINUTE)
    # The bytes were in time; the board waits for their entry, which comes after the grace.
    assert tick(one, closed + 16 * MINUTE) is None
    number = make_entry(one, ada, upload_id, closed + 17 * MINUTE)
    assert make_entry(one, ada, upload_id, closed + 18 * MINUTE) == number
    assert tick(one, closed + 18 * MINUTE) is None
    drain(one)
    assert tick(one, closed + 19 * MINUTE) == closed + 19 * MINUTE


def test_complete_too_late_is_not_entered(one: Crowd) -> None:
    ada = crowd.join(one, "ada", "Ada")
    start = crowd.now()
    upload_id, slow = announce(one, ada, start), announce(one, ada, start)
    close(one, closed := start + 10 * MINUTE)
    late = closed + 15 * MINUTE + dt.timedelta(seconds=1)
    assert refusal(send, one, ada, upload_id, late) == "E-EXPIRED"
    # A piece that began in time and ended late: its bytes are whole, but not in time.
    held = partial.hold(one.blobs, slow)
    held.write(ENTRY)
    held.close()
    with one.database.write_session() as session:
        stored = Stored(hashlib.sha256(ENTRY).hexdigest(), len(ENTRY))
        uploads.completed(session, upload_id=slow, stored=stored, now=late)
    assert refusal(make_entry, one, ada, slow, late) == "E-LATE"


def test_what_is_never_entered_holds_nothing_up_for_long(one: Crowd) -> None:
    ada = crowd.join(one, "ada", "Ada")
    start = crowd.now()
    send(one, ada, announce(one, ada, start), start + MINUTE)
    announce(one, ada, start + MINUTE)
    close(one, closed := start + 10 * MINUTE)
    assert (tick(one, closed + 19 * MINUTE), on_disk(one)) == (None, 1)
    frozen = closed + 21 * MINUTE
    assert (tick(one, frozen), on_disk(one)) == (frozen, 0)


def test_an_upload_that_nobody_goes_on_with_is_dropped_after_a_day(one: Crowd) -> None:
    ada = crowd.join(one, "ada", "Ada")
    start = crowd.now()
    upload_id = announce(one, ada, start)
    send(one, ada, upload_id, start + 60 * MINUTE)
    tick(one, start + dt.timedelta(hours=24))
    assert on_disk(one) == 1
    tick(one, start + dt.timedelta(hours=25, minutes=1))
    assert on_disk(one) == 0
    assert refusal(make_entry, one, ada, upload_id, start + dt.timedelta(hours=26)) == "E-NOT-FOUND"


def test_an_upload_that_is_kept_up_keeps_its_bytes(one: Crowd) -> None:
    """Its row is renewed, though nobody adds a byte for more than two days."""
    ada = crowd.join(one, "ada", "Ada")
    start, hours = crowd.now(), 0
    upload_id = announce(one, ada, start)
    send(one, ada, upload_id, start)
    for hours in (20, 40, 60):
        with one.database.write_session() as session:
            uploads.touch(session, actor=ada, upload_id=upload_id, now=start + dt.timedelta(hours=hours))
        tick(one, start + dt.timedelta(hours=hours, minutes=1))
    stray = one.settings.public_blobs / "entries" / "uploads" / uuid.uuid4().hex
    stray.write_bytes(b"no row names it")
    tick(one, later := start + dt.timedelta(hours=61))
    assert (on_disk(one), stray.exists()) == (1, False)
    assert make_entry(one, ada, upload_id, later) > 0


def test_a_repetition_lets_nothing_new_in_after_the_close(one: Crowd) -> None:
    """Known bytes may be announced after the close, for their answer was lost; they are no way in for a new entry."""
    ada = crowd.join(one, "ada", "Ada")
    start = crowd.now()
    number = crowd.submit(one, ada, ENTRY)
    close(one, closed := start + 10 * MINUTE)
    upload_id = announce(one, ada, closed + MINUTE)
    send(one, ada, upload_id, closed + 2 * MINUTE)
    with one.database.write_session() as session:
        again = Request(slug="tiny", phase="main", again=True)
        with pytest.raises(AppError) as refused:
            uploads.enter(
                session,
                actor=ada,
                request=again,
                upload_id=upload_id,
                blobs=one.blobs,
                settings=one.settings,
                now=closed + 3 * MINUTE,
            )
    assert refused.value.code == "E-WINDOW"
    assert make_entry(one, ada, upload_id, closed + 4 * MINUTE) == number
