"""Where the time of a submission goes, by the moments that the database keeps of it."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping

from sqlalchemy import select

from app.db.boards import BoardSnapshot
from app.db.challenges import Challenge
from app.db.evaluations import Evaluation
from app.db.jobs import Job
from app.db.phases import Phase
from app.db.submissions import Submission
from tests.bench.server import Instance

Moments = tuple[float, float]
"""When a submission was sent and when its score was read, in seconds since 1970; one clock, as all runs on one host."""
NAMES = ("send", "receive and record", "wait for the runner", "fetch, score, report", "notice and read")


def seed(instance: Instance, slug: str) -> int:
    """The seed of a challenge's resamples, from behind: the same seed must give the same intervals in process."""
    with instance.database.read_session() as session:
        query = select(Phase.seed).join(Challenge, Challenge.id == Phase.challenge_id).where(Challenge.slug == slug)
        return int(session.scalars(query).one())


def boards_stand(instance: Instance) -> bool:
    """Whether every board that was asked for has been computed."""
    with instance.database.read_session() as session:
        open_jobs = select(Job.id).where(Job.kind == "board", Job.state.in_(("ready", "leased")))
        return session.scalar(open_jobs.limit(1)) is None


def told(instance: Instance, slug: str, seen: Mapping[int, Moments]) -> str:
    """Medians in milliseconds of each stage of these submissions of a challenge."""
    rows = [_of(instance, slug, number, moments) for number, moments in seen.items()]
    middle = [statistics.median(each) * 1000 for each in zip(*rows, strict=True)]
    *parts, sandbox, board = (f"{ms:.0f}" for ms in middle)
    text = ", ".join(f"{name} {ms}" for name, ms in zip(NAMES, parts, strict=True))
    return f"{text} ms (of which {sandbox} in the sandbox); the board begun {board} ms later"


def _of(instance: Instance, slug: str, number: int, moments: Moments) -> list[float]:
    """Seconds of each stage, then of the sandbox, then until the board that counts it was begun."""
    with instance.database.read_session() as session:
        query = select(Submission).join(Challenge, Challenge.id == Submission.challenge_id)
        submission = session.scalars(query.where(Challenge.slug == slug, Submission.number == number)).one()
        evaluation = session.get_one(Evaluation, submission.current_id)
        assert submission.started_at is not None and submission.ended_at is not None
        known = (submission.requested_at, submission.received_at, submission.started_at, submission.ended_at)
        computed = select(BoardSnapshot.computed_at).where(BoardSnapshot.phase_id == submission.phase_id)
        boards = session.scalars(computed.where(BoardSnapshot.computed_at >= submission.ended_at))
        wait = (min(boards) - submission.ended_at).total_seconds()
    times = [moments[0], *(moment.timestamp() for moment in known), moments[1]]
    return [*(b - a for a, b in itertools.pairwise(times)), evaluation.seconds or 0.0, wait]
