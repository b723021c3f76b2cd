"""The runner against a real HTTP server that speaks the protocol, with real sandboxes."""

import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sandbox_runner import bubblewrap, loop
from sandbox_runner.cache import Cache
from sandbox_runner.client import Client, Refused
from sandbox_runner.contract import Claim, Claimed, Finish
from sandbox_runner.loop import Runner, Settings
from sandbox_runner.pool import Pool
from tests.sandbox_runner.protocol import KEY, ONE_TIME, Job, Server, wait_until
from tests.sandbox_runner.risk import check_files, job_files

pytestmark = pytest.mark.sandbox

ROOT = Path(__file__).resolve().parents[2]
LIMITS = {"wall_s": 20, "cpu_s": 20, "memory_mb": 1024}
SIGNER = Ed25519PrivateKey.generate()
BAD = b"id,risk\n" + b"".join(b"p%d,nan\n" % i for i in range(60))


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    server.public_key = SIGNER.public_key().public_bytes_raw()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool(bubblewrap.layout(), size=2)
    yield pool
    pool.close()


@pytest.fixture
def runner(server: Server, pool: Pool, tmp_path: Path) -> Iterator[Callable[[], threading.Thread]]:
    """Starts a runner of two slots in a thread; it is stopped with the test."""
    stop, threads, clients = threading.Event(), [], []
    settings = Settings(KEY, SIGNER, ("check", "score"), 2)

    def start() -> threading.Thread:
        clients.append(Client(server.url, stop=stop))
        work = Runner(clients[-1], pool, Cache(tmp_path / "cache"), settings, stop)
        threads.append(threading.Thread(target=work.run))
        threads[-1].start()
        return threads[-1]

    yield start
    stop.set()
    for thread in threads:
        thread.join(15)
        assert not thread.is_alive()
    for thread in threading.enumerate():
        if thread.name.startswith("slot-"):
            thread.join(5)
    for client in clients:
        client.close()


def finish_of(job: Job) -> Finish:
    """The one report of a job."""
    assert len(job.finishes) == 1
    return Finish.model_validate(job.finishes[0])


def score_job(name: str, **more: object) -> Job:
    """A job that is scored."""
    return Job(name, "score", job_files(), LIMITS, **more)  # type: ignore[arg-type]


def endless(name: str, **more: object) -> Job:
    """A job of a minute: sixty thousand resamples."""
    limits = {"wall_s": 300, "cpu_s": 300, "memory_mb": 6000}
    return Job(name, "score", job_files(5_000, replicates=60_000), limits, **more)  # type: ignore[arg-type]


def test_scores_checks_and_refuses(server: Server, runner: Callable[[], object], tmp_path: Path) -> None:
    good, check = score_job("good"), Job("check", "check", check_files(job_files()), LIMITS)
    bad = Job("bad", "score", job_files(entry=BAD), LIMITS)
    for job in (good, check, bad):
        server.add(job)
    runner()
    assert server.done(good, check, bad)
    scored, checked, refused = finish_of(good), finish_of(check), finish_of(bad)
    assert [finish.outcome for finish in (scored, checked, refused)] == ["ok", "ok", "invalid"]
    assert [value.slice for value in scored.values] == ["all", "split:public", "split:private"]
    assert scored.values[0].value is not None
    assert scored.detail.sha256 == hashlib.sha256(good.files["entry"]).hexdigest()
    assert {ref.role: ref.sha256 for ref in scored.blobs} == {
        role: hashlib.sha256(blob).hexdigest() for role, blob in good.blobs.items()
    }
    with np.load(io.BytesIO(good.blobs["replicates"]), allow_pickle=False) as replicates:
        assert {name: replicates[name].shape for name in replicates.files} == {
            f"auroc.auroc|{part}": (20,) for part in ("all", "split:public", "split:private")
        }
    assert (checked.values, checked.blobs, checked.detail.counts["rows"]) == ([], [], 60)
    assert (refused.detail.total, refused.detail.issues[0].code, refused.values) == ({"E-NAN": 60}, "E-NAN", [])
    kept = sorted(path.name for path in (tmp_path / "cache").iterdir())
    shared = {hashlib.sha256(good.files[role]).hexdigest() for role in good.files if role != "entry"}
    assert kept == sorted(shared)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "cache").iterdir()} == {0o600}


