"""Freezing boards: one broken phase holds up no other, and what a frozen board stood on stays."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.db import blobs as blob_rows
from app.db.boards import BoardSnapshot
from app.db.challenges import Challenge
from app.db.engine import Database
from app.db.evaluations import Evaluation
from app.db.phases import Phase
from app.db.teams import Team
from app.services import boards, challenges, leaderboards, schedule
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
