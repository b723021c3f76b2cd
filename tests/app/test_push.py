"""What a new version of a challenge may change, and what people who took part can rely on."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.db import challenges as challenge_rows
from app.db.boards import BoardEntry
from app.db.challenges import Challenge, Document
from app.db.engine import Database
from app.db.evaluations import Evaluation
from app.db.phases import Phase
from app.db.submissions import Submission
from app.errors import AppError
from app.files.blobs import open_blobs
from app.services import baselines, challenges
from app.settings import Settings
from tests import crowd, scenario
from tests.crowd import Crowd

SOON = "2098-01-01T00:00:00Z"


@pytest.fixture
def one(database: Database, tmp_path: Path) -> Iterator[Crowd]:
    """`tiny`, published and open since 2020, without a precision of its own."""
    with crowd.crowd(tmp_path, database, precision=None) as one:
        yield one


def files(**options: Any) -> dict[str, bytes]:
    return scenario.folder(crowd.CASES, **{"baseline": True, "precision": None} | options)


def push(one: Crowd, folder: dict[str, bytes]) -> str:
    """Push a folder as its organiser does, baseline and all; what it did."""
    archive = one.settings.data / "next.tar"
    archive.write_bytes(scenario.archive(folder))
    with (
        challenges.kept(archive, blobs=one.blobs, settings=one.settings) as kept,
        one.database.write_session() as session,
    ):
        options: dict[str, Any] = {"actor": one.chief, "blobs": one.blobs, "now": crowd.now()}
        done = challenges.push(session, kept=kept, **options)
        baselines.renew(session, challenge=done.challenge, settings=one.settings, **options)
        return done.change


def refused(one: Crowd, folder: dict[str, bytes]) -> str:
    with pytest.raises(AppError) as error:
        push(one, folder)
    return str(error.value)


def phases(one: Crowd, slug: str = "tiny") -> list[Phase]:
    with one.database.read_session() as session:
        query = select(Phase).join(Challenge, Challenge.id == Phase.challenge_id).where(Challenge.slug == slug)
        return list(session.scalars(query.order_by(Phase.position)))


def documents(one: Crowd) -> list[Document]:
    """Every version of the rules."""
    with one.database.read_session() as session:
        return list(session.scalars(select(Document).order_by(Document.version)))


def score_all(one: Crowd) -> None:
    draw = random.Random(1)
    while crowd.score(one, draw):
        pass


def test_an_open_phase_cannot_be_unopened_to_change_what_it_scores(one: Crowd) -> None:
    assert "its `opens` is fixed" in refused(one, files(opens=SOON))
    flipped = [case.__class__(case.id, case.patient, case.sex, case.usage, 1 - case.label) for case in crowd.CASES]
    assert "are fixed" in refused(one, scenario.folder(flipped, baseline=True, precision=None))


def test_the_cases_of_an_open_phase_are_fixed(one: Crowd) -> None:
    fewer = files() | {"public/cases.csv": files()["public/cases.csv"].replace(b"c00000\n", b"")}
    assert "cases" in refused(one, fewer)


def test_a_close_cannot_be_put_into_the_past(one: Crowd) -> None:
    assert "give a moment to come" in refused(one, files(closes="2021-01-01T00:00:00Z"))
    assert push(one, files(closes=SOON)) == "updated"
    assert phases(one)[0].closes_at == dt.datetime.fromisoformat(SOON)


def test_a_text_that_people_accepted_does_not_change_under_them(one: Crowd) -> None:
    changed = files() | {"documents/rules.en.md": b"# Rules\n\nWe keep your code.\n"}
    assert push(one, changed) == "updated"
    crowd.join(one, "ada", "Ada")
    assert "Give what you changed a new version" in refused(one, files())
    second = {"challenge.toml": files()["challenge.toml"].replace(b"version = 1\n", b"version = 2\n")}
    assert push(one, files() | second) == "updated"
    with one.database.read_session() as session:
        texts = [
            challenges.document_text(session, document=row, language="en", blobs=one.blobs) for row in documents(one)
        ]
    assert [row.version for row in documents(one)] == [1, 2]
    assert texts == ["# Rules\n\nWe keep your code.\n", "# Rules\n\nBe fair.\n"]


def test_the_precision_that_the_baseline_set_outlives_a_typo(one: Crowd) -> None:
    with one.database.write_session() as session:
        crowd.phase_of(session).precision = 3
    assert push(one, files() | {"pages/overview.en.md": b"# Better\n"}) == "updated"
    assert phases(one)[0].precision == 3
    assert "`precision` is fixed at 3" in refused(one, files(precision=6))


def test_a_draft_can_be_mended(database: Database, tmp_path: Path) -> None:
    with database.write_session() as session:
        chief = crowd.person(session, "chief")
    settings = Settings(data=tmp_path, keep_free=0)
    one = Crowd(settings, database, open_blobs(settings), None, chief)  # type: ignore[arg-type]
    past = files(closes="2021-01-01T00:00:00Z")
    assert push(one, past) == "created"
    assert push(one, files(closes=SOON)) == "updated"
    assert phases(one)[0].closes_at == dt.datetime.fromisoformat(SOON)
    renamed = files()["challenge.toml"].replace(b'slug = "main"', b'slug = "final"')
    assert push(one, files() | {"challenge.toml": renamed}) == "updated"
    assert [phase.slug for phase in phases(one)] == ["final"]


def test_an_earlier_folder_pushed_again_is_no_dead_end(one: Crowd) -> None:
    second, third = (files() | {"pages/overview.en.md": text} for text in (b"# Second\n", b"# Third\n"))
    draft = {"documents/rules.en.md": b"# Rules\n\nA draft.\n"}
    assert [push(one, folder) for folder in (second | draft, files(), third)] == ["updated"] * 3
    with one.database.read_session() as session:
        challenge = session.scalars(select(Challenge)).one()
        numbers = [version.number for version in challenge_rows.versions_of(session, challenge)]
    assert numbers == [3, 2, 1]
    assert push(one, files()) == "updated"
    with one.database.read_session() as session:
        (rules,) = documents(one)
        text = challenges.document_text(session, document=rules, language="en", blobs=one.blobs)
    assert text == "# Rules\n\nBe fair.\n"


def test_a_slug_of_somebody_else_is_taken(one: Crowd) -> None:
    with one.database.write_session() as session:
        other = crowd.person(session, "other")
    stranger = Crowd(one.settings, one.database, one.blobs, one.kept, other)
    assert refused(stranger, files()) == (
        "There is a challenge tiny already, and you are not one of its organisers. Choose another slug."
    )


def test_before_the_opening_the_baseline_follows_the_reference(database: Database, tmp_path: Path) -> None:
    with crowd.crowd(tmp_path, database, precision=None, opens=SOON) as one:
        score_all(one)
        changed = [case.__class__(case.id, case.patient, case.sex, case.usage, 1 - case.label) for case in crowd.CASES]
        folder = scenario.folder(changed, baseline=True, precision=None, opens=SOON)
        same_entry = {path: content for path, content in files().items() if path.startswith("examples/")}
        assert push(one, folder | same_entry) == "updated"
        score_all(one)
        with database.read_session() as session:
            states = list(session.scalars(select(Submission.state).order_by(Submission.number)))
            pins = list(session.scalars(select(Evaluation.reference_digest).order_by(Evaluation.created_at)))
            standing = list(session.scalars(select(BoardEntry)))
        assert states == ["withdrawn", "scored"]
        assert pins[0] != pins[1] == phases(one)[0].reference_digest
        assert {entry.entries for entry in standing} == {1}