def test_a_faulty_job_does_not_take_the_runner_down(server: Server, runner: Callable[[], object]) -> None:
    broken = {**job_files(), "spec": b"{}"}
    unknown, faulty = Job("unknown", "predict", job_files(), LIMITS), Job("faulty", "score", broken, LIMITS)
    leaky = Job("leaky", "check", job_files(), LIMITS)
    strange = Job("strange", "score", {**job_files(), "../../etc/passwd": b""}, LIMITS)
    good = score_job("good")
    for job in (unknown, faulty, leaky, strange, good):
        server.add(job)
    runner()
    assert server.done(unknown, faulty, leaky, good)
    assert [finish_of(job).outcome for job in (unknown, faulty, leaky, good)] == [*["internal"] * 3, "ok"]
    assert re.fullmatch(r"ValueError at scoring/spec\.py:\d+", finish_of(faulty).detail.message or "")
    assert "reference/risks" in (finish_of(leaky).detail.message or "")
    assert (strange.state, strange.finishes) == ("leased", [])


def test_a_damaged_reference_is_ours_and_quotes_no_label(server: Server, runner: Callable[[], object]) -> None:
    files = {**job_files(), "reference/risks": b"id,label\n" + b"p0,SECRET\n" * 2}
    job = server.add(Job("damaged", "score", files, LIMITS))
    runner()
    assert server.done(job)
    finish = finish_of(job)
    assert finish.outcome == "internal"
    assert (finish.detail.message or "").startswith("The reference cannot be used: ")
    assert "SECRET" not in json.dumps(job.finishes)


def test_cut_connections_are_tried_again(server: Server, runner: Callable[[], object]) -> None:
    server.cut.update({"claim": 0, "blob": 2, "finish": 2})
    server.damage = 1
    job = server.add(score_job("cut"))
    runner()
    assert server.done(job)
    assert wait_until(lambda: server.calls["finish"] == 3)
    assert {json.dumps(body) for body in job.finishes} == {json.dumps(job.finishes[0])}
    assert (len(job.finishes), job.finishes[0]["outcome"], server.calls["blob"]) == (3, "ok", 4)


def test_a_blob_that_stays_damaged_is_ours(
    server: Server, runner: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_FETCH_S", 1.0)
    server.damage = 1_000
    job = server.add(score_job("damage"))
    runner()
    assert server.done(job)
    assert (finish_of(job).outcome, finish_of(job).detail.message) == (
        "internal",
        "An input could not be fetched: The input spec is not the blob that the job names.",
    )


def test_heartbeats_keep_the_lease_and_carry_cancel(server: Server, runner: Callable[[], object]) -> None:
    job = server.add(endless("long", lease_s=0.6))
    runner()
    assert wait_until(lambda: job.heartbeats >= 3)
    job.cancel = True
    assert server.done(job, within_s=5)
    assert (finish_of(job).outcome, finish_of(job).detail.message) == ("internal", "The server cancelled the job.")


def test_a_stale_job_is_dropped_without_a_word(server: Server, runner: Callable[[], object], pool: Pool) -> None:
    job = server.add(endless("stale", lease_s=0.6))
    runner()
    assert wait_until(lambda: job.heartbeats >= 1)
    at_work = [sandbox for sandbox in pool._taken if sandbox.alive]
    job.stale = True
    assert wait_until(lambda: server.calls["stale"] >= 1)
    assert wait_until(lambda: not any(sandbox.alive for sandbox in at_work))
    after = server.add(score_job("after"))
    assert server.done(after)
    assert (job.finishes, job.state) == ([], "leased")


def test_a_stale_report_is_dropped(server: Server, runner: Callable[[], object]) -> None:
    job = server.add(score_job("late", stale_after="blob"))
    runner()
    assert wait_until(lambda: server.calls["stale"] >= 1)
    after = server.add(score_job("after"))
    assert server.done(after)
    assert (job.finishes, list(job.blobs)) == ([], ["replicates"])


def test_two_jobs_run_at_once(server: Server, runner: Callable[[], object]) -> None:
    pair = [server.add(endless(name, lease_s=0.6)) for name in ("one", "two")]
    runner()
    assert wait_until(lambda: all(job.heartbeats >= 2 for job in pair))
    for job in pair:
        job.cancel = True
    assert server.done(*pair, within_s=5)


def cli(*arguments: str, **more: str) -> subprocess.Popen[str]:
    """The real program."""
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox_runner.cli", *arguments],
        cwd=ROOT, env={"PATH": os.environ["PATH"], **more}, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_registers_works_once_and_needs_no_token_again(server: Server, tmp_path: Path) -> None:
    state = tmp_path / "state"
    for number, token in enumerate(({"ARBITRE_RUNNER_TOKEN": ONE_TIME}, {})):
        job = server.add(score_job(f"job-{number}"))
        process = cli("start", "--server", server.url, "--state", str(state), "--name", "first", "--once", **token)
        _, log = process.communicate(timeout=60)
        assert process.returncode == 0, log
        assert finish_of(job).outcome == "ok"
        events = [json.loads(line) for line in log.splitlines()]
        assert [event["event"] for event in events] == ["runner started", "job reported"]
        assert events[1]["job"] == job.id
    assert [request["name"] for request in server.registrations] == ["first"]
    assert state.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in state.iterdir() if path.is_file()} == {0o600}


