"""A sandbox that holds a challenge and meets one entry after the other: what each fork can see, reach and leave."""

import ast
import dataclasses
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import scoring
from sandbox_runner import bubblewrap, tasks
from sandbox_runner.bubblewrap import HOME, Layout
from sandbox_runner.contract import Claimed, Finish, Limits
from sandbox_runner.loop import _Held
from sandbox_runner.pool import Pool
from sandbox_runner.sandbox import Sandbox
from sandbox_runner.steps import Sandboxes
from tests.sandbox_runner.protocol import Job
from tests.sandbox_runner.test_sandbox import fork_of, in_background, status_of, until

pytestmark = pytest.mark.sandbox

Opened = Callable[[bytes], int]
Again = tuple[Callable[..., Finish], Pool]
LIMITS = Limits(wall_s=20, cpu_s=10, memory_mb=512, output_mb=1)
JOB = Claimed.model_validate(Job("x", "check", {}, {}).claimed())


@pytest.fixture
def again(probe_layout: Callable[..., Layout], opened: Opened, monkeypatch: pytest.MonkeyPatch) -> Iterator[Again]:
    """Runs one of the probe's kinds in whatever sandbox holds the challenge: `again(kind, content)`; and the pool."""
    pool = Pool(probe_layout(), size=1, kept=2)

    def run(kind: str, content: bytes = b"", *, challenge: bytes = b"one", held: _Held | None = None) -> Finish:
        monkeypatch.setattr(tasks, "KINDS", {kind: tasks.Kind(frozenset({"spec"}), frozenset({"entry"}))})
        files, digests = {"spec": opened(challenge), "entry": opened(content)}, {"spec": challenge.decode()}
        told = (held.started, held.left) if held else ()
        sandboxes = Sandboxes(pool.take, pool.give, *told)
        report = tasks.perform(kind, files, limits=LIMITS, sandboxes=sandboxes, digests=digests)
        assert report is not None
        return report.finish

    yield run, pool
    pool.close()


def test_nothing_survives_from_one_job_to_the_next(again: Again) -> None:
    run, pool = again
    seen = [ast.literal_eval(run("litter").detail.message or "") for _ in range(3)]
    template = pool._kept[0].pid
    assert seen[0] == {
        "held": "of the challenge",
        "environment": None,
        "module": False,
        "type": "float64",
        "files": [],
        "threads": 1,
        "handler": True,
        "segment": False,
        "standard": [],
        "descriptors": 2,
    }
    assert seen == [seen[0]] * 3
    assert (pool.kept, status_of(template)["Threads"], fork_of(pool._kept[0])) == (1, ["1"], 0)


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the probe's call numbers are those of x86_64")
def test_a_fork_reaches_no_other_process(again: Again) -> None:
    run, pool = again
    assert run("reach").detail.message == "[]"
    (template,) = pool._kept
    assert (run("reach").detail.message, list(pool._kept)) == ("[]", [template])


def test_a_fork_has_its_own_files_and_nothing_else(start_probe: Callable[..., Sandbox]) -> None:
    sandbox, (read, write) = start_probe(), os.pipe()
    thread = in_background(sandbox, "hang", read)
    assert until(lambda: fork_of(sandbox) != 0 and len(files_of(fork_of(sandbox))) == 2)
    kinds = sorted(target.partition(":")[0] for target in files_of(fork_of(sandbox)).values())
    assert (kinds, min(files_of(fork_of(sandbox)))) == (["pipe", "pipe"], 3)
    sandbox.cancel()
    thread.join()
    os.close(read)
    os.close(write)


def files_of(pid: int) -> dict[int, str]:
    """Open descriptors of a process and what they are."""
    found = {}
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found[int(entry.name)] = str(entry.readlink())
        except FileNotFoundError:
            continue
    return found


def test_a_sandbox_stays_with_its_challenge(again: Again) -> None:
    run, pool = again
    for challenge in (b"one", b"two", b"one", b"three"):
        assert run("echo", challenge, challenge=challenge).outcome == "ok"
    assert [json.loads(sandbox.holds)[1] for sandbox in pool._kept] == [[["spec", "one"]], [["spec", "three"]]]


def test_a_sandbox_is_not_used_again_after_a_crash(again: Again) -> None:
    run, pool = again
    assert [(run("abort").outcome, pool.kept) for _ in range(2)] == [("crash", 0)] * 2
    assert run("echo", b"another").detail.message == "another"


def test_a_late_cancel_ends_no_other_job(again: Again) -> None:
    run, pool = again
    job = _Held(JOB)
    assert run("echo", b"first", held=job).outcome == "ok"
    (template,) = pool._kept
    job.cancel()  # as a heartbeat does while the report of the job is sent
    assert run("echo", b"of another team").detail.message == "of another team"
    assert list(pool._kept) == [template]


