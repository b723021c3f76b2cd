"""Real sandboxes of the tier of whoever runs the tests: what is possible inside, and how they end."""

import ast
import json
import os
import re
import signal
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox_runner import bubblewrap, steps, tasks
from sandbox_runner.bubblewrap import Layout, SandboxUnavailable
from sandbox_runner.contract import Finish, Limits
from sandbox_runner.pool import Pool
from sandbox_runner.sandbox import Sandbox, privileges
from sandbox_runner.steps import Sandboxes

pytestmark = pytest.mark.sandbox

Attempt = Callable[..., Finish]
Opened = Callable[[bytes], int]
QUICK = Limits(wall_s=1, cpu_s=5, memory_mb=512, output_mb=1)


def status_of(pid: int) -> dict[str, list[str]]:
    """The host's account of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.split() for name, _, value in (line.partition(":") for line in lines)}


def request(kind: str) -> bytes:
    """What a sandbox is sent for one of the probe's kinds."""
    limits = {"cpu_s": 5, "memory_mb": 512, "prepare_cpu_s": 5, "prepare_mb": 1024}
    return json.dumps({"kind": kind, "shared": [], "roles": ["entry"], "quote": False, **limits}).encode()


def fork_of(sandbox: Sandbox) -> int:
    """The process that meets the entry, as the host knows it; 0 where there is none."""
    children = Path(f"/proc/{sandbox.pid}/task/{sandbox.pid}/children").read_text().split()
    return int(children[0]) if children else 0


def filters(pid: int) -> int:
    """How many system-call filters hold a process."""
    return int(status_of(pid)["Seccomp_filters"][0]) if pid else 0


def in_background(sandbox: Sandbox, kind: str, file: int, wall_s: float = 20) -> threading.Thread:
    """The sandbox at work, seen from another thread."""
    thread = threading.Thread(
        target=sandbox.run, args=(request(kind), [file]), kwargs={"wall_s": wall_s, "output_bytes": 1 << 20}
    )
    thread.start()
    return thread


