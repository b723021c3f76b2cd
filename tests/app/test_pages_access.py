"""Page by page and role by role: who gets which answer. A page without a row fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import select

from app import pages
from app.db.challenges import Challenge, Juror
from app.db.users import User
from app.domain.access import SCOPES
from tests import scenario
from tests.browsing import Browser, browser, signed_in
from tests.serving import served

ROLES = ("anonymous", "stranger", "participant", "other", "juror", "organiser", "admin")
CASES = scenario.cases()
C = "/challenges/tiny"
S = f"{C}/submissions/1"
NIL = "00000000-0000-0000-0000-000000000000"
# For people who must sign in: 303 to the sign-in page when they look, 401 when they act.


def row(*statuses: int, **options: Any) -> dict[str, Any]:
    """Statuses in the order of ROLES; one for all when there is only one."""
    return {"statuses": statuses * len(ROLES) if len(statuses) == 1 else statuses, **options}


# Statuses:       anonymous stranger participant other juror organiser admin
TABLE: dict[tuple[str, str], dict[str, Any]] = {
    ("GET", ""): row(200, path=""),
    ("GET", "/sign-up"): row(200),
    ("POST", "/sign-up"): row(422, data={"email": "x"}),
    ("GET", "/sign-in"): row(200),
    ("POST", "/sign-in"): row(422, data={"email": "nobody@example.org", "password": "wrong password"}),
    ("GET", "/account"): row(303, 200, 200, 200, 200, 200, 200),
    ("POST", "/account/tokens"): row(401, 200, 200, 200, 200, 200, 200, data={"days": "1", "scope": "read"}),
    ("POST", "/account/tokens/{token_id}/revoke"): row(
        401, 404, 404, 404, 404, 404, 404, path=f"/account/tokens/{NIL}/revoke"
    ),
    ("GET", "/challenges/{slug}"): row(200, path=C),
    ("GET", "/challenges/{slug}#draft"): row(404, 404, 404, 404, 404, 200, 200, path="/challenges/draft"),
    ("GET", "/challenges/{slug}/data"): row(200, path=f"{C}/data"),
    ("GET", "/challenges/{slug}/evaluation"): row(200, path=f"{C}/evaluation"),
    ("GET", "/challenges/{slug}/rules"): row(200, path=f"{C}/rules"),
    ("GET", "/challenges/{slug}/files/{path:path}"): row(
        403, 403, 200, 200, 403, 200, 200, path=f"{C}/files/public/cases.csv"
    ),
    ("GET", "/challenges/{slug}/files/{path:path}#secret"): row(
        403, 403, 404, 404, 403, 404, 404, path=f"{C}/files/reference/predictions.csv"
    ),
    ("GET", "/challenges/{slug}/media/{path:path}"): row(200, path=f"{C}/media/pages/figure.png"),
    ("GET", "/challenges/{slug}/media/{path:path}#public"): row(
        403, 403, 200, 200, 403, 200, 200, path=f"{C}/media/public/figure.png"
    ),
    ("GET", "/challenges/{slug}/media/{path:path}#secret"): row(404, path=f"{C}/media/reference/secret.png"),
    ("GET", "/challenges/{slug}/media/{path:path}#text"): row(404, path=f"{C}/media/pages/overview.fr.md"),
    ("GET", "/challenges/{slug}/join"): row(200, path=f"{C}/join"),
    ("POST", "/challenges/{slug}/join"): row(401, 422, 303, 303, 422, 422, 422, path=f"{C}/join", data={"team": "T"}),
    ("GET", "/challenges/{slug}/team"): row(303, 404, 200, 200, 404, 404, 404, path=f"{C}/team"),
    ("POST", "/challenges/{slug}/team/name"): row(
        404, 404, 422, 422, 404, 404, 404, path=f"{C}/team/name", data={"name": " "}
    ),
    ("POST", "/challenges/{slug}/team/invitations"): row(
        404, 404, 200, 200, 404, 404, 404, path=f"{C}/team/invitations"
    ),
    ("GET", "/challenges/{slug}/team/join"): row(303, 200, 200, 200, 200, 200, 200, path=f"{C}/team/join"),
    ("POST", "/challenges/{slug}/team/join"): row(
        401, 422, 422, 422, 422, 422, 422, path=f"{C}/team/join", data={"invitation": "inv_none"}
    ),
    ("GET", "/challenges/{slug}/submit"): row(303, 200, 200, 200, 200, 403, 403, path=f"{C}/submit"),
    ("POST", "/challenges/{slug}/submit"): row(
        401, 422, 303, 303, 422, 403, 403, path=f"{C}/submit?phase=main", file=scenario.entry(CASES)
    ),
    ("GET", "/challenges/{slug}/submissions"): row(303, 200, 200, 200, 200, 200, 200, path=f"{C}/submissions"),
    ("GET", "/challenges/{slug}/submissions/{number}"): row(303, 404, 200, 404, 404, 200, 200, path=S),
    ("GET", "/challenges/{slug}/submissions/{number}/withdraw"): row(
        404, 404, 200, 404, 404, 200, 200, path=f"{S}/withdraw"
    ),
    ("POST", "/challenges/{slug}/submissions/{number}/withdraw"): row(
        404, 404, 409, 404, 404, 403, 403, path=f"{S}/withdraw"
    ),
    ("POST", "/challenges/{slug}/submissions/{number}/final"): row(
        404, 404, 409, 404, 404, 403, 403, path=f"{S}/final"
    ),
    ("POST", "/challenges/{slug}/submissions/{number}/retry"): row(
        404, 404, 403, 404, 404, 409, 409, path=f"{S}/retry"
    ),
    ("POST", "/challenges/{slug}/submissions/{number}/dismiss"): row(
        404, 404, 403, 404, 404, 409, 409, path=f"{S}/dismiss"
    ),
    ("POST", "/challenges/{slug}/submissions/{number}/cancel"): row(
        404, 404, 303, 404, 404, 403, 403, path=f"{S}/cancel"
    ),
    ("GET", "/challenges/{slug}/leaderboard"): row(200, path=f"{C}/leaderboard"),
    ("GET", "/challenges/{slug}/leaderboard#private"): row(
        404, 404, 404, 404, 404, 200, 200, path=f"{C}/leaderboard?split=private"
    ),
    ("GET", "/organise"): row(303, 403, 403, 403, 403, 200, 200),
    ("POST", "/organise"): row(401, 403, 403, 403, 403, 422, 422, file=b"not an archive"),
    ("GET", "/organise/{slug}"): row(303, 403, 403, 403, 403, 200, 200, path="/organise/tiny"),
    ("POST", "/organise/{slug}/publish"): row(403, 403, 403, 403, 403, 303, 303, path="/organise/tiny/publish"),
    ("GET", "/organise/{slug}/phases/{phase}/close"): row(
        303, 403, 403, 403, 403, 200, 200, path="/organise/tiny/phases/main/close"
    ),
    ("POST", "/organise/{slug}/phases/{phase}/close"): row(
        403, 403, 403, 403, 403, 404, 404, path="/organise/tiny/phases/none/close"
    ),
    ("POST", "/organise/{slug}/phases/{phase}/unfreeze"): row(
        403, 403, 403, 403, 403, 422, 422, path="/organise/tiny/phases/main/unfreeze"
    ),
    ("GET", "/help"): row(200),
    ("GET", "/help/{code}"): row(200, path="/help/e-nan"),
    ("GET", "/help/{code}#none"): row(404, path="/help/e-none-such"),
    ("POST", "/sign-out"): row(303),
}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[dict[str, Browser]]:
    with served(tmp_path_factory.mktemp("pages"), sqlite_template) as instance:
        url = instance.url
        for role in ROLES[1:]:
            scenario.person(url, role)
        with instance.database.write_session() as session:
            for user in session.scalars(select(User).where(User.name.in_(["organiser", "admin"]))):
                user.can_organise, user.admin = True, user.name == "admin"
        organiser = scenario.signed_in(url, "organiser@example.org", SCOPES)
        pictures = {f"{place}.png": b"\x89PNG" for place in ("pages/figure", "public/figure", "reference/secret")}
        scenario.publish(organiser, scenario.folder(CASES, sensitivity="controlled") | pictures)
        organiser.post("/challenges", content=scenario.archive(scenario.folder(CASES, slug="draft")))
        with instance.database.write_session() as session:
            tiny = session.scalars(select(Challenge).where(Challenge.slug == "tiny")).one()
            juror = session.scalars(select(User).where(User.name == "juror")).one()
            session.add(Juror(challenge_id=tiny.id, user_id=juror.id, added_at=juror.created_at))
        for role in ("participant", "other"):
            scenario.join(scenario.signed_in(url, f"{role}@example.org"), "tiny")
        scenario.submit(scenario.signed_in(url, "participant@example.org"), "tiny", scenario.entry(CASES, seed=1))
        yield {"anonymous": browser(url)} | {role: signed_in(url, role) for role in ROLES[1:]}


@pytest.mark.parametrize(("key", "role"), [(key, role) for key in TABLE for role in ROLES])
def test_who_gets_which_answer(people: dict[str, Browser], key: tuple[str, str], role: str) -> None:
    declared = dict(TABLE[key])
    expected = dict(zip(ROLES, declared.pop("statuses"), strict=True))[role]
    path = "/en" + declared.pop("path", key[1])
    client = people[role].http
    if "file" in declared:
        declared["files"] = {"file": ("file", declared.pop("file"))}
    elif key[0] == "POST":
        declared.setdefault("headers", {"Content-Type": "application/x-www-form-urlencoded"})
    answer = client.request(key[0], path, **declared)
    assert answer.status_code == expected, answer.text[-600:]
    if expected in (303, 401) and role == "anonymous" and key[1] != "/sign-out" and key[0] == "GET":
        assert answer.headers["location"].startswith("/en/sign-in?next=/en/")


def test_every_page_has_a_row() -> None:
    prefix = "/{language:language}"
    routes = {
        (method, route.path.removeprefix(prefix))
        for module in pages.MODULES
        for route in module.router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    assert routes == {(method, path.split("#")[0]) for method, path in TABLE}
