"""Many people at once on each database: no deadlock, no lost entry, no slot used twice, one whole audit chain."""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import ANY

import pytest
from sqlalchemy import func, or_, select, update

from app import worker
from app.db import boards as board_rows
from app.db.boards import BoardEntry
from app.db.engine import Database
from app.db.evaluations import Evaluation
from app.db.jobs import Job
from app.db.pulse import PULSE
from app.db.submissions import Submission
from app.db.teams import Team
from app.domain.access import Actor
from app.errors import AppError
from app.services import audit, boards, challenges, schedule
from tests import crowd, scenario
from tests.crowd import Crowd

THREADS = 8
ACTS = 40
DAY = 12


class Player:
    """One thread's person: draws acts, and remembers what was refused and what broke."""

    def __init__(self, one: Crowd, seed: int) -> None:
        self.one, self.draw, self.seed = one, random.Random(seed), seed
        self.done: Counter[str] = Counter()
        self.broken: list[str] = []
        self.me = crowd.join(one, f"p{seed}", f"team {seed}")
        self.newcomers: list[Actor] = []

    def play(self, start: threading.Barrier) -> None:
        start.wait()
        acts: list[tuple[str, Callable[[], object]]] = [
            ("join", self.join),
            ("join", self.join),
            ("submit", self.submit),
            ("submit", self.submit),
            ("submit", self.submit),
            ("score", lambda: crowd.score(self.one, self.draw)),
            ("score", lambda: crowd.score(self.one, self.draw)),
            ("score", lambda: crowd.score(self.one, self.draw)),
            ("withdraw", lambda: self.change("withdraw")),
            ("final", lambda: self.change("final")),
            ("cancel", lambda: self.change("cancel")),
            ("rename", lambda: crowd.rename(self.one, self.me, f"name {self.draw.randrange(6)}")),
            ("move", self.move),
            ("push", lambda: crowd.push(self.one)),
            ("publish", lambda: crowd.publish(self.one)),
            ("house", lambda: worker.step(self.one.worker(), clock=crowd.now)),
            ("house", lambda: worker.step(self.one.worker(), clock=crowd.now)),
        ]
        for _ in range(ACTS):
            name, act = self.draw.choice(acts)
            try:
                act()
                self.done[name] += 1
            except AppError as refused:
                self.done[f"{name}: {refused.code}"] += 1
            except Exception as error:
                self.broken.append(f"{name}: {type(error).__name__}: {error}"[:400])

    def join(self) -> None:
        name = f"p{self.seed}n{len(self.newcomers)}{self.draw.random()}"
        self.newcomers.append(crowd.join(self.one, name, f"name {self.draw.randrange(6)}"))

    def submit(self) -> None:
        # Few different files, so that the same bytes come from several teams at the same moment.
        data = scenario.entry(crowd.CASES, seed=self.draw.randrange(4))
        crowd.submit(self.one, self.me, data, again=True, check=self.draw.random() < 0.1)

    def change(self, act: str) -> None:
        numbers = crowd.numbers_of(self.one, self.me)
        if numbers:
            crowd.change(self.one, self.me, self.draw.choice(numbers), act)

    def move(self) -> None:
        if self.newcomers:
            crowd.move(self.one, self.newcomers.pop(), self.me)


@pytest.mark.parametrize("seed", [1])
def test_many_people_at_once(database: Database, tmp_path: Path, seed: int) -> None:
    with crowd.crowd(tmp_path, database, select="final", day=DAY, total=1000) as one:
        worker.ensure_tick(one.worker(), now=crowd.now())
        players = [Player(one, 100 * seed + number) for number in range(THREADS)]
        start = threading.Barrier(THREADS)
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda player: player.play(start), players))
        assert [line for player in players for line in player.broken] == []
        draw = random.Random(seed)
        while crowd.score(one, draw):
            pass
        check(one)
        with one.database.read_session() as session:
            kept = or_(Submission.state == "scored", Submission.state == "withdrawn")
            used = select(func.count()).select_from(Submission).where(Submission.check.is_(False), kept, ~Team.baseline)
            used = used.join(Team, Team.id == Submission.team_id).group_by(Submission.team_id)
            assert max(session.scalars(used)) <= DAY


def test_a_phase_that_is_closed_in_the_thick_of_it(database: Database, tmp_path: Path) -> None:
    """Whatever was let in stands on the frozen board, and nothing moves it afterwards."""
    with crowd.crowd(tmp_path, database, day=1000, total=1000) as one:
        worker.ensure_tick(one.worker(), now=crowd.now())
        players = [Player(one, number) for number in range(THREADS)]
        start = threading.Barrier(THREADS + 1)

        def close() -> None:
            start.wait()
            time.sleep(1)
            with one.database.write_session() as session:
                challenges.close(session, actor=one.chief, slug="tiny", phase="main", now=crowd.now())

        with ThreadPoolExecutor(THREADS + 1) as pool:
            closing = pool.submit(close)
            list(pool.map(lambda player: player.play(start), players))
            closing.result()
        assert [line for player in players for line in player.broken] == []
        sent = sum((player.done for player in players), Counter())
        assert sent["submit"] > 0
        assert sent["submit: E-WINDOW"] > 0
        draw = random.Random(1)
        while crowd.score(one, draw):
            pass
        later = crowd.now() + dt.timedelta(hours=1)
        with one.database.write_session() as session:
            # An hour in which the platform was alive.
            session.execute(update(Job).where(Job.kind == PULSE).values(claimed_at=later))
            schedule.tick(session, blobs=one.blobs, now=later)
        check(one)
        with one.database.read_session() as session:
            phase = crowd.phase_of(session)
            assert phase.frozen_at is not None
            for split in ("public", "private"):
                snapshot = board_rows.newest(session, phase.id, split)
                assert snapshot is not None
                assert snapshot.frozen
                assert boards.pinned(session, phase=phase, split=split)["entries"] == [
                    entry | {"team": ANY} for entry in snapshot.body[boards.PINNED]["entries"]
                ]


def check(one: Crowd) -> None:
    """What must hold after any of it."""
    with one.database.read_session() as session:
        assert audit.broken_at(session) is None
        numbers = list(session.scalars(select(Submission.number).order_by(Submission.number)))
        assert numbers == list(range(1, len(numbers) + 1))
        scored = select(func.count()).select_from(Submission).where(Submission.current_id.is_not(None))
        assert session.scalar(scored) == session.scalar(select(func.count()).select_from(Evaluation))
        for team in session.scalars(select(Team).where(~Team.baseline)):
            query = select(Submission).where(Submission.team_id == team.id, Submission.check.is_(False))
            mine = session.scalars(query).all()
            states = Counter(row.state for row in mine)
            assert sum(row.final for row in mine) <= 1
            standing = session.scalars(select(BoardEntry).where(BoardEntry.team_id == team.id)).all()
            assert len(standing) == (2 if states["scored"] else 0)
            assert {row.entries for row in standing} <= {states["scored"]}
            assert all(session.get_one(Submission, row.submission_id).state == "scored" for row in standing)