def until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether the condition came true in time."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_the_host_sees_a_process_without_any_privilege(start_probe: Callable[..., Sandbox]) -> None:
    sandbox = start_probe()
    status = status_of(sandbox.pid)
    capabilities = [status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")]
    assert capabilities == [["0" * 16]] * 5
    assert (status["Seccomp"], status["NoNewPrivs"], status["Threads"]) == (["2"], ["1"], ["1"])
    assert len(set(status["Uid"])) == 1
    if bubblewrap.tier() == "root":
        assert int(status["Uid"][0]) in range(2_000_000_000, 2_001_048_576)
        assert status["Gid"] == status["Uid"]
        assert status["Groups"] == []
    else:
        assert int(status["Uid"][0]) == os.getuid() != 0
    assert privileges(sandbox.pid) == []


def test_our_own_process_would_not_pass() -> None:
    assert "the system-call filter is not loaded" in privileges(os.getpid())


def test_all_filters_are_loaded_before_a_byte_is_read(start_probe: Callable[..., Sandbox]) -> None:
    sandbox, (read, write) = start_probe(), os.pipe()
    before = filters(sandbox.pid)
    thread = in_background(sandbox, "hang", read)
    assert until(lambda: filters(fork_of(sandbox)) == 3)
    assert (before, filters(sandbox.pid)) == (1, 2)
    sandbox.cancel()
    thread.join()
    os.close(read)
    os.close(write)


def test_two_sandboxes_share_no_namespace_with_us_or_each_other(start_probe: Callable[..., Sandbox]) -> None:
    pids = [os.getpid(), start_probe().pid, start_probe().pid]
    for kind in ("pid", "net", "ipc", "uts", "mnt"):
        try:
            spaces = {str(Path(f"/proc/{pid}/ns/{kind}").readlink()) for pid in pids}
        except PermissionError:  # a user may not look into the namespaces of what gave up more than it has
            pytest.skip("only root can compare namespaces here")
        assert (kind, len(spaces)) == (kind, 3)


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the probe's call numbers are those of x86_64")
def test_every_forbidden_call_does_not_exist(attempt: Attempt) -> None:
    assert attempt("attempts").detail.message == "64 calls; not ENOSYS: {}"


def test_python_finds_nothing_to_reach(attempt: Attempt) -> None:
    seen = ast.literal_eval(attempt("words").detail.message or "")
    assert seen.pop("home").startswith(("[", "ENOENT"))
    assert set(seen.pop("root")) <= {"arbitre", "etc", "lib", "lib64", "usr", "root", "home", "opt", "work", "tmp"}
    assert seen == {
        "environment": [
            "ARROW_DEFAULT_MEMORY_POOL",
            "MKL_NUM_THREADS",
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "PWD",
        ],
        "pid": 3,
        "fork": "ENOSYS",
        "thread": "can't start new thread",
        "socket": "ENOSYS",
        "write": "ENOSYS",
        "write_tmp": "ENOSYS",
        "proc": "ENOENT",
        "dev": "ENOENT",
        "passwd": "ENOENT",
    }


def test_a_file_only_root_may_read_stays_closed(
    start_probe: Callable[..., Sandbox], opened: Opened, tmp_path: Path
) -> None:
    if bubblewrap.tier() != "root":
        pytest.skip("only root has files that only root may read")
    secret = tmp_path / "secret"
    secret.write_text("labels")
    secret.chmod(0o600)
    ended = start_probe((secret, "/secret")).run(request("secret"), [opened(b"")], wall_s=10, output_bytes=1 << 20)
    assert json.loads(ended.answer[4:])["message"] == "EACCES"


def test_parts_of_scipy_may_come_late(attempt: Attempt) -> None:
    finish = attempt("interpret", limits=Limits(wall_s=30, cpu_s=20, memory_mb=1024))
    assert (finish.outcome, finish.detail.message) == ("ok", "1.5")


@pytest.mark.parametrize(
    ("kind", "limits", "outcome", "message"),
    [
        ("spin", QUICK, "time", "It was not done after 1 s, which is all this phase allows."),
        (
            "spin",
            Limits(wall_s=20, cpu_s=1, memory_mb=512),
            "time",
            "It was not done after 1 s of computing, which is all this phase allows.",
        ),
        (
            "shut",
            Limits(wall_s=1, cpu_s=20, memory_mb=512),
            "time",
            "It was not done after 1 s, which is all this phase allows.",
        ),
        (
            "drip",
            Limits(wall_s=1, cpu_s=20, memory_mb=512, output_mb=64),
            "time",
            "It was not done after 1 s, which is all this phase allows.",
        ),
        ("hoard", None, "memory", "It needed more than 512 MiB of memory, which is all this phase allows."),
        ("flood", None, "output", "The answer grew beyond 1 MiB, which is all this phase allows."),
        ("abort", None, "crash", "The program that reads the entry ended without an answer (SIGSEGV)."),
        ("leave", None, "crash", "The program that reads the entry ended without an answer (exit code 3)."),
        (
            "babble",
            None,
            "internal",
            "The answer of the sandbox was refused: these parts are not as agreed: outcome.",
        ),
    ],
)
def test_each_end_has_its_outcome_and_sentence(
    attempt: Attempt, kind: str, limits: Limits | None, outcome: str, message: str
) -> None:
    finish = attempt(kind, limits=limits) if limits else attempt(kind)
    assert (finish.outcome, finish.detail.message) == (outcome, message)
    assert attempt("echo", content=b"still here").detail.message == "still here"


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b"\0\0", "it is shorter than its own length field"),
        (struct.pack(">I", 1 << 31) + b"{}", "its head is cut off or too long"),
        (struct.pack(">I", 16) + b'{"outcome": NaN}', "its head is not JSON"),
        (struct.pack(">I", 17) + b'{"outcome": "ok"}' + b"more", "its outputs do not have the announced sizes"),
    ],
)
def test_a_sandbox_that_writes_its_own_answer_is_not_believed(attempt: Attempt, raw: bytes, complaint: str) -> None:
    finish = attempt("lie", content=raw)
    assert (finish.outcome, finish.detail.message) == (
        "internal",
        f"The answer of the sandbox was refused: {complaint}.",
    )


def test_an_answer_that_cannot_be_written_is_ours(attempt: Attempt) -> None:
    finish = attempt("nan")
    assert finish.outcome == "internal"
    assert re.fullmatch(r"ValueError at sandbox_runner/child\.py:\d+", finish.detail.message or "")


def test_errors_quote_a_file_only_for_who_holds_it(attempt: Attempt) -> None:
    kept, quoted = attempt("quote", content=b"label 7"), attempt("quote", content=b"label 7", quote=True)
    assert kept.outcome == quoted.outcome == "internal"
    assert re.fullmatch(r"ValueError at probe\.py:\d+", kept.detail.message or "")
    assert quoted.detail.message == f"{kept.detail.message}: label 7"


