"""Joining a challenge: its documents with their text, one box to tick for each, and a name for the team."""

from __future__ import annotations

import uuid

from fastapi import Request
from fastapi.responses import Response

from app.db import challenges as rows
from app.db import teams
from app.errors import N_, Conflict, Invalid, SignInNeeded
from app.http.forms import Form, FormDep
from app.http.language import translate
from app.http.transaction import Edge, EdgeDep
from app.pages.answer import Trouble, go, show, status_of, troubles
from app.pages.frame import frame_of
from app.pages.routing import pages_router
from app.pages.texts import document_text
from app.services import documents
from app.services.teams import clean_name

router = pages_router("/challenges/{slug}")
TICK = N_("Tick the box of “%(title)s”: joining needs your agreement to it.")


@router.get("/join")
def join_page(slug: str, request: Request, edge: EdgeDep) -> Response:
    """The documents to accept."""
    return _page(slug, request, edge, form=Form((("team", edge.actor.name),)))


@router.post("/join")
def join(slug: str, request: Request, edge: EdgeDep, form: FormDep) -> Response:
    """Accept and enter as a team of one."""
    if not edge.actor.signed_in:
        raise SignInNeeded()
    missing = _missing(slug, edge, form)
    if missing:
        return _page(slug, request, edge, status=422, problems=missing, form=form)
    try:
        with edge.write() as session:
            name = clean_name(form.text("team")) if form.ticked("team") else None
            documents.join(session, actor=edge.actor, slug=slug, accept=_accepted(form), team_name=name, now=edge.now)
    except (Invalid, Conflict) as error:
        problems = troubles(error, edge, field="team" if isinstance(error, Invalid) else None)
        return _page(slug, request, edge, status=status_of(error), problems=problems, form=form)
    return go(f"/{edge.language}/challenges/{slug}/submit?done=joined")


def _accepted(form: Form) -> list[uuid.UUID]:
    """The ids of the boxes that are ticked. Raises Invalid."""
    try:
        return [uuid.UUID(value) for value in form.all("accept")]
    except ValueError as error:
        raise Invalid() from error


def _missing(slug: str, edge: Edge, form: Form) -> list[Trouble]:
    """One sentence for each required document whose box is not ticked."""
    ticked = set(form.all("accept"))
    with edge.read() as session:
        frame = frame_of(session, edge=edge, slug=slug)
        required = [row for row in rows.documents_of(session, frame.row.id) if row.required]
        known = rows.accepted_by(session, frame.row.id, edge.actor.user_id) if edge.actor.user_id else set()
    return [
        Trouble(f"document-{row.id}", translate(TICK, edge.language, {"title": row.title[edge.language]}))
        for row in required
        if row.id not in known and str(row.id) not in ticked
    ]


def _page(
    slug: str,
    request: Request,
    edge: Edge,
    *,
    form: Form,
    status: int = 200,
    problems: list[Trouble] | None = None,
) -> Response:
    with edge.read() as session:
        frame = frame_of(session, edge=edge, slug=slug)
        accepted = rows.accepted_by(session, frame.row.id, edge.actor.user_id) if edge.actor.user_id else set()
        shown = [
            (row, document_text(session, edge=edge, frame=frame, document=row))
            for row in rows.documents_of(session, frame.row.id)
        ]
        team = teams.of_user(session, frame.row.id, edge.actor.user_id) if edge.actor.user_id else None
    return show(
        request,
        edge,
        "join.html",
        status=status,
        problems=problems,
        form=form,
        frame=frame,
        documents=shown,
        accepted=accepted,
        team=team,
    )
