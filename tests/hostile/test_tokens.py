"""A stolen limited token: what it opens, and what it does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.db.challenges import Challenge, Juror
from app.db.engine import Database
from app.db.users import User
from app.domain.access import SCOPES
from app.errors import NotAllowed
from tests import crowd, scenario
from tests.instance import organiser
from tests.scenario import PASSWORD, Person
from tests.serving import Served, served

CASES = scenario.cases()
C = "/challenges/tiny"
ENTRY = scenario.entry(CASES)
READS = (f"{C}/team", f"{C}/submissions", f"{C}/submissions/1", f"{C}/files", "/tokens", "/me")
TEAM: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST", f"{C}/phases/main/submissions", {"content": ENTRY}),
    ("POST", f"{C}/submissions/1/cancel", {}),
    ("POST", f"{C}/submissions/1/withdraw", {}),
    ("POST", f"{C}/submissions/1/final", {}),
    ("POST", f"{C}/join", {"json": {}}),
    ("PATCH", f"{C}/team", {"json": {"name": "stolen"}}),
    ("POST", f"{C}/team/invitations", {}),
    ("POST", f"{C}/team/join", {"json": {"invitation": "inv_none"}}),
)
ORGANISERS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST", "/challenges", {"content": scenario.archive(scenario.folder(CASES))}),
    ("POST", f"{C}/publish", {}),
    ("POST", f"{C}/phases/main/close", {}),
    ("POST", f"{C}/phases/main/unfreeze", {"json": {"reason": "mine"}}),
    ("POST", f"{C}/submissions/1/retry", {}),
    ("POST", f"{C}/submissions/1/dismiss", {}),
    ("GET", f"{C}/phases/main/leaderboard?split=private", {}),
)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("tokens"), sqlite_template) as instance:
        scenario.publish(organiser(instance), scenario.folder(CASES))
        ada = scenario.person(instance.url, "ada")
        scenario.join(ada, "tiny")
        scenario.submit(ada, "tiny", ENTRY)
        yield instance


def holder(instance: Served, name: str, *scopes: str) -> Person:
    return scenario.signed_in(instance.url, f"{name}@example.org", scopes)


def statuses(who: Person, acts: tuple[tuple[str, str, dict[str, Any]], ...]) -> set[int]:
    return {who.http.request(method, path, **options).status_code for method, path, options in acts}


def test_a_token_that_reads_writes_nothing(instance: Served) -> None:
    reader = holder(instance, "ada", "read")
    assert {reader.http.get(path).status_code for path in READS} == {200}
    before = reader.get(f"{C}/submissions")
    assert statuses(reader, TEAM) <= {403, 404}
    assert statuses(reader, ORGANISERS) <= {403, 404}
    assert reader.get(f"{C}/submissions") == before


def test_a_token_that_submits_organises_nothing(instance: Served) -> None:
    submitter = holder(instance, "organiser", "read", "submit")
    assert statuses(submitter, ORGANISERS) <= {403, 404}
    # Nor may whoever organises a challenge take part in it, with any token.
    whole = holder(instance, "organiser", *SCOPES)
    assert statuses(whole, TEAM) <= {403, 404}


def test_a_token_that_organises_does_so_for_its_own_challenges_only(instance: Served) -> None:
    scenario.person(instance.url, "eve")
    with instance.database.write_session() as session:
        session.scalars(select(User).where(User.name == "eve")).one().can_organise = True
    eve = holder(instance, "eve", *SCOPES)
    assert statuses(eve, ORGANISERS[1:]) <= {403, 404}
    method, path, options = ORGANISERS[0]
    assert eve.http.request(method, path, **options).status_code == 409


def test_a_token_makes_none_and_a_limited_one_ends_only_itself(instance: Served) -> None:
    owner, stolen = holder(instance, "ada", *SCOPES), holder(instance, "ada", "read", "submit")
    wish = {"name": "t", "scopes": ["read"]}
    assert [who.http.post("/tokens", json=wish).status_code for who in (owner, stolen)] == [403, 403]
    # Nor with a password that it does not know.
    wrong = wish | {"email": "ada@example.org", "password": PASSWORD + "?"}
    assert stolen.http.post("/tokens", json=wrong).status_code == 401
    others = [row["id"] for row in owner.get("/tokens")]
    mine = others[0]
    assert [stolen.http.delete(f"/tokens/{one}").status_code for one in others[1:]] == [403] * (len(others) - 1)
    assert stolen.http.delete(f"/tokens/{mine}").status_code == 204
    assert stolen.http.get("/me").status_code == 401


def test_whoever_becomes_juror_or_organiser_submits_no_more(database: Database, tmp_path: Path) -> None:
    with crowd.crowd(tmp_path, database) as one:
        ada = crowd.join(one, "ada", "Ada")
        crowd.submit(one, ada, ENTRY)
        with database.write_session() as session:
            challenge = session.scalars(select(Challenge)).one()
            session.add(Juror(challenge_id=challenge.id, user_id=ada.user_id, added_at=crowd.now()))
        with pytest.raises(NotAllowed):
            crowd.submit(one, ada, scenario.entry(CASES, seed=8))
