"""The runner protocol over real HTTP, on both databases."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select

from app.db import blobs as blob_rows
from app.db.blobs import Blob
from app.db.engine import open_database
from app.db.evaluations import Evaluation
from app.db.jobs import Job
from app.db.runners import Runner
from app.db.submissions import Submission
from app.db.tables import metadata
from app.http import wake
from app.services import jobs, runners
from sandbox_runner.contract import BlobRef, Claimed, Finish
from tests.app import world
from tests.serving import Served, served

PROTOCOL = {"Arbitre-Protocol": "1"}
ENTRY = b"id,risk\n1,0.5\n"


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, module_database_url: str) -> Iterator[Served]:
    data = tmp_path_factory.mktemp("data")
    with served(data, database_url=module_database_url, lease_s=1, claim_wait_s=5) as server:
        yield server


@pytest.fixture
def instance(server: Served) -> Served:
    """The server, with empty tables."""
    with server.database.write_session() as session:
        for table in reversed(metadata.sorted_tables):
            if table.name != "sites":
                session.execute(table.delete())
    return server


@dataclass(frozen=True)
class Caller:
    """A registered runner, as the server meets it."""

    http: httpx.Client
    key: str
    signer: Ed25519PrivateKey

    def claim(self, wait: float = 0, queues: tuple[str, ...] = ("check", "score")) -> httpx.Response:
        body = {"queues": queues, "capacity": 1, "versions": {"arbitre": "0.1.0"}}
        return self.http.post(f"/claim?wait={wait}", json=body, headers=bearer(self.key))

    def job(self, wait: float = 0) -> Claimed:
        answer = self.claim(wait)
        assert answer.status_code == 200, answer.text
        return Claimed.model_validate_json(answer.content)

    def finish(self, job: Claimed, body: bytes, signature: bytes | None = None) -> httpx.Response:
        signed = base64.b64encode(self.signer.sign(body) if signature is None else signature).decode()
        headers = bearer(job.token) | {"X-Signature": signed, "Content-Type": "application/json"}
        return self.http.post(f"/jobs/{job.job}/finish", content=body, headers=headers)

    def put(self, job: Claimed, role: str, blob: bytes, **headers: str) -> httpx.Response:
        return self.http.put(f"/jobs/{job.job}/blobs/{role}", content=blob, headers=bearer(job.token) | headers)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def registration(signer: Ed25519PrivateKey, **changes: Any) -> dict[str, Any]:
    public = base64.b64encode(signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    return {"name": "one", "public_key": public, "queues": ["check", "score"]} | changes


@pytest.fixture
def http(instance: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{instance.url}/api/v1/runner", headers=PROTOCOL, timeout=30) as http:
        yield http


@pytest.fixture
def token(instance: Served) -> str:
    with instance.database.write_session() as session:
        return runners.add_token(session, now=now())


@pytest.fixture
def caller(http: httpx.Client, token: str) -> Caller:
    signer = Ed25519PrivateKey.generate()
    answer = http.post("/register", json=registration(signer), headers=bearer(token))
    assert answer.status_code == 201, answer.text
    return Caller(http, answer.json()["key"], signer)


def submit(instance: Served, *, name: str = "a") -> uuid.UUID:
    """A queued entry with real bytes; the id of its job."""
    stored = instance.parts.blobs.write("entries", [ENTRY])
    with instance.database.write_session() as session:
        here = world.make(session)
        _, job = world.submit(session, here, world.team(session, here, name), now=now())
        blob = blob_rows.record(session, store="entries", sha256=stored.sha256, size=stored.size, now=now())
        job.payload = {"inputs": {"entry": blob.id.hex}, "spec_digest": "1" * 64, "limits": {"output_mb": 1}}
    return job.id


def codes(*answers: httpx.Response) -> list[tuple[int, str]]:
    return [(answer.status_code, answer.json().get("code", "")) for answer in answers]


def test_a_token_registers_one_runner(http: httpx.Client, token: str, instance: Served) -> None:
    signer = Ed25519PrivateKey.generate()
    bad = http.post("/register", json=registration(signer, public_key="A" * 44), headers=bearer(token))
    good = http.post("/register", json=registration(signer, queues=["score", "house"]), headers=bearer(token))
    again = http.post("/register", json=registration(signer), headers=bearer(token))
    nobody = http.post("/register", json=registration(signer))
    assert codes(bad, again, nobody) == [(422, "E-INVALID"), (401, "E-SIGN-IN"), (401, "E-SIGN-IN")]
    with instance.database.read_session() as session:
        (runner,) = session.scalars(select(Runner))
        assert (str(runner.id), runner.name, runner.queues) == (good.json()["runner_id"], "one", ["score"])


def test_a_token_opens_nothing_after_a_day(http: httpx.Client, instance: Served) -> None:
    with instance.database.write_session() as session:
        old = runners.add_token(session, now=now() - dt.timedelta(hours=25))
    answer = http.post("/register", json=registration(Ed25519PrivateKey.generate()), headers=bearer(old))
    assert codes(answer) == [(401, "E-SIGN-IN")]


@pytest.mark.parametrize("version", ["", "0", "2", "one"])
def test_another_protocol_version_is_told_which_are_spoken(caller: Caller, version: str) -> None:
    answer = caller.http.post("/claim", json={}, headers=bearer(caller.key) | {"Arbitre-Protocol": version})
    assert (answer.status_code, answer.json()["supported"]) == (426, [1, 1])


def test_claiming_needs_a_key_and_a_queue(caller: Caller, instance: Served) -> None:
    assert codes(caller.claim(queues=("house",))) == [(403, "E-NOT-ALLOWED")]
    with instance.database.write_session() as session:
        session.scalars(select(Runner)).one().revoked_at = now()
    assert codes(caller.claim(), Caller(caller.http, "run_wrong", caller.signer).claim()) == [(401, "E-SIGN-IN")] * 2


def test_a_job_from_claim_to_report(caller: Caller, instance: Served) -> None:
    job_id = submit(instance)
    assert caller.claim(queues=("check",)).status_code == 204
    job = caller.job()
    assert (job.job, job.kind, job.attempt, job.lease_s, job.spec_digest) == (str(job_id), "score", 1, 1, "1" * 64)
    (entry,) = job.inputs
    path = f"/api/v1/runner/jobs/{job_id}/inputs/entry"
    assert entry.model_dump() == {
        "role": "entry",
        "sha256": hashlib.sha256(ENTRY).hexdigest(),
        "size": len(ENTRY),
        "url": path,
    }
    read = caller.http.get(f"{instance.url}{path}", headers=bearer(job.token))
    assert read.content == ENTRY
    replicates = b"npz" * 1000
    stored = caller.put(job, "replicates", replicates)
    digest = hashlib.sha256(replicates).hexdigest()
    assert stored.json() == {"sha256": digest, "size": 3000}
    report = world.scored(0.9).model_copy(update={"blobs": [BlobRef(role="replicates", sha256=digest)]})
    body = report.model_dump_json().encode()
    assert [caller.finish(job, body).json() for _ in range(2)] == [{"state": "done"}] * 2
    with instance.database.read_session() as session:
        evaluation = session.scalars(select(Evaluation)).one()
        blob = session.get_one(Blob, evaluation.replicates_id)
        assert (blob.store, blob.sha256, evaluation.scorer_version) == ("reference", digest, "0.1.0")
        assert session.scalars(select(Submission.state)).all() == ["scored"]
    assert instance.parts.blobs.path("reference", digest).read_bytes() == replicates


def carrying(role: str, data: bytes, *, named: bytes | None = None) -> bytes:
    """A report that carries an output itself."""
    digest = hashlib.sha256(data if named is None else named).hexdigest()
    ref = BlobRef.model_validate({"role": role, "sha256": digest, "data": base64.b64encode(data)})
    return world.scored(0.9).model_copy(update={"blobs": [ref]}).model_dump_json().encode()


def test_a_report_may_carry_its_outputs(caller: Caller, instance: Served) -> None:
    submit(instance)
    job, replicates = caller.job(), b"npz" * 1000
    assert job.carried_bytes == 600_000
    other = caller.finish(job, carrying("replicates", replicates, named=b"something else"))
    large = caller.finish(job, carrying("replicates", bytes(600_001)))
    assert codes(other, large) == [(422, "E-INVALID")] * 2
    body = carrying("replicates", replicates)
    assert [caller.finish(job, body).json() for _ in range(2)] == [{"state": "done"}] * 2
    assert codes(caller.finish(job, carrying("case_table", replicates))) == [(409, "E-STALE")]
    with instance.database.read_session() as session:
        blob = session.get_one(Blob, session.scalars(select(Evaluation)).one().replicates_id)
    assert (blob.store, blob.sha256) == ("reference", hashlib.sha256(replicates).hexdigest())
    assert instance.parts.blobs.path("reference", blob.sha256).read_bytes() == replicates


def test_a_report_that_is_refused_stores_nothing_of_what_it_carries(caller: Caller, instance: Served) -> None:
    submit(instance)
    job, kept = caller.job(), set(secrets_of(instance))
    named = BlobRef(role="case_table", sha256=hashlib.sha256(b"").hexdigest())
    whole = Finish.model_validate_json(carrying("replicates", b"one"))
    unsent = whole.model_copy(update={"blobs": [*whole.blobs, named]}).model_dump_json().encode()
    other = caller.finish(job, carrying("replicates", b"two", named=b"something else"))
    assert (codes(other, caller.finish(job, unsent)), set(secrets_of(instance))) == ([(422, "E-INVALID")] * 2, kept)
    assert caller.finish(job, world.scored(0.9).model_dump_json().encode()).json() == {"state": "done"}
    assert codes(caller.finish(job, carrying("replicates", b"three"))) == [(409, "E-STALE")]
    assert set(secrets_of(instance)) == kept


def secrets_of(instance: Served) -> list[Path]:
    """All files of the store that outputs are kept in."""
    return [path for path in (instance.parts.blobs.secret_root / "reference").glob("*/*") if path.is_file()]


def test_a_job_token_opens_exactly_that_job(caller: Caller, instance: Served) -> None:
    submit(instance)
    job = caller.job()
    path = f"/jobs/{job.job}/inputs"
    other = f"/jobs/{uuid.uuid4()}/inputs/entry"
    answers = [
        caller.http.get(f"{path}/reference/risks", headers=bearer(job.token)),
        caller.http.get(f"{path}/entry", headers=bearer(caller.key)),
        caller.http.get(other, headers=bearer(job.token)),
        caller.http.get(f"{path}/entry"),
    ]
    assert codes(*answers) == [(404, "E-NOT-FOUND"), (409, "E-STALE"), (409, "E-STALE"), (401, "E-SIGN-IN")]


def test_a_report_must_be_signed_small_and_of_this_protocol(caller: Caller, instance: Served) -> None:
    submit(instance)
    job, body = caller.job(), world.scored(0.9).model_dump_json().encode()
    answers = [
        caller.finish(job, body, signature=b""),
        caller.finish(job, body, signature=Ed25519PrivateKey.generate().sign(body)),
        caller.finish(job, body + b" " * 2**20),
        caller.finish(job, b'{"outcome": "splendid"}'),
    ]
    expected = [(403, "E-SIGNATURE"), (403, "E-SIGNATURE"), (413, "E-TOO-LARGE"), (422, "E-INVALID")]
    assert codes(*answers) == expected
    assert caller.finish(job, body).json() == {"state": "done"}


def test_an_output_is_capped_and_checked(caller: Caller, instance: Served) -> None:
    submit(instance)
    job = caller.job()
    big = caller.put(job, "case_table", b"x" * (2**20 + 1))
    changed = caller.put(job, "case_table", b"xy", **{"X-Sha256": "0" * 64})
    unknown = caller.put(job, "secrets", b"xy")
    stale = caller.put(job.model_copy(update={"token": "job_old"}), "case_table", b"xy")
    assert codes(big, changed, unknown, stale) == [
        (413, "E-TOO-LARGE"),
        (422, "E-INVALID"),
        (422, "E-INVALID"),
        (409, "E-STALE"),
    ]


def test_a_frozen_runner_is_refused_and_the_new_attempt_counts(caller: Caller, instance: Served) -> None:
    submit(instance)
    frozen, body = caller.job(), world.scored(0.1).model_dump_json().encode()
    other = caller.job(wait=5)
    assert other.attempt == 2
    beat = caller.http.post(f"/jobs/{frozen.job}/heartbeat", json={}, headers=bearer(frozen.token))
    assert codes(beat, caller.finish(frozen, body)) == [(409, "E-STALE")] * 2
    assert caller.finish(other, world.scored(0.9).model_dump_json().encode()).json() == {"state": "done"}


def test_heartbeats_keep_a_job_and_carry_the_cancel(caller: Caller, instance: Served) -> None:
    submit(instance)
    job = caller.job()
    answers = []
    for _ in range(3):
        time.sleep(0.5)
        answers.append(caller.http.post(f"/jobs/{job.job}/heartbeat", json={}, headers=bearer(job.token)).json())
    assert answers == [{"cancel": False, "lease_s": 1.0}] * 3
    with instance.database.write_session() as session:
        submission = session.scalars(select(Submission)).one()
        jobs.cancel_for(session, submission_id=submission.id, now=now())
    stop = caller.http.post(f"/jobs/{job.job}/heartbeat", json={}, headers=bearer(job.token))
    assert stop.json() == {"cancel": True, "lease_s": 1.0}


def waiting_claims(caller: Caller, count: int = 1, wait: float = 5) -> tuple[list[threading.Thread], list[int]]:
    """Claims that wait, each in a thread, and the statuses they got. A job that one gets is done at once."""
    got: list[int] = []

    def claim() -> None:
        with httpx.Client(base_url=caller.http.base_url, headers=PROTOCOL, timeout=30) as http:
            mine = Caller(http, caller.key, caller.signer)
            answer = mine.claim(wait=wait)
            got.append(answer.status_code)
            if answer.status_code == 200:
                job = Claimed.model_validate_json(answer.content)
                mine.finish(job, world.scored(0.9).model_dump_json().encode())

    threads = [threading.Thread(target=claim) for _ in range(count)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    return threads, got


def test_a_waiting_claim_is_woken_by_what_this_server_writes(
    caller: Caller, instance: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake, "POLL_S", 60)
    (thread,), got = waiting_claims(caller)
    submit(instance)
    instance.parts.wake.notify()
    thread.join()
    assert got == [200]


def test_a_waiting_claim_gets_a_job_that_another_process_writes(
    caller: Caller, instance: Served, module_database_url: str
) -> None:
    (thread,), got = waiting_claims(caller)
    other = open_database(module_database_url)
    with other.write_session() as session:
        here = world.make(session)
        world.submit(session, here, world.team(session, here, "a"), now=now())
    other.dispose()
    thread.join()
    assert got == [200]


def test_a_claim_whose_runner_hung_up_takes_no_job(caller: Caller, instance: Served) -> None:
    with pytest.raises(httpx.ReadTimeout):
        body = {"queues": ["score"], "capacity": 1}
        caller.http.post("/claim?wait=5", json=body, headers=bearer(caller.key), timeout=0.5)
    submit(instance)
    instance.parts.wake.notify()
    time.sleep(0.3)
    assert caller.job().attempt == 1


def test_a_revoked_runner_loses_the_job_that_it_holds(caller: Caller, instance: Served) -> None:
    submit(instance)
    job = caller.job()
    entry = next(one for one in job.inputs if one.role == "entry")
    with instance.database.write_session() as session:
        session.scalars(select(Runner)).one().revoked_at = now()
    answers = [
        caller.claim(),
        caller.http.get(entry.url.removeprefix("/api/v1/runner"), headers=bearer(job.token)),
        caller.http.post(f"/jobs/{job.job}/heartbeat", json={}, headers=bearer(job.token)),
        caller.put(job, "replicates", b"x"),
        caller.finish(job, world.scored(0.5).model_dump_json().encode()),
    ]
    assert [answer.status_code for answer in answers] == [401, 409, 409, 409, 409]


def test_waiting_claims_share_what_there_is(caller: Caller, instance: Served) -> None:
    threads, got = waiting_claims(caller, 6, wait=2)
    with instance.database.write_session() as session:
        here = world.make(session)
        for name in "abc":
            world.submit(session, here, world.team(session, here, name), now=now())
    instance.parts.wake.notify()
    for thread in threads:
        thread.join()
    assert sorted(got) == [200, 200, 200, 204, 204, 204]
    with instance.database.read_session() as session:
        assert session.scalars(select(Job.attempt).where(Job.queue == "score")).all() == [1, 1, 1]
