"""Route by route and role by role: who gets which answer. A route without a row fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.db.challenges import Challenge, Juror
from app.db.users import User
from app.domain.access import SCOPES
from app.main import create_app
from app.settings import Settings
from tests import scenario
from tests.scenario import Person
from tests.serving import Served, served

ROLES = ("anonymous", "stranger", "participant", "other", "juror", "organiser", "admin")
CASES = scenario.cases()
C = "/challenges/tiny"
NIL = "00000000-0000-0000-0000-000000000000"
RUNNER = {"headers": {"Arbitre-Protocol": "1"}}
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {"Upload-Offset": "5", "Content-Type": "application/offset+octet-stream"}
ANNOUNCED = {"Upload-Length": "9", "Upload-Metadata": "challenge dGlueQ==,phase bWFpbg=="}


def row(*statuses: int, **options: Any) -> dict[str, Any]:
    """Statuses in the order of ROLES; one for all when there is only one."""
    return {"statuses": statuses * len(ROLES) if len(statuses) == 1 else statuses, **options}


# Statuses:            anonymous stranger participant other juror organiser admin
TABLE: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/accounts"): row(422, json={"email": "x", "name": "", "password": ""}),
    ("GET", "/me"): row(401, 200, 200, 200, 200, 200, 200),
    ("POST", "/sessions"): row(401, json={"email": "nobody@example.org", "password": "wrong password"}),
    ("DELETE", "/sessions/current"): row(204),
    ("POST", "/tokens"): row(401, 403, 403, 403, 403, 403, 403, json={"name": "t", "scopes": ["read"]}),
    ("GET", "/tokens"): row(401, 200, 200, 200, 200, 200, 200),
    ("DELETE", "/tokens/{token_id}"): row(401, 404, 404, 404, 404, 404, 404, path=f"/tokens/{NIL}"),
    ("GET", "/challenges"): row(200),
    ("POST", "/challenges"): row(401, 403, 403, 403, 403, 422, 422, content=b"not an archive"),
    ("GET", "/challenges/{slug}"): row(200, path=C),
    ("GET", "/challenges/{slug}#draft"): row(404, 404, 404, 404, 404, 200, 200, path="/challenges/draft"),
    ("POST", "/challenges/{slug}/publish"): row(403, 403, 403, 403, 403, 200, 200, path=f"{C}/publish"),
    ("POST", "/challenges/{slug}/phases/{phase}/close"): row(
        403, 403, 403, 403, 403, 404, 404, path=f"{C}/phases/none/close"
    ),
    ("POST", "/challenges/{slug}/phases/{phase}/unfreeze"): row(
        403, 403, 403, 403, 403, 409, 409, path=f"{C}/phases/main/unfreeze", json={"reason": "the clock leapt"}
    ),
    ("GET", "/challenges/{slug}/pages/{name}"): row(200, path=f"{C}/pages/overview"),
    ("GET", "/challenges/{slug}/documents"): row(200, path=f"{C}/documents"),
    ("GET", "/challenges/{slug}/documents/{document_id}"): row(404, path=f"{C}/documents/{NIL}"),
    ("POST", "/challenges/{slug}/join"): row(401, 409, 201, 201, 403, 403, 403, path=f"{C}/join", json={}),
    ("GET", "/challenges/{slug}/files"): row(403, 403, 200, 200, 403, 200, 200, path=f"{C}/files"),
    ("GET", "/challenges/{slug}/files/{path:path}"): row(
        403, 403, 200, 200, 403, 200, 200, path=f"{C}/files/public/cases.csv"
    ),
    ("GET", "/challenges/{slug}/files/{path:path}#secret"): row(
        403, 403, 404, 404, 403, 404, 404, path=f"{C}/files/reference/predictions.csv"
    ),
    ("GET", "/challenges/{slug}/team"): row(404, 404, 200, 200, 404, 404, 404, path=f"{C}/team"),
    ("PATCH", "/challenges/{slug}/team"): row(404, 404, 422, 422, 404, 404, 404, path=f"{C}/team", json={"name": ""}),
    ("POST", "/challenges/{slug}/team/invitations"): row(
        404, 404, 201, 201, 404, 404, 404, path=f"{C}/team/invitations"
    ),
    ("POST", "/challenges/{slug}/team/join"): row(404, path=f"{C}/team/join", json={"invitation": "inv_none"}),
    ("POST", "/challenges/{slug}/phases/{phase}/submissions"): row(
        401, 403, 202, 202, 403, 403, 403, path=f"{C}/phases/main/submissions", content=scenario.entry(CASES)
    ),
    ("POST", "/challenges/{slug}/phases/{phase}/submissions#upload"): row(
        401, 403, 404, 404, 403, 403, 403, path=f"{C}/phases/main/submissions", json={"upload_id": NIL}
    ),
    ("OPTIONS", "/uploads"): row(204),
    ("OPTIONS", "/uploads/{upload_id}"): row(204, path=f"/uploads/{NIL}"),
    ("POST", "/uploads"): row(401, 403, 201, 201, 403, 403, 403, headers=TUS | ANNOUNCED),
    ("HEAD", "/uploads/{upload_id}"): row(404, 404, 200, 404, 404, 404, 404, path="/uploads/{mine}", headers=TUS),
    ("PATCH", "/uploads/{upload_id}"): row(
        404, 404, 409, 404, 404, 404, 404, path="/uploads/{mine}", headers=TUS | PIECE, content=b"id"
    ),
    ("DELETE", "/uploads/{upload_id}"): row(404, 404, 204, 404, 404, 404, 404, path="/uploads/{mine}", headers=TUS),
    ("GET", "/challenges/{slug}/submissions"): row(404, 404, 200, 200, 404, 404, 404, path=f"{C}/submissions"),
    ("GET", "/challenges/{slug}/submissions/{number}"): row(
        404, 404, 200, 404, 404, 200, 200, path=f"{C}/submissions/1"
    ),
    ("GET", "/challenges/{slug}/submissions/{number}/status"): row(
        404, 404, 200, 404, 404, 200, 200, path=f"{C}/submissions/1/status"
    ),
    ("GET", "/challenges/{slug}/submissions/{number}/receipt"): row(
        404, 404, 200, 404, 404, 200, 200, path=f"{C}/submissions/1/receipt"
    ),
    ("POST", "/challenges/{slug}/submissions/{number}/withdraw"): row(
        404, 404, 409, 404, 404, 403, 403, path=f"{C}/submissions/1/withdraw"
    ),
    ("POST", "/challenges/{slug}/submissions/{number}/final"): row(
        404, 404, 409, 404, 404, 403, 403, path=f"{C}/submissions/1/final"
    ),
    ("POST", "/challenges/{slug}/submissions/{number}/retry"): row(
        404, 404, 403, 404, 404, 409, 409, path=f"{C}/submissions/1/retry"
    ),
    ("POST", "/challenges/{slug}/submissions/{number}/dismiss"): row(
        404, 404, 403, 404, 404, 409, 409, path=f"{C}/submissions/1/dismiss"
    ),
    ("POST", "/challenges/{slug}/submissions/{number}/cancel"): row(
        404, 404, 200, 404, 404, 403, 403, path=f"{C}/submissions/1/cancel"
    ),
    ("GET", "/challenges/{slug}/phases/{phase}/leaderboard"): row(200, path=f"{C}/phases/main/leaderboard"),
    ("GET", "/challenges/{slug}/phases/{phase}/leaderboard#private"): row(
        404, 404, 404, 404, 404, 200, 200, path=f"{C}/phases/main/leaderboard?split=private"
    ),
    ("GET", "/challenges/{slug}/phases/{phase}/leaderboard/history"): row(
        404, 404, 200, 200, 404, 404, 404, path=f"{C}/phases/main/leaderboard/history"
    ),
    ("GET", "/challenges/{slug}/phases/{phase}/leaderboard/history#private"): row(
        404, 404, 404, 404, 404, 200, 200, path=f"{C}/phases/main/leaderboard/history?team=participant&split=private"
    ),
    ("GET", "/challenges/{slug}/phases/{phase}/leaderboard.csv"): row(200, path=f"{C}/phases/main/leaderboard.csv"),
    ("GET", "/challenges/{slug}/phases/{phase}/export"): row(404, path=f"{C}/phases/main/export"),
    ("GET", "/metrics"): row(200),
    ("GET", "/metrics/{key}"): row(200, path="/metrics/auroc"),
    ("GET", "/health"): row(200),
    ("POST", "/runner/register"): row(
        401, json={"name": "r", "public_key": "A" * 44, "queues": ["score"]}, bearer="run_none", **RUNNER
    ),
    ("POST", "/runner/claim"): row(401, json={"queues": ["score"], "capacity": 1}, bearer="run_none", **RUNNER),
    ("GET", "/runner/jobs/{job}/inputs/{role:path}"): row(
        409, path=f"/runner/jobs/{NIL}/inputs/spec", bearer="job_none", **RUNNER
    ),
    ("POST", "/runner/jobs/{job}/heartbeat"): row(
        409, path=f"/runner/jobs/{NIL}/heartbeat", json={}, bearer="job_none", **RUNNER
    ),
    ("PUT", "/runner/jobs/{job}/blobs/{role}"): row(
        409, path=f"/runner/jobs/{NIL}/blobs/replicates", content=b"x", bearer="job_none", **RUNNER
    ),
    ("POST", "/runner/jobs/{job}/finish"): row(
        409, path=f"/runner/jobs/{NIL}/finish", json={"outcome": "ok"}, bearer="job_none", **RUNNER
    ),
}


@dataclass(frozen=True)
class World:
    """The served instance and one client for each role."""

    served: Served
    people: dict[str, Person]
    mine: str


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[World]:
    with served(tmp_path_factory.mktemp("access"), sqlite_template) as instance:
        url = instance.url
        people = {"anonymous": scenario.anonymous(url)}
        for role in ROLES[1:]:
            scenario.person(url, role, SCOPES)
        with instance.database.write_session() as session:
            for user in session.scalars(select(User).where(User.name.in_(["organiser", "admin"]))):
                user.can_organise, user.admin = True, user.name == "admin"
        people |= {role: scenario.signed_in(url, f"{role}@example.org", SCOPES) for role in ROLES[1:]}
        organiser = people["organiser"]
        scenario.publish(organiser, scenario.folder(CASES, sensitivity="controlled"))
        organiser.post("/challenges", content=scenario.archive(scenario.folder(CASES, slug="draft")))
        for role in ("participant", "other"):
            scenario.join(people[role], "tiny")
        with instance.database.write_session() as session:
            tiny = session.scalars(select(Challenge).where(Challenge.slug == "tiny")).one()
            juror = session.scalars(select(User).where(User.name == "juror")).one()
            session.add(Juror(challenge_id=tiny.id, user_id=juror.id, added_at=juror.created_at))
        scenario.submit(people["participant"], "tiny", scenario.entry(CASES, seed=1))
        upload = people["participant"].http.post("/uploads", headers=TUS | ANNOUNCED)
        yield World(instance, people, upload.headers["Location"].rpartition("/")[2])


@pytest.mark.parametrize(("key", "role"), [(key, role) for key in TABLE for role in ROLES])
def test_who_gets_which_answer(world: World, key: tuple[str, str], role: str) -> None:
    declared = dict(TABLE[key])
    expected = dict(zip(ROLES, declared.pop("statuses"), strict=True))[role]
    path, bearer = declared.pop("path", key[1]).replace("{mine}", world.mine), declared.pop("bearer", None)
    client = world.people[role].http
    headers = dict(declared.pop("headers", {}))
    if bearer:
        headers["Authorization"] = f"Bearer {bearer}"
    answer: httpx.Response = client.request(key[0], path, headers=headers, **declared)
    assert answer.status_code == expected, answer.text[:300]


def test_every_route_of_the_api_has_a_row(tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path))
    routes = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in app.openapi()["paths"].items()
        if path.startswith("/api/v1")
        for method in methods
    }
    assert routes == {(method, path.split("#")[0].replace(":path}", "}")) for method, path in TABLE}