def test_a_killed_child_is_a_crash(start_probe: Callable[..., Sandbox]) -> None:
    sandbox, (read, write) = start_probe(), os.pipe()
    killer = threading.Timer(0.3, lambda: os.kill(fork_of(sandbox), signal.SIGKILL))
    killer.start()
    ended = sandbox.run(request("hang"), [read], wall_s=10, output_bytes=100)
    assert (ended.stopped, ended.status) == (None, 137)
    assert steps._broken(ended, QUICK, starved=False) == (
        "crash",
        "The program that reads the entry ended without an answer (SIGKILL).",
    )
    os.close(read)
    os.close(write)


def test_cancelling_ends_it_at_once(start_probe: Callable[..., Sandbox], opened: Opened) -> None:
    sandbox = start_probe()
    thread = in_background(sandbox, "spin", opened(b""))
    time.sleep(0.2)
    sandbox.cancel()
    thread.join(5)
    assert (thread.is_alive(), sandbox.alive) == (False, False)
    assert until(lambda: not Path(f"/proc/{sandbox.pid}").exists())


def test_a_killed_template_ends_the_job_and_is_not_used_again(start_probe: Callable[..., Sandbox]) -> None:
    sandbox, (read, write) = start_probe(), os.pipe()
    killer = threading.Timer(0.3, lambda: os.kill(sandbox.pid, signal.SIGKILL))
    killer.start()
    ended = sandbox.run(request("hang"), [read], wall_s=10, output_bytes=100)
    assert (ended.stopped, ended.status, sandbox.alive) == (None, 137, False)
    with pytest.raises(SandboxUnavailable):
        sandbox.run(request("hang"), [read], wall_s=9, output_bytes=999)
    os.close(read)
    os.close(write)


def test_two_jobs_at_once(attempt: Attempt, probes: Pool, opened: Opened) -> None:
    assert until(lambda: probes.ready == 2)
    pair = [probes.take(), probes.take()]
    pipes = [os.pipe(), os.pipe()]
    threads = [in_background(sandbox, "hang", read) for sandbox, (read, _) in zip(pair, pipes, strict=True)]
    assert until(lambda: all(filters(fork_of(sandbox)) == 3 for sandbox in pair))
    assert len({tuple(status_of(sandbox.pid)["Uid"]) for sandbox in pair}) == {"root": 2, "user": 1}[bubblewrap.tier()]
    assert attempt("echo", content=b"a third beside them").detail.message == "a third beside them"
    for sandbox in pair:
        sandbox.cancel()
    for thread in threads:
        thread.join(5)
    for sandbox in pair:
        probes.give(sandbox)
    for read, write in pipes:
        os.close(read)
        os.close(write)


def test_the_pool_refills_and_survives_a_sandbox_that_died_waiting(
    probe_layout: Callable[..., Layout], opened: Opened
) -> None:
    pool = Pool(probe_layout(), size=1)
    try:
        assert until(lambda: pool.ready == 1)
        first = pool._ready[0]
        os.kill(first.pid, signal.SIGKILL)
        assert until(lambda: not Path(f"/proc/{first.pid}").exists())
        report = None
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tasks, "KINDS", {"echo": tasks.Kind(frozenset(), frozenset({"entry"}))})
            sandboxes = Sandboxes(pool.take, pool.give)
            report = tasks.perform("echo", {"entry": opened(b"served")}, limits=QUICK, sandboxes=sandboxes)
        assert report is not None
        assert report.finish.detail.message == "served"
        assert until(lambda: pool.ready == 1)
        last = pool._ready[0]
    finally:
        pool.close()
    assert (pool.ready, last.alive) == (0, False)
    assert until(lambda: not Path(f"/proc/{last.pid}").exists())


def test_no_sandbox_is_a_sentence_and_never_a_run(
    probe_layout: Callable[..., Layout], opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox_runner.pool._FAILING_S", 0.1)
    pool = Pool(probe_layout((Path("/nowhere"), "/nowhere")), size=1)
    try:
        files = {role: opened(b"") for role in ("spec", "cases", "entry")}
        report = tasks.perform("check", files, limits=QUICK, sandboxes=Sandboxes(pool.take, pool.give))
    finally:
        pool.close()
    assert report is not None
    assert (report.finish.outcome, report.finish.detail.message) == (
        "internal",
        "bwrap: Can't find source path /nowhere: No such file or directory",
    )


def test_a_check_is_never_given_a_reference(probes: Pool, opened: Opened) -> None:
    files = {role: opened(b"") for role in ("spec", "cases", "entry", "reference/boxes")}
    report = tasks.perform("check", files, limits=QUICK, sandboxes=Sandboxes(probes.take, probes.give))
    assert report is not None
    assert (report.finish.outcome, report.finish.detail.message) == (
        "internal",
        "A job of kind check with inputs cases, entry, reference/boxes, spec is none that this runner knows.",
    )