def test_a_sandbox_that_was_cancelled_at_the_last_moment_is_not_kept(again: Again) -> None:
    _, pool = again
    sandbox = pool.take()
    sandbox.holds = "one"
    sandbox.cancel()
    pool.give(sandbox)
    assert (pool.kept, sandbox.alive) == (0, False)


def kept_for(pool: Pool, name: str) -> Sandbox:
    """A sandbox that holds this challenge, and waits in the pool."""
    sandbox = pool.take(name)
    sandbox.holds = name
    pool.give(sandbox)
    return sandbox


def test_a_sandbox_that_nobody_uses_is_ended(probe_layout: Callable[..., Layout]) -> None:
    pool = Pool(probe_layout(), size=1, kept=2, kept_s=0.5)
    try:
        sandbox = kept_for(pool, "one")
        assert until(lambda: not sandbox.alive)
        assert (pool.kept, until(lambda: pool.ready == 1)) == (0, True)
    finally:
        pool.close()


def test_sandboxes_are_kept_within_a_total_of_memory(probe_layout: Callable[..., Layout]) -> None:
    pool = Pool(probe_layout(), size=1, kept=9)
    try:
        first = kept_for(pool, "one")
        assert first.room > 10 << 20
        pool._most_bytes = first.room * 3 // 2
        second = kept_for(pool, "two")
        assert (list(pool._kept), first.alive, second.alive) == ([second], False, True)
    finally:
        pool.close()


def test_a_pool_that_starts_nothing_waits_before_it_says_so(probe_layout: Callable[..., Layout]) -> None:
    pool = Pool(probe_layout(), size=1, kept=2)
    try:
        held, layout = kept_for(pool, "one"), pool._layout
        assert until(lambda: pool.ready == 1)
        pool._layout = dataclasses.replace(layout, module="no_such_module")
        taken = pool.take()
        assert until(lambda: pool.failure != "")
        assert (pool.kept, held.alive, pool.wait(0.1)) == (1, True, False)
        pool._layout = layout
        pool.give(pool.take("two"))
        pool.give(taken)
        assert (pool.failure, pool.wait(0.1)) == ("", True)
    finally:
        pool.close()


def test_other_code_drains_all_that_wait(
    probe_layout: Callable[..., Layout], opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "scoring"
    shutil.copytree(Path(scoring.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    production = probe_layout()
    binds = tuple((package if inside == f"{HOME}/scoring" else source, inside) for source, inside in production.binds)
    tmp_path.chmod(0o755)
    pool = Pool(dataclasses.replace(production, binds=binds), size=1, kept=1)
    monkeypatch.setattr(tasks, "KINDS", {"mark": tasks.Kind(frozenset({"spec"}), frozenset({"entry"}))})

    def mark() -> tuple[str | None, int]:
        files, sandboxes = {"spec": opened(b"one"), "entry": opened(b"")}, Sandboxes(pool.take, pool.give)
        report = tasks.perform("mark", files, limits=LIMITS, sandboxes=sandboxes, digests={"spec": "one"})
        assert report is not None
        return report.finish.detail.message, pool._kept[0].pid

    try:
        before, same = mark(), mark()
        assert until(lambda: pool.ready == 1)
        os.utime(package / "registry.py")
        touched = mark()
        (package / "__init__.py").write_text('MARK = "upgraded"\n')
        after = mark()
    finally:
        pool.close()
    assert before == same == touched
    assert (before[0], after[0], after[1] != before[1]) == ("as it was", "upgraded", True)


def test_the_pool_serves_several_at_once(probe_layout: Callable[..., Layout], opened: Opened) -> None:
    pool = Pool(probe_layout(), size=2, kept=4)
    try:
        assert until(lambda: pool.ready == 2)
        pair = [pool.take("one"), pool.take("one")]
        threads = [in_background(sandbox, "echo", opened(b"")) for sandbox in pair]
        for thread in threads:
            thread.join(10)
        for sandbox in pair:
            sandbox.holds = "one"
            pool.give(sandbox)
        assert pool.kept == 2
        second = [pool.take("one"), pool.take("one")]
        assert set(second) == set(pair)
        for sandbox in second:
            pool.give(sandbox)
    finally:
        pool.close()


def test_the_production_layout_has_a_digest_of_its_code() -> None:
    from sandbox_runner.code import Code

    code = Code(bubblewrap.layout())
    digests = []
    threads = [threading.Thread(target=lambda: digests.append(code.digest())) for _ in range(2)]
    for thread in threads:
        thread.start()
        thread.join()
    assert (len(digests[0]), digests[0] == digests[1]) == (64, True)
