"""A published challenge with one open phase, and teams that submit: the rows that jobs are about."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.db import blobs
from app.db.challenges import Challenge, ChallengeVersion
from app.db.jobs import Job
from app.db.phases import Phase, Split
from app.db.runners import Runner
from app.db.submissions import Submission
from app.db.teams import Team
from app.db.users import User
from app.domain.ids import NIL, new_secret, secret_hash
from app.services import jobs
from sandbox_runner.contract import Detail, Finish, Value
from scoring.spec import (
    CasesSpec,
    ColumnSpec,
    MetricUse,
    RankingSpec,
    ScoringSpec,
    SplitSpec,
    TableSpec,
    to_json,
)

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
SCORING = to_json(
    ScoringSpec(
        tables=(
            TableSpec(
                name="risks",
                file="predictions.csv",
                case="id",
                key=("id",),
                columns=(ColumnSpec("risk", "probability"),),
            ),
        ),
        cases=CasesSpec(id="id"),
        metrics=(MetricUse("risk", "auroc", "risks", {"label": "label", "score": "risk", "positive": "1"}),),
        splits=(SplitSpec("public", "live", share=0.5), SplitSpec("private", "after_close", share=0.5)),
        ranking=RankingSpec("risk", "auroc", "higher", ties="exact"),
    )
)


def at(seconds: float) -> dt.datetime:
    """A moment of the tests' clock."""
    return NOW + dt.timedelta(seconds=seconds)


@dataclass(frozen=True)
class World:
    """Ids, so that any session can use them."""

    user_id: uuid.UUID
    challenge_id: uuid.UUID
    phase_id: uuid.UUID
    blob_id: uuid.UUID


def make(session: Session) -> World:
    """One challenge `sepsis` with phase `main`, splits public (live) and private."""
    user = User(email="ada@example.org", name="Ada", password_hash="x", created_at=NOW)
    session.add(user)
    session.flush()
    challenge = Challenge(
        slug="sepsis",
        title={"fr": "Sepsis", "en": "Sepsis"},
        summary={"fr": "Sepsis", "en": "Sepsis"},
        zone="UTC",
        sensitivity="open",
        created_by=user.id,
        created_at=NOW,
        published_at=NOW,
    )
    session.add(challenge)
    session.flush()
    version = ChallengeVersion(
        challenge_id=challenge.id, number=1, digest="0" * 64, spec={}, created_by=user.id, created_at=NOW
    )
    session.add(version)
    session.flush()
    challenge.version_id = version.id
    blob = blobs.record(session, store="entries", sha256=hashlib.sha256(b"id,risk\n").hexdigest(), size=8, now=NOW)
    phase = _phase(challenge, version, blob)
    session.add(phase)
    session.flush()
    session.add_all(
        Split(phase_id=phase.id, name=name, visible=visible, position=position)
        for position, (name, visible) in enumerate([("public", "live"), ("private", "after_close")])
    )
    session.flush()
    return World(user.id, challenge.id, phase.id, blob.id)


def _phase(challenge: Challenge, version: ChallengeVersion, blob: blobs.Blob) -> Phase:
    return Phase(
        challenge_id=challenge.id,
        version_id=version.id,
        slug="main",
        title={"fr": "Phase", "en": "Phase"},
        position=0,
        opens_at=at(-3600),
        closes_at=at(86_400),
        kinds=["predictions"],
        quota_day=5,
        quota_total=100,
        limits={"size_mb": 50, "wall_s": 60, "memory_mb": 2048},
        scoring_spec=SCORING,
        scoring_digest="1" * 64,
        reference_digest="2" * 64,
        seed=7,
        precision=3,
        inputs={"spec": blob.id.hex, "cases": blob.id.hex},
    )


def team(session: Session, world: World, name: str) -> uuid.UUID:
    """A new team; its id."""
    row = Team(challenge_id=world.challenge_id, name=name, created_at=NOW)
    session.add(row)
    session.flush()
    return row.id


def submit(
    session: Session, world: World, team_id: uuid.UUID, *, now: dt.datetime = NOW, check: bool = False
) -> tuple[Submission, Job]:
    """A queued entry of a team and its job (3 attempts, 15 minutes)."""
    challenge = session.get_one(Challenge, world.challenge_id)
    challenge.submissions += 1
    submission = Submission(
        number=challenge.submissions,
        challenge_id=challenge.id,
        phase_id=world.phase_id,
        team_id=team_id,
        user_id=world.user_id,
        kind="predictions",
        check=check,
        blob_id=world.blob_id,
        sha256="3" * 64,
        size=8,
        state="queued",
        requested_at=now,
        received_at=now,
    )
    session.add(submission)
    session.flush()
    kind = "check" if check else "score"
    job = jobs.enqueue(
        session,
        queue=kind,
        kind=kind,
        priority=50 if check else 100,
        max_attempts=3,
        deadline=now + dt.timedelta(minutes=15),
        challenge_id=challenge.id,
        phase_id=world.phase_id,
        team_id=team_id,
        submission_id=submission.id,
        payload={"inputs": {"spec": world.blob_id.hex, "entry": world.blob_id.hex}, "spec_digest": "1" * 64},
        now=now,
    )
    assert job is not None
    return submission, job


def runner(session: Session, *, name: str = "local", public_key: str = "") -> tuple[Runner, str]:
    """A registered runner of this site and its key."""
    key = new_secret("run")
    row = Runner(
        site_id=NIL,
        name=name,
        public_key=public_key,
        key_hash=secret_hash(key),
        queues=["check", "score"],
        tags=[],
        versions={"arbitre": "0.1.0"},
        registered_at=NOW,
        seen_at=NOW,
    )
    session.add(row)
    session.flush()
    return row, key


def scored(value: float) -> Finish:
    """The report of an entry that scored `value` on both splits."""
    values = [
        Value(metric="risk", output="auroc", slice=name, value=value, n_cases=10, n_clusters=10)
        for name in ("all", "split:public", "split:private")
    ]
    return Finish(outcome="ok", detail=Detail(sha256="3" * 64, plan_digest="4" * 64), values=values)
