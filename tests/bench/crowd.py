"""Many teams with many scored entries, written straight into the database of an instance."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.db import blobs
from app.db.blobs import Blob
from app.db.challenges import Challenge
from app.db.evaluations import Evaluation, MetricValue
from app.db.phases import Phase
from app.db.submissions import Submission
from app.db.teams import Team
from app.db.users import User
from app.domain.ids import new_id
from scoring.casetable import pack_arrays
from tests.bench.server import Instance

SLICES = ("all", "split:public", "split:private")
REPLICATES = 1000
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Crowd:
    """A phase and its teams."""

    phase: Phase
    teams: list[Team]


def fill(instance: Instance, slug: str, *, teams: int, each: int) -> Crowd:
    """Give a published challenge with splits public and private `teams` teams with `each` scored entries."""
    draw = np.random.default_rng(teams * each)
    numbers = itertools.count(1)
    with instance.database.write_session() as session:
        challenge = session.scalars(select(Challenge).where(Challenge.slug == slug)).one()
        phase = session.scalars(select(Phase).where(Phase.challenge_id == challenge.id)).one()
        user = session.scalars(select(User).limit(1)).one()
        made = [Team(challenge_id=challenge.id, name=f"Team {i:04d}", created_at=NOW) for i in range(teams)]
        session.add_all(made)
        session.flush()
        for team in made:
            drawn = _replicates(session, instance, draw)
            entries = list(_entries(phase, team, user, drawn, draw, itertools.islice(numbers, each)))
            for table, rows in zip((Submission, Evaluation, MetricValue), zip(*entries, strict=True), strict=True):
                session.execute(insert(table), list(itertools.chain.from_iterable(rows)))
        challenge.submissions = teams * each
    return Crowd(phase, made)


def _entries(
    phase: Phase, team: Team, user: User, drawn: Blob, draw: np.random.Generator, numbers: Iterator[int]
) -> Iterator[tuple[list[dict[str, Any]], ...]]:
    """Rows of a submission, of its evaluation and of its values, for each number."""
    for number in numbers:
        at = NOW + dt.timedelta(seconds=number)
        submission: dict[str, Any] = {"id": new_id(), "challenge_id": phase.challenge_id, "phase_id": phase.id}
        submission |= {"team_id": team.id, "user_id": user.id, "number": number, "kind": "predictions"}
        submission |= {"blob_id": drawn.id, "sha256": hashlib.sha256(str(number).encode()).hexdigest(), "size": 1}
        submission |= {"state": "scored", "outcome": "ok", "requested_at": at, "received_at": at, "ended_at": at}
        evaluation: dict[str, Any] = {"id": new_id(), "submission_id": submission["id"], "replicates_id": drawn.id}
        evaluation |= {"scoring_digest": phase.scoring_digest, "reference_digest": phase.reference_digest}
        evaluation |= {"plan_digest": "", "scorer_version": "", "attempt": 1, "outcome": "ok", "purpose": "official"}
        score = float(draw.uniform(0.6, 0.9))
        value: dict[str, Any] = {"evaluation_id": evaluation["id"], "metric": "auroc", "output": "auroc"}
        value |= {"value": score, "low": score - 0.05, "high": score + 0.05, "n_cases": 1000, "n_clusters": 1000}
        values = [value | {"id": new_id(), "slice": part} for part in SLICES]
        yield [submission | {"current_id": evaluation["id"]}], [evaluation | {"created_at": at}], values


def _replicates(session: Session, instance: Instance, draw: np.random.Generator) -> Blob:
    """The resampled values of a team, in the store where a runner's report puts them."""
    scores = draw.uniform(0.6, 0.9) + draw.normal(0, 0.02, REPLICATES)
    stored = instance.blobs.write("reference", [pack_arrays({f"auroc.auroc|{part}": scores for part in SLICES})])
    return blobs.record(session, store="reference", sha256=stored.sha256, size=stored.size, now=NOW)
