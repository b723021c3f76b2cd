"""One published challenge and many people, by the services themselves: every act in a transaction of its own."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import worker
from app.db import challenges as challenge_rows
from app.db.engine import Database
from app.db.jobs import Job
from app.db.phases import Phase
from app.db.submissions import Submission
from app.db.teams import Membership
from app.db.users import User
from app.domain.access import Actor
from app.files.blobs import Blobs, Stored, open_blobs
from app.services import accounts, admissions, attempts, baselines, challenges, documents, submissions, teams
from app.services.admissions import Request
from app.services.attempts import Report
from app.services.folders import Kept
from app.settings import Settings
from sandbox_runner.contract import Detail, Finish, Value
from tests import scenario

CASES = scenario.cases(40)
LEASE_S = 60.0


@dataclass(frozen=True)
class Crowd:
    """An instance without HTTP. `kept` is the folder that was pushed; `chief` its organiser."""

    settings: Settings
    database: Database
    blobs: Blobs
    kept: Kept
    chief: Actor

    def worker(self) -> worker.Parts:
        return worker.Parts(self.settings, self.database, self.blobs)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@contextmanager
def crowd(folder: Path, database: Database, **options: object) -> Iterator[Crowd]:
    """A challenge `tiny` with a baseline, published. `options` as scenario.folder."""
    settings = Settings(data=folder, keep_free=0)
    blobs = open_blobs(settings)
    archive = folder / "tiny.tar"
    archive.write_bytes(scenario.archive(scenario.folder(CASES, baseline=True, **options)))  # type: ignore[arg-type]
    with database.write_session() as session:
        chief = person(session, "chief")
    with challenges.kept(archive, blobs=blobs, settings=settings) as kept:
        one = Crowd(settings, database, blobs, kept, chief)
        push(one)
        publish(one)
        yield one


def person(session: Session, name: str) -> Actor:
    """Somebody who may organise; without the slow hash of a password."""
    user = User(
        email=f"{name}@example.org",
        name=name,
        password_hash="x",
        can_organise=True,
        created_at=now(),
    )
    session.add(user)
    session.flush()
    return accounts.actor_of(user)


def push(one: Crowd) -> None:
    with one.database.write_session() as session:
        challenges.push(session, actor=one.chief, kept=one.kept, blobs=one.blobs, now=now())


def publish(one: Crowd) -> None:
    with one.database.write_session() as session:
        challenge = challenges.publish(session, actor=one.chief, slug="tiny", now=now())
        baselines.enter(
            session,
            actor=one.chief,
            challenge=challenge,
            blobs=one.blobs,
            settings=one.settings,
            now=now(),
        )


def join(one: Crowd, name: str, team: str) -> Actor:
    """A newcomer accepts the documents and enters."""
    with one.database.write_session() as session:
        actor = person(session, name)
    with one.database.write_session() as session:
        challenge = challenge_rows.by_slug(session, "tiny")
        assert challenge is not None
        accept = [row.id for row in challenge_rows.documents_of(session, challenge.id)]
        documents.join(session, actor=actor, slug="tiny", accept=accept, team_name=team, now=now())
    return actor


def submit(one: Crowd, actor: Actor, data: bytes, **options: object) -> int:
    """Admit, write and enter `data`; the entry's number."""
    request = Request(slug="tiny", phase="main", **options)  # type: ignore[arg-type]
    with one.database.write_session() as session:
        admission = admissions.admit(session, actor=actor, request=request, settings=one.settings, now=now())
    stored: Stored = one.blobs.write("entries", [data])
    with one.database.write_session() as session:
        done = submissions.submit(
            session,
            actor=actor,
            request=request,
            admission=admission,
            stored=stored,
            settings=one.settings,
            now=now(),
        )
        return done.submission.number


def score(one: Crowd, draw: random.Random) -> bool:
    """Claim one job and report a drawn value for it; False when there is none."""
    with one.database.write_session() as session:
        claimed = attempts.claim(session, queues=("check", "score"), runner=None, lease_s=LEASE_S, now=now())
    if claimed is None:
        return False
    job, token = claimed
    report = Report(report_of(job.kind, round(draw.random(), 3)), uuid.uuid4().hex * 2)
    with one.database.write_session() as session:
        attempts.finish(session, job_id=job.id, token=token, report=report, now=now())
    return True


def report_of(kind: str, value: float) -> Finish:
    """What a runner says of an entry that scored `value` everywhere."""
    if kind == "check":
        return Finish(outcome="ok")
    values = [
        Value(metric=metric, output=metric, slice=name, value=value, n_cases=10, n_clusters=10)
        for metric in ("auroc", "brier")
        for name in ("all", "split:public", "split:private")
    ]
    return Finish(outcome="ok", detail=Detail(plan_digest="4" * 64), values=values)


def numbers_of(one: Crowd, actor: Actor) -> list[int]:
    """The numbers of the entries of the actor's team."""
    with one.database.read_session() as session:
        query = select(Submission.number).join(Membership, Membership.team_id == Submission.team_id)
        return list(session.scalars(query.where(Membership.user_id == actor.user_id)))


def phase_of(session: Session) -> Phase:
    return session.scalars(select(Phase).where(Phase.slug == "main")).one()


def rename(one: Crowd, actor: Actor, name: str) -> None:
    with one.database.write_session() as session:
        teams.rename(session, actor=actor, slug="tiny", name=name, now=now())


def move(one: Crowd, actor: Actor, into: Actor) -> None:
    """Invite somebody into a team, who follows."""
    with one.database.write_session() as session:
        _, secret = teams.invite(session, actor=into, slug="tiny", now=now())
    with one.database.write_session() as session:
        teams.join_team(session, actor=actor, slug="tiny", secret=secret, now=now())


def change(one: Crowd, actor: Actor, number: int, act: str) -> None:
    """Withdraw, cancel or choose as final."""
    with one.database.write_session() as session:
        if act == "final":
            submissions.choose_final(session, actor=actor, slug="tiny", number=number, final=True, now=now())
        elif act == "withdraw":
            submissions.withdraw(session, actor=actor, slug="tiny", number=number, now=now())
        else:
            submissions.cancel(session, actor=actor, slug="tiny", number=number, now=now())


def open_jobs(one: Crowd) -> int:
    with one.database.read_session() as session:
        query = select(Job).where(Job.state.in_(["ready", "leased"]), Job.queue.in_(["check", "score"]))
        return len(session.scalars(query).all())
