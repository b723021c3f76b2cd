"""A runner that lies: what its report may not say of a job."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import func, select

from app.db.engine import Database
from app.db.evaluations import Evaluation, MetricValue
from app.db.submissions import Submission
from app.errors import Invalid
from app.services import attempts
from app.services.attempts import Report
from sandbox_runner.contract import Detail, Finish, Value
from tests.app import world
from tests.app.world import NOW


@pytest.fixture
def entry(database: Database) -> uuid.UUID:
    """The job of one queued entry."""
    with database.write_session() as session:
        here = world.make(session)
        return world.submit(session, here, world.team(session, here, "a"))[1].id


def value(**changes: Any) -> Value:
    known: dict[str, Any] = {"metric": "risk", "output": "auroc", "slice": "all", "value": 0.5}
    return Value(**known | {"n_cases": 10, "n_clusters": 10} | changes)


def finish(database: Database, finished: Finish) -> str:
    with database.write_session() as session:
        claimed = attempts.claim(session, queues=("score",), runner=None, lease_s=60, now=NOW)
    assert claimed is not None
    job, token = claimed
    with database.write_session() as session:
        return attempts.finish(session, job_id=job.id, token=token, report=Report(finished, "f" * 64), now=NOW)


TRUE = world.scored(0.5)


@pytest.mark.parametrize(
    "lie",
    [
        [value(metric="other")],
        [value(slice="split:secret")],
        [value(slice="everything")],
        [value(), value(value=0.9)],
        [value(output="x" * 121)],
        [value(slice="subgroup:sex=\0")],
        [value(value=None, undefined="x" * 81)],
        [value(n_cases=2**31)],
    ],
)
@pytest.mark.usefixtures("entry")
def test_values_that_the_phase_cannot_have_are_refused(database: Database, lie: list[Value]) -> None:
    honest = [one for one in TRUE.values if one.slice != "all"]
    with pytest.raises(Invalid):
        finish(database, TRUE.model_copy(update={"values": honest + lie}))
    with database.read_session() as session:
        assert session.scalar(select(func.count()).select_from(Evaluation)) == 0
        assert session.scalars(select(Submission.state)).all() == ["running"]


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    "finished",
    [
        Finish(outcome="ok"),
        TRUE.model_copy(update={"values": TRUE.values[:2]}),
        TRUE.model_copy(update={"detail": Detail(sha256="9" * 64)}),
        TRUE.model_copy(update={"detail": Detail(counts={"rows": 2**53})}),
        TRUE.model_copy(update={"detail": Detail(total={"E-X": 2**53})}),
    ],
)
def test_a_score_without_its_ranking_values_or_of_other_bytes_is_none(database: Database, finished: Finish) -> None:
    with pytest.raises(Invalid):
        finish(database, finished)


@pytest.mark.usefixtures("entry")
def test_subgroups_sites_and_undefined_values_are_written_down(database: Database) -> None:
    more = [value(slice="subgroup:sex=F"), value(slice="site:lyon", value=None, undefined="one-class")]
    assert finish(database, TRUE.model_copy(update={"values": [*TRUE.values, *more]})) == "done"
    with database.read_session() as session:
        assert session.scalar(select(func.count()).select_from(MetricValue)) == len(TRUE.values) + 2
