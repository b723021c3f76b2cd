"""What comes before an entry is met is no participant's fault: reading the challenge, waiting for a sandbox."""

from collections.abc import Callable, Iterator

import pytest

from sandbox_runner import bubblewrap, steps, tasks
from sandbox_runner.bubblewrap import Layout
from sandbox_runner.contract import Finish, Limits
from sandbox_runner.pool import Pool
from sandbox_runner.steps import Sandboxes
from tests.sandbox_runner.risk import job_files

pytestmark = pytest.mark.sandbox

Opened = Callable[[bytes], int]
LIMITS = Limits(wall_s=20, cpu_s=20, memory_mb=128)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool(bubblewrap.layout(), size=1, kept=1)
    yield pool
    pool.close()


@pytest.fixture
def scored(pool: Pool, opened: Opened) -> Callable[..., Finish]:
    """Scores an entry of a challenge of this many cases."""

    def run(rows: int, *, replicates: int = 20) -> Finish:
        files = job_files(rows, replicates=replicates)
        known = {role: f"{role} {rows}" for role in files if role != "entry"}
        descriptors = {role: opened(content) for role, content in files.items()}
        sandboxes = Sandboxes(pool.take, pool.give)
        report = tasks.perform("score", descriptors, limits=LIMITS, sandboxes=sandboxes, digests=known)
        assert report is not None
        return report.finish

    return run


@pytest.mark.parametrize(
    ("setting", "most", "sentence"),
    [
        ("PREPARE_MB", 200, "need more than 200 MiB of memory, which is all a runner allows."),
        ("PREPARE_S", 0.05, "need more than 0.05 s to be read, which is all a runner allows."),
    ],
)
def test_a_challenge_that_is_too_large_is_the_organisers(
    scored: Callable[..., Finish], monkeypatch: pytest.MonkeyPatch, setting: str, most: float, sentence: str
) -> None:
    monkeypatch.setattr(steps, setting, most)
    finish = scored(20_000, replicates=2_000)
    assert (finish.outcome, finish.detail.message) == ("internal", f"The challenge's files {sentence}")


def test_the_memory_of_a_job_comes_on_top_of_the_challenge(scored: Callable[..., Finish], pool: Pool) -> None:
    finishes = [scored(20_000, replicates=2_000) for _ in range(2)]
    assert [(finish.outcome, finish.detail.message) for finish in finishes] == [("ok", None)] * 2
    assert pool.kept == 1


def test_the_time_of_a_job_begins_where_the_challenge_is_held(
    probe_layout: Callable[..., Layout], opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "KINDS", {"late": tasks.Kind(frozenset({"spec"}), frozenset({"entry"}))})
    pool = Pool(probe_layout(), size=1)
    try:
        files = {"spec": opened(b""), "entry": opened(b"read")}
        limits = LIMITS.model_copy(update={"wall_s": 1.0})
        report = tasks.perform("late", files, limits=limits, sandboxes=Sandboxes(pool.take, pool.give))
    finally:
        pool.close()
    assert report is not None
    assert (report.finish.outcome, report.finish.detail.message) == ("ok", "read")
    assert report.finish.usage.wall_s < 1
