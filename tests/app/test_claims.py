"""Who gets which job: never two takers, fair turns, and nothing that nobody wants any more."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from app.db.engine import Database
from app.db.jobs import Job
from app.db.submissions import Submission
from app.services import attempts
from tests.app import world
from tests.app.world import NOW, at

QUEUES = ("check", "score")


def take(database: Database, *, now: dt.datetime = NOW, lease_s: float = 60) -> tuple[Job, str] | None:
    with database.write_session() as session:
        return attempts.claim(session, queues=QUEUES, runner=None, lease_s=lease_s, now=now)


def teams_in_turn(database: Database, count: int) -> list[str]:
    names = []
    for second in range(count):
        claimed = take(database, now=at(second))
        assert claimed is not None
        names.append(claimed[0].payload["team"])
    return names


def queue_up(database: Database, entries: str, *, check: bool = False) -> None:
    """Entries of one-letter teams, in this order, a second apart."""
    with database.write_session() as session:
        here = world.make(session)
        ids = {name: world.team(session, here, name) for name in sorted(set(entries))}
        for second, name in enumerate(entries):
            _, job = world.submit(session, here, ids[name], now=at(second - 100), check=check)
            job.payload = job.payload | {"team": name}


def test_teams_take_turns_whatever_one_of_them_floods(database: Database) -> None:
    queue_up(database, "aaaaaabbc")
    assert teams_in_turn(database, 9) == ["a", "b", "c", "a", "b", "a", "a", "a", "a"]
    assert take(database, now=at(20)) is None


def test_checks_go_before_scoring(database: Database) -> None:
    with database.write_session() as session:
        here = world.make(session)
        ids = [world.team(session, here, name) for name in "ab"]
        for name, check in [(0, False), (0, False), (1, True)]:
            world.submit(session, here, ids[name], check=check)
    kinds = [claimed[0].kind for _ in range(3) if (claimed := take(database))]
    assert kinds == ["check", "score", "score"]


def test_a_stream_of_checks_holds_up_no_score_for_good(database: Database) -> None:
    with database.write_session() as session:
        here = world.make(session)
        ids = [world.team(session, here, name) for name in "ab"]
        world.submit(session, here, ids[0], now=at(-60))
        for second in range(8):
            world.submit(session, here, ids[1], now=at(second), check=True)
    kinds = [claimed[0].kind for second in range(8, 12) if (claimed := take(database, now=at(second)))]
    assert Counter(kinds) == {"check": 3, "score": 1}


def test_a_clock_that_was_ahead_does_not_starve_a_team(database: Database) -> None:
    queue_up(database, "aabb")
    claimed = take(database)
    assert claimed is not None
    assert claimed[0].payload["team"] == "a"
    with database.write_session() as session:
        session.execute(update(Job).where(Job.id == claimed[0].id).values(state="done", claimed_at=at(86_400)))
    assert [teams_in_turn(database, 1)[0] for _ in range(3)] == ["a", "b", "b"]


@pytest.mark.parametrize("state", ["cancelled", "withdrawn"])
def test_a_job_whose_submission_is_gone_is_handed_to_nobody(database: Database, state: str) -> None:
    queue_up(database, "a")
    with database.write_session() as session:
        session.execute(update(Submission).values(state=state))
    assert take(database) is None
    with database.read_session() as session:
        assert session.scalars(select(Job.state)).all() == ["cancelled"]
        assert session.scalars(select(Submission.state)).all() == [state]


def test_many_claimers_never_hold_one_job_twice(database: Database) -> None:
    """On PostgreSQL this is where counting or reading without the claim lock shows."""
    jobs, takers = 40, 6
    queue_up(database, "abcd" * (jobs // 4))
    start = threading.Barrier(takers)

    def work(_: int) -> list[str]:
        start.wait()
        got = []
        while claimed := take(database):
            got.append(f"{claimed[0].id} {claimed[0].attempt}")
        return got

    with ThreadPoolExecutor(takers) as pool:
        taken = Counter(name for names in pool.map(work, range(takers)) for name in names)
    assert (len(taken), set(taken.values())) == (jobs, {1})
    assert {name.split()[1] for name in taken} == {"1"}


def test_racing_claimers_share_teams_fairly(database: Database) -> None:
    """Six takers at once serve six different teams, though one team flooded the queue before the others."""
    queue_up(database, "a" * 10 + "bcdef")
    with ThreadPoolExecutor(6) as pool:
        taken = [claimed[0].payload["team"] for claimed in pool.map(lambda _: take(database), range(6)) if claimed]
    assert sorted(taken) == list("abcdef")


def test_a_lapsed_lease_goes_to_one_of_many_takers(database: Database) -> None:
    queue_up(database, "a")
    first = take(database)
    assert first is not None
    with ThreadPoolExecutor(6) as pool:
        again = [claimed for claimed in pool.map(lambda _: take(database, now=at(61)), range(6)) if claimed]
    assert [(job.id, job.attempt) for job, _ in again] == [(first[0].id, 2)]
