"""The life of a job: fencing, retries, deadlines, coalescing, wrong clocks; and what it means for its submission."""

from __future__ import annotations

import datetime as dt
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.db.boards import BoardEntry
from app.db.engine import Database
from app.db.evaluations import Evaluation
from app.db.jobs import Job
from app.db.submissions import Submission
from app.errors import Conflict, Invalid
from app.services import attempts, jobs
from app.services.attempts import Report
from sandbox_runner.contract import BlobRef, Detail, Finish
from tests.app import world
from tests.app.world import NOW, at

QUEUES = ("check", "score")
INTERNAL = Report(Finish(outcome="internal", detail=Detail(message="bwrap was not found")), "i" * 64)


@pytest.fixture
def entry(database: Database) -> uuid.UUID:
    """The job of one queued entry."""
    with database.write_session() as session:
        here = world.make(session)
        return world.submit(session, here, world.team(session, here, "a"))[1].id


def take(database: Database, *, now: dt.datetime = NOW, queues: tuple[str, ...] = QUEUES) -> tuple[Job, str] | None:
    with database.write_session() as session:
        return attempts.claim(session, queues=queues, runner=None, lease_s=60, now=now)


def hold(database: Database, *, now: dt.datetime = NOW) -> str:
    """Claim the one job; its token."""
    claimed = take(database, now=now)
    assert claimed is not None
    return claimed[1]


def finish(database: Database, job_id: uuid.UUID, token: str, report: Report, *, now: dt.datetime = NOW) -> str:
    with database.write_session() as session:
        return attempts.finish(session, job_id=job_id, token=token, report=report, now=now)


def beat(database: Database, job_id: uuid.UUID, token: str, *, now: dt.datetime = NOW) -> bool:
    with database.write_session() as session:
        return jobs.heartbeat(session, job_id=job_id, token=token, lease_s=60, now=now)


def report(value: float = 0.9) -> Report:
    return Report(world.scored(value), f"{value:064}")


def states(database: Database) -> tuple[str, str]:
    """(state of the job, state of its submission)."""
    with database.read_session() as session:
        job = session.scalars(select(Job).where(Job.submission_id.is_not(None))).one()
        return job.state, session.get_one(Submission, job.submission_id).state


def count(database: Database, table: type[Any]) -> int:
    with database.read_session() as session:
        return len(session.scalars(select(table)).all())


def test_an_entry_runs_and_is_scored(database: Database, entry: uuid.UUID) -> None:
    token = hold(database)
    assert states(database) == ("leased", "running")
    assert finish(database, entry, token, report()) == "done"
    assert states(database) == ("done", "scored")
    with database.read_session() as session:
        board = session.scalars(select(Job).where(Job.queue == "house")).one()
        assert (board.kind, board.state) == ("board", "ready")


def test_the_same_report_again_is_answered_alike_and_changes_nothing(database: Database, entry: uuid.UUID) -> None:
    token = hold(database)
    assert [finish(database, entry, token, report()) for _ in range(3)] == ["done"] * 3
    assert (count(database, Evaluation), count(database, BoardEntry)) == (1, 2)


def test_another_report_of_the_same_attempt_is_refused(database: Database, entry: uuid.UUID) -> None:
    token = hold(database)
    finish(database, entry, token, report(0.9))
    with pytest.raises(Conflict):
        finish(database, entry, token, report(0.1))


def test_a_runner_that_freezes_past_its_lease_finds_its_attempt_over(database: Database, entry: uuid.UUID) -> None:
    frozen = hold(database)
    other = hold(database, now=at(61))
    with pytest.raises(Conflict):
        beat(database, entry, frozen, now=at(62))
    with pytest.raises(Conflict):
        finish(database, entry, frozen, report(0.1), now=at(62))
    assert finish(database, entry, other, report(0.9), now=at(63)) == "done"
    with pytest.raises(Conflict):
        finish(database, entry, frozen, report(0.1), now=at(64))
    with database.read_session() as session:
        assert session.scalars(select(Evaluation.attempt)).all() == [2]


