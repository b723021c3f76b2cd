"""Sending an entry from the browser: the quota left, the clock, a file, a note; check only, or submit."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import Response

from app.errors import AppError, NotAllowed, NotFound, SignInNeeded
from app.http.form_body import Sent, form_with_blob
from app.http.forms import Form
from app.http.rates import limited
from app.http.transaction import Edge, EdgeDep, Parts
from app.pages.answer import Trouble, go, show, status_of, troubles
from app.pages.frame import frame_of
from app.pages.routing import pages_router
from app.services import admissions, submissions
from app.services.admissions import Admission

router = pages_router("/challenges/{slug}")
LONGEST_NOTE = 500


def wish_of(slug: str, phase: str, check: bool = False) -> admissions.Request:
    """What the address says; the note and the file's name come with the body."""
    return admissions.Request(slug=slug, phase=phase, check=check)


WishDep = Annotated[admissions.Request, Depends(wish_of)]


def admit(wish: WishDep, edge: EdgeDep) -> Admission | AppError:
    """Access, window and quota, before the body is read."""
    try:
        with edge.write() as session:
            return admissions.admit(session, actor=edge.actor, request=wish, settings=edge.settings, now=edge.now)
    except AppError as error:
        return error


def _abandon(parts: Parts, admission: Admission) -> None:
    with parts.database.write_session() as session:
        admissions.abandon(session, admission=admission)


BODY = form_with_blob(
    "entries",
    admit=admit,
    limit=lambda admission: admission.limit,
    abandon=_abandon,
    above=admissions.above_limit,
)


@router.get("/submit")
def submit_page(slug: str, request: Request, edge: EdgeDep, phase: str | None = None) -> Response:
    """The form."""
    if not edge.actor.signed_in:
        raise SignInNeeded()
    return _page(slug, request, edge, phase=phase)


@router.post("/submit", dependencies=[Depends(limited("submit", "120/minute"))])
def submit(wish: WishDep, request: Request, edge: EdgeDep, sent: Annotated[Sent[Admission], Depends(BODY)]) -> Response:
    """Record the entry, and go to its page."""
    try:
        number, new = _submit(wish, edge, sent)
    except (SignInNeeded, NotFound):
        raise
    except AppError as error:
        if sent.admitted is not None:
            _abandon(edge.parts, sent.admitted)
        problems = troubles(error, edge, field="file")
        return _page(
            wish.slug, request, edge, phase=wish.phase, status=status_of(error), problems=problems, form=sent.form
        )
    return go(f"/{edge.language}/challenges/{wish.slug}/submissions/{number}{'' if new else '?done=earlier'}")


def _submit(wish: admissions.Request, edge: Edge, sent: Sent[Admission]) -> tuple[int, bool]:
    """The number of the entry, and whether it is new. Raises the refusal of the file or of the entry."""
    if sent.refusal is not None:
        raise sent.refusal
    assert sent.admitted is not None and sent.stored is not None and sent.partial is not None
    whole = dataclasses.replace(
        wish,
        note=sent.form.text("note")[:LONGEST_NOTE],
        filename=sent.filename[:200],
        again=sent.form.ticked("again"),
    )
    with edge.write() as session:
        done = submissions.submit(
            session,
            actor=edge.actor,
            request=whole,
            admission=sent.admitted,
            stored=sent.stored,
            settings=edge.settings,
            now=sent.at,
        )
        if done.new:
            sent.partial.place()
    return done.submission.number, done.new


def _page(
    slug: str,
    request: Request,
    edge: Edge,
    *,
    phase: str | None,
    status: int = 200,
    problems: list[Trouble] | None = None,
    form: Form | None = None,
) -> Response:
    with edge.read() as session:
        frame = frame_of(session, edge=edge, slug=slug)
        if frame.manages and frame.standing.team_id is None:
            raise NotAllowed(submissions.NO_TEAM)
        view = frame.named(phase)
        team_id = frame.standing.team_id
        left = None
        if team_id is not None:
            left = admissions.quota_of(session, challenge=frame.row, phase=view.row, team_id=team_id, now=edge.now)
    return show(
        request,
        edge,
        "submit.html",
        status=status,
        problems=problems,
        form=form,
        frame=frame,
        view=view,
        left=left,
        limit=min(view.row.limits["size_mb"] * 1_000_000, edge.settings.direct_limit),
        rejected_per_day=edge.settings.rejected_per_day,
    )
