"""Freezing boards: one broken phase holds up no other, and what a frozen board stood on stays."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db import blobs as blob_rows
from app.db.audit import AuditEntry
from app.db.boards import BoardSnapshot
from app.db.challenges import Challenge
from app.db.engine import Database
from app.db.evaluations import Evaluation
from app.db.phases import Phase
from app.db.teams import Team
from app.errors import Conflict, Invalid
from app.services import attempts, boards, challenges, jobs, leaderboards, schedule, teams
from tests import crowd, scenario
from tests.crowd import Crowd


@pytest.fixture
def one(database: Database, tmp_path: Path) -> Iterator[Crowd]:
    """`tiny` with one scored team, and `other`, a second challenge, without entries."""
    with crowd.crowd(tmp_path, database) as one:
        archive = tmp_path / "other.tar"
        archive.write_bytes(scenario.archive(scenario.folder(crowd.CASES, slug="other")))
        with challenges.kept(archive, blobs=one.blobs, settings=one.settings) as kept:
            with database.write_session() as session:
                challenges.push(session, actor=one.chief, kept=kept, blobs=one.blobs, now=crowd.now())
            with database.write_session() as session:
                challenges.publish(session, actor=one.chief, slug="other", now=crowd.now())
        ada = crowd.join(one, "ada", "Ada")
        crowd.submit(one, ada, scenario.entry(crowd.CASES))
        draw = random.Random(1)
        while crowd.score(one, draw):
            pass
        yield one


def spoil(one: Crowd, content: bytes) -> None:
    """Let every evaluation name `content` as its replicates."""
    stored = one.blobs.write("reference", [content])
    with one.database.write_session() as session:
        blob = blob_rows.record(
            session,
            store="reference",
            sha256=stored.sha256,
            size=stored.size,
            now=crowd.now(),
        )
        for evaluation in session.scalars(select(Evaluation)):
            evaluation.replicates_id = blob.id


def close_all(one: Crowd) -> dict[str, bool]:
    """Close both phases and let time do its work; which froze."""
    with one.database.write_session() as session:
        for slug in ("tiny", "other"):
            challenges.close(session, actor=one.chief, slug=slug, phase="main", now=crowd.now())
    with one.database.write_session() as session:
        schedule.tick(session, blobs=one.blobs, now=crowd.now())
    with one.database.read_session() as session:
        query = select(Challenge.slug, Phase.frozen_at).join(Phase, Phase.challenge_id == Challenge.id)
        return {slug: frozen is not None for slug, frozen in session.execute(query)}


def test_replicates_that_cannot_be_read_hold_up_no_other_phase(one: Crowd) -> None:
    spoil(one, b"not an npz")
    with one.database.write_session() as session:
        (live, _) = boards.compute(session, phase_id=phase_id(one), blobs=one.blobs, now=crowd.now())
    assert [(row["team"], row["rank"], row["rank_low"]) for row in live.shown["rows"] if not row["baseline"]] == [
        ("Ada", 1, None)
    ]
    assert close_all(one) == {"tiny": False, "other": True}
    with one.database.read_session() as session:
        frozen = session.scalars(select(BoardSnapshot).where(BoardSnapshot.frozen)).all()
    assert {snapshot.phase_id == phase_id(one) for snapshot in frozen} == {False}


def test_the_hash_holds_whatever_teams_are_called_later(one: Crowd) -> None:
    assert close_all(one) == {"tiny": True, "other": True}
    before = exported(one)
    with one.database.write_session() as session:
        session.scalars(select(Team).where(Team.name == "Ada")).one().name = "Somebody else"
    after = exported(one)
    assert after == before
    body = {key: value for key, value in after.items() if key not in ("frozen", "hash", "salt", "pinned")}
    assert boards.board_hash(body, after["pinned"], after["salt"]) == after["hash"]
    assert [row["team"] for row in after["pinned"]["entries"]] == ["Baseline", "Ada"]
    with one.database.read_session() as session:
        behind = leaderboards.read(session, actor=one.chief, slug="tiny", phase="main", split="public")
    assert "pinned" not in behind


def exported(one: Crowd) -> dict[str, Any]:
    with one.database.read_session() as session:
        return leaderboards.exported(session, actor=one.chief, slug="tiny", phase="main", split="public")


def phase_id(one: Crowd) -> uuid.UUID:
    with one.database.read_session() as session:
        query = select(Phase.id).join(Challenge, Challenge.id == Phase.challenge_id)
        return session.scalars(query.where(Challenge.slug == "tiny")).one()


DAY = dt.timedelta(days=1)


def leap(one: Crowd, *, by: dt.timedelta) -> dt.datetime:
    """The platform beats, then its clock says `by` more; the wrong hour."""
    with one.database.write_session() as session:
        jobs.enqueue(
            session, queue="house", kind="tick", coalesce="tick", max_attempts=5, deadline=crowd.now() + 9 * DAY,
            now=crowd.now(),
        )  # fmt: skip
    beat(one, crowd.now())
    return crowd.now() + by


def beat(one: Crowd, now: dt.datetime) -> None:
    """One tick as the worker does it."""
    with one.database.write_session() as session:
        claimed = attempts.claim(session, queues=("house",), runner=None, lease_s=60, now=now)
    while claimed is not None and claimed[0].kind != "tick":
        with one.database.write_session() as session:
            jobs.end(session, jobs.held(session, job_id=claimed[0].id, token=claimed[1]), state="done", now=now)
            claimed = attempts.claim(session, queues=("house",), runner=None, lease_s=60, now=now)
    assert claimed is not None
    with one.database.write_session() as session:
        schedule.tick(session, blobs=one.blobs, now=now)
        held = jobs.held(session, job_id=claimed[0].id, token=claimed[1])
        jobs.again(session, held, run_after=now + dt.timedelta(seconds=5), deadline=now + 9 * DAY)


def frozen(one: Crowd, slug: str = "tiny") -> bool:
    with one.database.read_session() as session:
        query = select(Phase.frozen_at).join(Challenge, Phase.challenge_id == Challenge.id)
        return session.scalars(query.where(Challenge.slug == slug)).one() is not None


def test_a_clock_that_leaps_over_the_close_freezes_nothing_for_ten_minutes(one: Crowd) -> None:
    far = leap(one, by=40_000 * DAY)
    for seconds in range(0, 541, 90):
        beat(one, far + dt.timedelta(seconds=seconds))
        assert not frozen(one)
    with one.database.read_session() as session:
        phase = session.scalars(select(Phase).limit(1)).one()
        assert schedule.blockers(session, phase=phase, now=far + dt.timedelta(seconds=540)) == {"clock": 1}
    # Put right again, nothing has happened; and in its own time the phase freezes.
    with one.database.write_session() as session:
        attempts.give_up(session, lease_s=60, now=crowd.now() + dt.timedelta(seconds=700))
    beat(one, crowd.now() + dt.timedelta(seconds=790))
    assert not frozen(one)


def test_after_a_night_without_power_a_closed_phase_freezes_ten_minutes_later(one: Crowd) -> None:
    far = leap(one, by=40_000 * DAY)
    for seconds in range(0, 601, 100):
        beat(one, far + dt.timedelta(seconds=seconds))
    assert frozen(one)


def test_a_phase_that_closes_while_the_platform_beats_freezes_at_once(one: Crowd) -> None:
    far = leap(one, by=DAY)
    beat(one, far)
    with one.database.write_session() as session:
        challenges.close(session, actor=one.chief, slug="tiny", phase="main", now=far + dt.timedelta(seconds=5))
    beat(one, far + dt.timedelta(seconds=10))
    assert frozen(one)


def test_a_board_that_a_wrong_clock_froze_can_be_opened_again(one: Crowd) -> None:
    far = leap(one, by=40_000 * DAY)
    for seconds in range(0, 601, 100):
        beat(one, far + dt.timedelta(seconds=seconds))
    assert frozen(one)
    with one.database.write_session() as session, pytest.raises(Invalid):
        unfreeze(one, session, reason=" ")
    with one.database.write_session() as session:
        unfreeze(one, session, reason="The clock of the host was a year ahead.")
    assert not frozen(one)
    with one.database.read_session() as session:
        acts = session.scalars(select(AuditEntry.act).where(AuditEntry.act.like("phase.%")).order_by(AuditEntry.seq))
        assert [act for act in acts if act != "phase.close"][-2:] == ["phase.freeze", "phase.unfreeze"]
        assert session.scalar(select(func.count()).where(BoardSnapshot.frozen)) == 4
    with one.database.write_session() as session, pytest.raises(Conflict):
        unfreeze(one, session, reason="Again.")


def test_the_board_of_a_closed_phase_stays_frozen(one: Crowd) -> None:
    assert close_all(one) == {"tiny": True, "other": True}
    with one.database.write_session() as session, pytest.raises(Conflict):
        unfreeze(one, session, reason="We did not like the winner.")
    assert frozen(one)


def unfreeze(one: Crowd, session: Session, *, reason: str) -> None:
    schedule.unfreeze(session, actor=one.chief, slug="tiny", phase="main", reason=reason, now=crowd.now())


def test_once_a_challenge_has_closed_no_team_is_renamed_or_grows(one: Crowd) -> None:
    ben, ada = crowd.join(one, "ben", "Ben"), crowd.join(one, "ada2", "Ada 2")
    with one.database.write_session() as session:
        teams.rename(session, actor=ben, slug="tiny", name="Ben and friends", now=crowd.now())
        _, secret = teams.invite(session, actor=ben, slug="tiny", now=crowd.now())
    close_all(one)
    with one.database.write_session() as session, pytest.raises(Conflict):
        teams.rename(session, actor=ben, slug="tiny", name="The winners", now=crowd.now())
    with one.database.write_session() as session, pytest.raises(Conflict):
        teams.join_team(session, actor=ada, slug="tiny", secret=secret, now=crowd.now())