def test_a_late_report_counts_while_nobody_took_over(database: Database, entry: uuid.UUID) -> None:
    token = hold(database)
    assert finish(database, entry, token, report(), now=at(600)) == "done"


def test_heartbeats_keep_the_lease(database: Database, entry: uuid.UUID) -> None:
    token = hold(database)
    for second in (50, 100, 150):
        assert beat(database, entry, token, now=at(second)) is False
        assert take(database, now=at(second + 59)) is None
    assert hold(database, now=at(211)) != token


def test_two_reports_at_once_make_one_evaluation(database: Database, entry: uuid.UUID) -> None:
    token, start, answers = hold(database), threading.Barrier(2), list[str]()

    def send() -> None:
        start.wait()
        answers.append(finish(database, entry, token, report()))

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (answers, count(database, Evaluation)) == (["done", "done"], 1)


def test_two_entries_of_one_team_that_end_at_once_both_count(database: Database, entry: uuid.UUID) -> None:
    with database.write_session() as session:
        first = session.get_one(Job, entry)
        here = world.World(
            session.get_one(Submission, first.submission_id).user_id,
            first.challenge_id or uuid.UUID(int=0),
            first.phase_id or uuid.UUID(int=0),
            session.get_one(Submission, first.submission_id).blob_id,
        )
        world.submit(session, here, first.team_id or uuid.UUID(int=0))
    held = [claimed for _ in range(2) if (claimed := take(database))]
    start = threading.Barrier(2)

    def send(number: int) -> None:
        job, token = held[number]
        start.wait()
        finish(database, job.id, token, report(0.5 + number / 10))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read_session() as session:
        rows = session.execute(select(BoardEntry.split, BoardEntry.ranked_value, BoardEntry.entries)).all()
        assert sorted(map(tuple, rows)) == [("private", 0.6, 2), ("public", 0.6, 2)]


def test_an_internal_fault_is_run_again_later_each_time_then_dead(database: Database, entry: uuid.UUID) -> None:
    token = hold(database)
    assert finish(database, entry, token, INTERNAL) == "ready"
    assert finish(database, entry, token, INTERNAL, now=at(1)) == "ready"
    assert take(database, now=at(1.9)) is None
    token = hold(database, now=at(2))
    assert finish(database, entry, token, INTERNAL, now=at(2)) == "ready"
    assert take(database, now=at(5.9)) is None
    token = hold(database, now=at(6))
    assert finish(database, entry, token, INTERNAL, now=at(6)) == "dead"
    assert states(database) == ("dead", "dead")
    assert finish(database, entry, token, INTERNAL, now=at(7)) == "dead"


def test_a_job_that_kills_every_runner_is_dead_after_its_attempts(database: Database, entry: uuid.UUID) -> None:
    for attempt in range(3):
        hold(database, now=at(attempt * 61))
    assert take(database, now=at(3 * 61)) is None
    assert states(database) == ("dead", "dead")
    with database.read_session() as session:
        assert session.get_one(Job, entry).error == "Its runner was lost 3 times in a row."


def test_a_job_that_no_runner_takes_is_dead_at_its_deadline(database: Database, entry: uuid.UUID) -> None:
    assert take(database, now=at(899), queues=("house",)) is None
    assert states(database) == ("ready", "queued")
    with database.write_session() as session:
        attempts.give_up(session, lease_s=60, now=at(901))
    assert states(database) == ("dead", "dead")
    with database.read_session() as session:
        assert session.get_one(Job, entry).error == "No runner took it before its deadline."


def test_a_runner_past_the_deadline_is_told_to_stop(database: Database, entry: uuid.UUID) -> None:
    token = hold(database, now=at(890))
    assert beat(database, entry, token, now=at(899)) is False
    assert beat(database, entry, token, now=at(901)) is True
    with database.write_session() as session:
        attempts.give_up(session, lease_s=60, now=at(960))
    assert states(database) == ("dead", "dead")


