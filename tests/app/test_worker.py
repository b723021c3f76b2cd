"""The house's worker: boards, ticks, and what happens when a job fails under it."""

from __future__ import annotations

import datetime as dt
import threading
import time
import uuid
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app import worker
from app.db.boards import BoardSnapshot
from app.db.engine import Database
from app.db.jobs import Job
from app.db.phases import Phase
from app.db.submissions import Submission
from app.files.blobs import Blobs
from app.services import attempts
from app.services.attempts import Report
from app.settings import Settings
from tests.app import world
from tests.app.world import NOW, at


@pytest.fixture
def parts(database: Database, tmp_path: Path) -> worker.Parts:
    return worker.Parts(Settings(data=tmp_path), database, Blobs(tmp_path / "blobs", tmp_path / "secret", keep_free=0))


@pytest.fixture
def scored(parts: worker.Parts) -> uuid.UUID:
    """A phase with one entry scored 0.9, whose board is to be computed. Its id."""
    with parts.database.write_session() as session:
        here = world.make(session)
        world.submit(session, here, world.team(session, here, "a"))
    with parts.database.write_session() as session:
        claimed = attempts.claim(session, queues=("score",), runner=None, lease_s=60, now=NOW)
        assert claimed is not None
        report = Report(world.scored(0.9), "1" * 64)
        attempts.finish(session, job_id=claimed[0].id, token=claimed[1], report=report, now=NOW)
    return here.phase_id


def work(parts: worker.Parts, *, now: dt.datetime = NOW) -> int:
    """Run what there is at `now`; how many jobs that were."""
    steps = 0
    while worker.step(parts, clock=lambda: now):
        steps += 1
    return steps


def boards(parts: worker.Parts) -> list[tuple[str, int, list[str]]]:
    with parts.database.read_session() as session:
        rows = session.scalars(select(BoardSnapshot).order_by(BoardSnapshot.split, BoardSnapshot.seq))
        return [(row.split, row.seq, [line["team"] for line in row.body["rows"]]) for row in rows]


def jobs_by_kind(parts: worker.Parts, kind: str) -> list[Job]:
    with parts.database.read_session() as session:
        return list(session.scalars(select(Job).where(Job.kind == kind)))


def test_a_board_is_computed_once(parts: worker.Parts, scored: uuid.UUID) -> None:
    assert (work(parts), work(parts)) == (1, 0)
    assert boards(parts) == [("private", 1, ["a"]), ("public", 1, ["a"])]


def test_a_job_that_fails_is_tried_again_and_leaves_nothing_half_done(parts: worker.Parts, scored: uuid.UUID) -> None:
    with parts.database.write_session() as session:
        session.execute(update(Phase).values(scoring_spec={"ranking": {}}))
    assert work(parts) == 1
    (job,) = jobs_by_kind(parts, "board")
    assert (job.state, job.attempt, job.error, boards(parts)) == ("ready", 1, "KeyError: 'metrics'", [])
    with parts.database.write_session() as session:
        session.execute(update(Phase).values(scoring_spec=world.SCORING))
    assert (work(parts), work(parts, now=at(2))) == (0, 1)
    assert [seq for _, seq, _ in boards(parts)] == [1, 1]


def test_the_tick_freezes_a_closed_phase_and_gives_up_old_jobs(parts: worker.Parts, scored: uuid.UUID) -> None:
    with parts.database.write_session() as session:
        session.execute(update(Phase).values(closes_at=at(-1)))
    worker.ensure_tick(parts, now=NOW)
    worker.ensure_tick(parts, now=NOW)
    work(parts)
    with parts.database.read_session() as session:
        assert session.scalars(select(Phase.frozen_at)).all() == [NOW]
    (tick,) = jobs_by_kind(parts, "tick")
    assert (tick.state, tick.attempt, tick.run_after) == ("ready", 0, at(worker.TICK_S))


def test_the_tick_declares_an_entry_dead_that_no_runner_takes(parts: worker.Parts) -> None:
    with parts.database.write_session() as session:
        here = world.make(session)
        world.submit(session, here, world.team(session, here, "a"))
    worker.ensure_tick(parts, now=NOW)
    for second in range(0, 1000, 100):
        work(parts, now=at(second))
    with parts.database.read_session() as session:
        assert session.scalars(select(Submission.state)).all() == ["dead"]


def test_a_tick_that_gave_up_is_made_anew(parts: worker.Parts) -> None:
    worker.ensure_tick(parts, now=NOW)
    with parts.database.write_session() as session:
        session.execute(update(Job).values(state="dead"))
    worker.ensure_tick(parts, now=NOW)
    assert sorted(job.state for job in jobs_by_kind(parts, "tick")) == ["dead", "ready"]


def test_two_workers_share_the_work(parts: worker.Parts, scored: uuid.UUID) -> None:
    stop = threading.Event()
    threads = [
        threading.Thread(target=worker.run, args=(parts,), kwargs={"stop": stop, "clock": lambda: NOW})
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 20
    while [job.state for job in jobs_by_kind(parts, "board")] != ["done"] and time.monotonic() < end:
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    assert boards(parts) == [("private", 1, ["a"]), ("public", 1, ["a"])]
    assert len(jobs_by_kind(parts, "tick")) == 1
