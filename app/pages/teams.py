"""The team: its members, its name, and inviting others."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from app.db import teams as rows
from app.db.teams import Invitation
from app.db.users import User
from app.errors import Conflict, Invalid, NotFound, SignInNeeded
from app.http.forms import Form, FormDep
from app.http.transaction import Edge, EdgeDep
from app.pages.answer import Trouble, go, show, status_of, troubles
from app.pages.frame import frame_of
from app.pages.routing import pages_router
from app.services import teams

router = pages_router("/challenges/{slug}/team")


@router.get("")
def team_page(slug: str, request: Request, edge: EdgeDep) -> Response:
    """The asker's team."""
    return _page(slug, request, edge)


@router.post("/name")
def rename(slug: str, request: Request, edge: EdgeDep, form: FormDep) -> Response:
    """Give the team another name."""
    try:
        with edge.write() as session:
            teams.rename(session, actor=edge.actor, slug=slug, name=form.text("name"), now=edge.now)
    except (Invalid, Conflict) as error:
        problems = troubles(error, edge, field="name")
        return _page(slug, request, edge, status=status_of(error), problems=problems, form=form)
    return go(f"/{edge.language}/challenges/{slug}/team?done=renamed")


@router.post("/invitations")
def invite(slug: str, request: Request, edge: EdgeDep) -> Response:
    """Make an invitation. The answer shows its link: it is kept nowhere, so no other page could."""
    with edge.write() as session:
        row, secret = teams.invite(session, actor=edge.actor, slug=slug, now=edge.now)
    link = f"{edge.settings.base_url}/{edge.language}/challenges/{slug}/team/join?invitation={secret}"
    return _page(slug, request, edge, invitation=row, link=link)


@router.get("/join")
def move_page(slug: str, request: Request, edge: EdgeDep, invitation: str = "") -> Response:
    """What an invitation leads to: a question, since a link alone must change nothing."""
    return _move_page(slug, request, edge, form=Form((("invitation", invitation),)))


@router.post("/join")
def move(slug: str, request: Request, edge: EdgeDep, form: FormDep) -> Response:
    """Move into the team that invited."""
    try:
        with edge.write() as session:
            teams.join_team(session, actor=edge.actor, slug=slug, secret=form.text("invitation"), now=edge.now)
    except (Conflict, NotFound) as error:
        problems = troubles(error, edge, field="invitation")
        return _move_page(slug, request, edge, status=status_of(error), problems=problems, form=form)
    return go(f"/{edge.language}/challenges/{slug}/team?done=moved")


def _page(
    slug: str,
    request: Request,
    edge: Edge,
    *,
    status: int = 200,
    problems: list[Trouble] | None = None,
    form: Form | None = None,
    invitation: Invitation | None = None,
    link: str = "",
) -> Response:
    if not edge.actor.signed_in:
        raise SignInNeeded()
    with edge.read() as session:
        frame = frame_of(session, edge=edge, slug=slug)
        team = teams.my_team(session, actor=edge.actor, slug=slug)
        members = [session.get_one(User, user_id).name for user_id in rows.members_of(session, team.id)]
    return show(
        request,
        edge,
        "team.html",
        status=status,
        problems=problems,
        form=form or Form((("name", team.name),)),
        frame=frame,
        team=team,
        members=members,
        invitation=invitation,
        link=link,
    )


def _move_page(
    slug: str, request: Request, edge: Edge, *, form: Form, status: int = 200, problems: list[Trouble] | None = None
) -> Response:
    if not edge.actor.signed_in:
        raise SignInNeeded()
    with edge.read() as session:
        frame = frame_of(session, edge=edge, slug=slug)
    return show(request, edge, "team_join.html", status=status, problems=problems, form=form, frame=frame)