def test_cancelling_a_ready_job_ends_it_and_a_running_one_is_told(database: Database, entry: uuid.UUID) -> None:
    token = hold(database)
    with database.write_session() as session:
        submission = session.scalars(select(Submission)).one()
        jobs.cancel_for(session, submission_id=submission.id, now=NOW)
    assert beat(database, entry, token) is True
    assert finish(database, entry, token, report()) == "cancelled"
    assert count(database, Evaluation) == 0


def test_a_cancelled_job_whose_runner_is_gone_ends_with_its_lease(database: Database, entry: uuid.UUID) -> None:
    hold(database)
    with database.write_session() as session:
        submission = session.scalars(select(Submission)).one()
        submission.state = "cancelled"
        jobs.cancel_for(session, submission_id=submission.id, now=NOW)
    assert take(database, now=at(61)) is None
    assert states(database) == ("cancelled", "cancelled")


def test_a_report_that_names_a_blob_that_was_not_sent_is_refused(database: Database, entry: uuid.UUID) -> None:
    token = hold(database)
    lying = world.scored(0.9).model_copy(update={"blobs": [BlobRef(role="replicates", sha256="5" * 64)]})
    with pytest.raises(Invalid):
        finish(database, entry, token, Report(lying, "6" * 64))
    assert states(database) == ("leased", "running")
    assert finish(database, entry, token, report()) == "done"


def test_a_released_job_is_free_at_once_and_the_attempt_does_not_count(database: Database, entry: uuid.UUID) -> None:
    claimed = take(database)
    assert claimed is not None
    with database.write_session() as session:
        jobs.release(session, jobs.held(session, job_id=entry, token=claimed[1]), now=NOW)
    again = take(database)
    assert again is not None
    assert again[0].attempt == 1


def enqueue_board(database: Database, *, now: dt.datetime = NOW) -> bool:
    with database.write_session() as session:
        job = jobs.enqueue(
            session,
            queue="house",
            kind="board",
            coalesce="board:x",
            max_attempts=5,
            deadline=at(86_400),
            now=now,
        )
        return job is not None


def test_jobs_of_one_key_coalesce_while_ready_and_run_one_at_a_time(database: Database) -> None:
    assert [enqueue_board(database), enqueue_board(database)] == [True, False]
    first = take(database, queues=("house",))
    assert first is not None
    assert [enqueue_board(database), enqueue_board(database)] == [True, False]
    assert take(database, queues=("house",)) is None
    with database.write_session() as session:
        jobs.end(session, jobs.held(session, job_id=first[0].id, token=first[1]), state="done", now=NOW)
    second = take(database, queues=("house",))
    assert second is not None
    assert second[0].id != first[0].id


def test_a_failed_job_gives_way_to_a_newer_one_of_its_key(database: Database) -> None:
    enqueue_board(database)
    first = take(database, queues=("house",))
    assert first is not None
    enqueue_board(database, now=at(1))
    with database.write_session() as session:
        job = jobs.held(session, job_id=first[0].id, token=first[1])
        jobs.retry(session, job, now=at(1), error="disk full")
    with database.read_session() as session:
        assert sorted(session.scalars(select(Job.state))) == ["cancelled", "ready"]


def test_a_coalesced_job_waits_for_what_was_written_with_the_request(database: Database) -> None:
    """Else a board would be computed without the evaluation that asked for it (PostgreSQL; SQLite has one writer)."""
    enqueue_board(database)
    with database.write_session() as session:
        assert not jobs.enqueue(
            session, queue="house", kind="board", coalesce="board:x", max_attempts=5, deadline=at(86_400), now=NOW
        )
        if database.engine.dialect.name == "postgresql":
            assert take(database, queues=("house",)) is None
    assert take(database, queues=("house",)) is not None


def test_racing_requests_for_one_board_make_one_job(database: Database) -> None:
    start, made = threading.Barrier(4), list[bool]()

    def ask() -> None:
        start.wait()
        made.append(enqueue_board(database))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [False, False, False, True]
    assert count(database, Job) == 1