def test_a_server_that_forgot_the_runner_gets_it_back_with_a_token(server: Server, tmp_path: Path) -> None:
    arguments = ("start", "--server", server.url, "--state", str(tmp_path / "state"), "--once")
    cli("register", *arguments[1:5], ARBITRE_RUNNER_TOKEN=ONE_TIME).communicate(timeout=60)
    server.known = False
    without = cli(*arguments)
    _, text = without.communicate(timeout=60)
    assert (without.returncode, text.splitlines()[-1]) == (4, "The server answered 401: This runner is unknown.")
    job = server.add(score_job("again"))
    process = cli(*arguments, ARBITRE_RUNNER_TOKEN=ONE_TIME)
    process.communicate(timeout=60)
    assert (process.returncode, finish_of(job).outcome, len(server.registrations)) == (0, "ok", 2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_seconds_and_gives_the_job_back(
    server: Server, tmp_path: Path, number: signal.Signals
) -> None:
    job = server.add(endless("long"))
    process = cli("start", "--server", server.url, "--state", str(tmp_path / "s"), ARBITRE_RUNNER_TOKEN=ONE_TIME)
    assert wait_until(lambda: job.state == "leased", 30)
    time.sleep(0.5)
    began = time.monotonic()
    process.send_signal(number)
    process.communicate(timeout=20)
    assert (process.returncode, time.monotonic() - began < 10) == (0, True)
    assert (finish_of(job).outcome, finish_of(job).detail.message) == (
        "internal",
        "The runner was stopped before the job was done; it runs again.",
    )


def test_a_killed_runner_leaves_nothing_behind(server: Server, tmp_path: Path) -> None:
    job = server.add(endless("long"))
    process = cli("start", "--server", server.url, "--state", str(tmp_path / "s"), ARBITRE_RUNNER_TOKEN=ONE_TIME)
    assert wait_until(lambda: job.state == "leased", 30)
    time.sleep(0.5)
    children = _descendants(process.pid)
    process.kill()
    process.communicate(timeout=20)
    assert len(children) >= 3
    assert wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))
    assert [path.name for path in (tmp_path / "s" / "cache").iterdir() if path.name.startswith("new-")] == []


def test_another_protocol_version_ends_it_with_a_sentence(server: Server, tmp_path: Path) -> None:
    server.supported = [2, 3]
    process = cli("start", "--server", server.url, "--state", str(tmp_path / "s"), ARBITRE_RUNNER_TOKEN=ONE_TIME)
    _, log = process.communicate(timeout=60)
    assert log.splitlines()[-1] == "This runner speaks protocol 1, the server 2 to 3. Update the runner."
    assert process.returncode == 2


def test_redirects_and_foreign_addresses_are_refused(server: Server) -> None:
    client = Client(server.url)
    server.redirect = "http://elsewhere.example/"
    with pytest.raises(Refused) as refused:
        client.claim(KEY, Claim(queues=["check"], capacity=1))
    assert str(refused.value) == "The server redirects to http://elsewhere.example/. Give that address instead."
    claimed = Claimed.model_validate(score_job("x").claimed())
    for url in ("http://elsewhere.example/a", "//elsewhere.example/a", "/api/v1/runner/jobs/y/inputs/spec"):
        item = claimed.inputs[0].model_copy(update={"url": url})
        with pytest.raises(Refused):
            client.fetch(claimed, item, io.BytesIO(), patience_s=0)
    client.close()


def test_no_server_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = cli("register", "--server", "http://127.0.0.1:9", "--state", str(tmp_path / "s"))
    _, text = process.communicate(timeout=60)
    assert (process.returncode, text) == (
        2,
        f"{tmp_path}/s is not registered. Give the token that `arbitre admin runner add` prints.\n",
    )


def _descendants(pid: int) -> list[int]:
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(status.parent.name)] = int(fields[1])
    found, new = [], [pid]
    while new:
        new = [child for child, parent in parents.items() if parent in new]
        found += new
    return found
