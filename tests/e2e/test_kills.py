"""Runner, worker and web are killed while entries are on their way: all are scored, each exactly once."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from app.db.engine import Database, open_database
from app.db.evaluations import Evaluation
from app.db.jobs import Job
from app.db.submissions import Submission
from app.db.users import User
from tests import scenario
from tests.instance import organiser, runner
from tests.processes import Server, serving
from tests.scenario import Person, until
from tests.serving import Served, served

pytestmark = pytest.mark.sandbox
CASES = scenario.cases(2000)
LEASE_S = 2


def patient(call: Callable[[], Any]) -> Any:
    """The answer of a call that may meet a server that was killed this moment."""

    def once() -> Any:
        try:
            return call()
        except httpx.TransportError:
            return None

    return until(once, seconds=60)


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Server]:
    with serving(
        data=tmp_path / "data", database_url=database_url, lease_s=LEASE_S, max_attempts=50, rate_limits="false"
    ) as server:
        yield server


@pytest.fixture
def database(server: Server, database_url: str) -> Iterator[Database]:
    """The same database, looked at from outside."""
    database = open_database(database_url)
    yield database
    database.dispose()


def evaluations(database: Database) -> list[int]:
    """How many official evaluations each submission has."""
    with database.read_session() as session:
        query = select(func.count(Evaluation.id)).select_from(Submission)
        joined = query.outerjoin(Evaluation, Evaluation.submission_id == Submission.id)
        return list(session.scalars(joined.group_by(Submission.id)))


def test_whatever_is_killed_every_entry_is_scored_once(server: Server, database: Database) -> None:
    chance = random.Random(7)
    scenario.person(server.url, "chief")
    with database.write_session() as session:
        session.scalars(select(User)).one().can_organise = True
    chief = scenario.signed_in(server.url, "chief@example.org", ("read", "organise"))
    slug = scenario.publish(chief, scenario.folder(CASES, day=100))
    who = scenario.person(server.url, "ada")
    scenario.join(who, slug)
    victims = ["runner", "worker", "web", "runner", "web", "worker"]
    for number, victim in enumerate(victims):
        entry, key = scenario.entry(CASES, seed=number), {"Idempotency-Key": f"entry-{number}"}
        sent = patient(partial(scenario.submit, who, slug, entry, headers=key))
        assert sent["number"] == number + 1
        time.sleep(chance.uniform(0, 0.8))
        server.kill(victim)
    for number in range(1, len(victims) + 1):
        found = patient(partial(ended, who, slug, number))
        assert found["state"] == "scored", found
    assert evaluations(database) == [1] * len(victims)
    board = until(lambda: full_board(who, slug, len(victims)), seconds=60)
    assert [(row["team"], row["rank"], row["entries"]) for row in board["rows"]] == [("ada", 1, len(victims))]
    with database.read_session() as session:
        assert set(session.scalars(select(Job.state).where(Job.queue == "score"))) == {"done"}


def ended(who: Person, slug: str, number: int) -> Any:
    status = who.get(f"/challenges/{slug}/submissions/{number}/status")
    return status["final"] and who.get(f"/challenges/{slug}/submissions/{number}")


def full_board(who: Person, slug: str, entries: int) -> Any:
    board = patient(lambda: who.get(f"/challenges/{slug}/phases/main/leaderboard"))
    return board if [row["entries"] for row in board["rows"]] == [entries] else None


@pytest.fixture
def instance(tmp_path: Path, database_url: str) -> Iterator[Served]:
    with served(tmp_path, database_url=database_url, lease_s=LEASE_S) as instance:
        yield instance


def submitted(instance: Served) -> Person:
    """Somebody with one entry on its way, in the challenge `tiny`."""
    scenario.publish(organiser(instance), scenario.folder(CASES))
    who = scenario.person(instance.url, "ada")
    scenario.join(who, "tiny")
    scenario.submit(who, "tiny", scenario.entry(CASES))
    return who


def leased(instance: Served) -> bool:
    with instance.database.read_session() as session:
        return session.scalars(select(Job.state).where(Job.kind == "score")).one() == "leased"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_another_runner_takes_over_within_lease_time(instance: Served, tmp_path: Path, number: signal.Signals) -> None:
    """A runner is killed, or frozen and later thawed, while it holds a job."""
    who = submitted(instance)
    with runner(instance, tmp_path / "second") as second:
        os.kill(second.pid, signal.SIGSTOP)
        with runner(instance, tmp_path / "first") as first:
            until(lambda: leased(instance), seconds=60, every=0.002)
            first.send_signal(number)
            began = time.monotonic()
            os.kill(second.pid, signal.SIGCONT)
            found = scenario.scored(who, "tiny", 1)
            assert (found["state"], time.monotonic() - began < LEASE_S + 20) == ("scored", True)
            first.send_signal(signal.SIGCONT)
            time.sleep(1)
    assert evaluations(instance.database) == [1]
    with instance.database.read_session() as session:
        assert session.scalars(select(Evaluation.attempt)).all() == [2]