def test_a_board_asked_for_while_the_one_before_is_claimed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PostgreSQL: the insert fails on a job that is on lease by the time it is looked for."""
    looks, look = list[str](), jobs._ready_twin

    def looking(session: Session, coalesce: str) -> bool:
        looks.append(coalesce)
        if len(looks) == 3:
            assert take(database, queues=("house",)) is not None
        return look(session, coalesce)

    monkeypatch.setattr(jobs, "_ready_twin", looking)
    with ThreadPoolExecutor(1) as pool:
        with database.write_session() as session:
            options = {"queue": "house", "kind": "board", "coalesce": "board:x", "max_attempts": 5, "now": NOW}
            jobs.enqueue(session, **options, deadline=at(86_400))  # type: ignore[arg-type]
            second = pool.submit(enqueue_board, database)
            time.sleep(0.5)
        postgresql = database.engine.dialect.name == "postgresql"
        assert second.result() is postgresql
    assert (count(database, Job), len(looks)) == ((2, 3) if postgresql else (1, 2))


DAY = 86_400


def test_a_job_written_by_a_clock_a_day_ahead_runs_now(database: Database) -> None:
    with database.write_session() as session:
        here = world.make(session)
        world.submit(session, here, world.team(session, here, "a"), now=at(DAY))
    claimed = take(database, now=NOW)
    assert claimed is not None
    assert (claimed[0].created_at, claimed[0].deadline) == (NOW, at(900))


def test_a_lease_written_by_a_clock_a_day_ahead_ends_within_lease_time(database: Database, entry: uuid.UUID) -> None:
    token = hold(database)
    beat(database, entry, token, now=at(800))
    with database.write_session() as session:
        session.execute(update(Job).values(lease_until=at(DAY)))
    assert take(database, now=at(10)) is None
    assert take(database, now=at(69)) is None
    assert hold(database, now=at(70)) != token


def test_a_retry_written_by_a_clock_a_day_ahead_runs_within_a_minute(database: Database, entry: uuid.UUID) -> None:
    token = hold(database)
    finish(database, entry, token, INTERNAL, now=at(DAY))
    assert take(database, now=at(1)) is None
    assert hold(database, now=at(61)) != token


def pulse(database: Database, *, now: dt.datetime) -> None:
    """The recurring job by whose last claim the platform knows that it was alive."""
    with database.write_session() as session:
        job = jobs.enqueue(
            session, queue="house", kind="tick", coalesce="tick", max_attempts=5, deadline=at(10**6), now=now
        )
    claimed = take(database, now=now, queues=("house",))
    assert job is not None
    assert claimed is not None
    with database.write_session() as session:
        again = jobs.held(session, job_id=claimed[0].id, token=claimed[1])
        jobs.again(session, again, run_after=now + dt.timedelta(seconds=10), deadline=at(10**6))


def test_an_outage_or_a_leap_of_the_clock_costs_no_job_its_deadline(database: Database, entry: uuid.UUID) -> None:
    pulse(database, now=at(10))
    claimed = take(database, now=at(DAY))
    assert claimed is not None
    assert claimed[0].deadline == at(900 + DAY - 10)
    with database.write_session() as session:
        attempts.give_up(session, lease_s=60, now=at(DAY + 1))
    assert states(database) == ("leased", "running")


def test_a_runner_that_worked_through_an_outage_keeps_its_attempt(database: Database, entry: uuid.UUID) -> None:
    pulse(database, now=at(10))
    token = hold(database, now=at(20))
    assert take(database, now=at(DAY)) is None
    assert finish(database, entry, token, report(), now=at(DAY + 1)) == "done"


def test_look_finds_what_a_claim_finds(database: Database, entry: uuid.UUID) -> None:
    def look(now: dt.datetime, *queues: str) -> dict[str, int]:
        with database.read_session() as session:
            return dict(attempts.look(session, queues=queues, lease_s=60, now=now, limit=9))

    assert look(NOW, "check", "score") == {"score": 1}
    assert look(NOW, "house") == {}
    hold(database)
    assert [look(at(second), "score") for second in (1, 60, 901)] == [{}, {"score": 1}, {"score": 1}]
