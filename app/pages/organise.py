"""For organisers: creating a challenge from the archive of its folder, publishing it, closing its phases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.db import challenges as rows
from app.db import submissions as submission_rows
from app.db.submissions import Submission
from app.domain import access
from app.errors import N_, AppError, Invalid, NotAllowed, NotFound, SignInNeeded
from app.http.form_body import Sent, form_with_file
from app.http.forms import FormDep
from app.http.problems import folder_sentence
from app.http.transaction import Edge, EdgeDep
from app.pages.answer import Trouble, go, show, status_of, troubles
from app.pages.frame import Frame, PhaseView, frame_of
from app.pages.home import card_of
from app.pages.routing import pages_router
from app.services import baselines, challenges, schedule
from challenges.problems import FolderError, Problem

router = pages_router("/organise")


@dataclass(frozen=True)
class FolderTrouble:
    """One problem of a challenge folder, in the reader's language."""

    problem: Problem
    text: str


@dataclass(frozen=True)
class PhaseState:
    """A phase as its organisers see it; `blockers`: kind -> how many keep its board from freezing."""

    view: PhaseView
    blockers: Mapping[str, int]
    dead: list[Submission]


def may_create(edge: EdgeDep) -> None:
    """Refuse before the body is read."""
    if not edge.actor.signed_in:
        raise SignInNeeded()
    if not access.can_create_challenge(edge.actor):
        raise NotAllowed(N_("Your account may not create challenges. Ask an administrator for the right to organise."))


ARCHIVE = form_with_file(admit=may_create)


@router.get("", dependencies=[Depends(may_create)])
def organise_page(request: Request, edge: EdgeDep) -> Response:
    """The challenges that the asker manages, and the form for a new one."""
    return _page(request, edge)


@router.post("")
def push(request: Request, edge: EdgeDep, sent: Annotated[Sent[None], Depends(ARCHIVE)]) -> Response:
    """Create or update a challenge from an archive; with problems, all of them in a table."""
    try:
        slug, change = _push(edge, sent)
    except Invalid as error:
        return _page(request, edge, status=422, problems=_said(error, edge), found=_folder_troubles(error, edge))
    except (SignInNeeded, NotAllowed):
        raise
    except AppError as error:
        return _page(request, edge, status=status_of(error), problems=troubles(error, edge, field="file"))
    return go(f"/{edge.language}/organise/{slug}?done={change}")


@router.get("/{slug}")
def manage_page(slug: str, request: Request, edge: EdgeDep) -> Response:
    """One challenge with what its organisers can do."""
    return _manage_page(slug, request, edge)


@router.post("/{slug}/publish")
def publish(slug: str, edge: EdgeDep) -> Response:
    """Publish a draft and enter its baseline."""
    with edge.write() as session:
        challenge = challenges.publish(session, actor=edge.actor, slug=slug, now=edge.now)
        baselines.enter(
            session, actor=edge.actor, challenge=challenge, blobs=edge.blobs, settings=edge.settings, now=edge.now
        )
    return go(f"/{edge.language}/organise/{slug}?done=published")


@router.get("/{slug}/phases/{phase}/close")
def close_page(slug: str, phase: str, request: Request, edge: EdgeDep) -> Response:
    """What closing will do, and what will keep the board from freezing, before it is done."""
    with edge.read() as session:
        frame = _frame(session, edge, slug)
        view = next((view for view in frame.phases if view.slug == phase), None)
        if view is None:
            raise NotFound()
        state = _state(session, view, edge)
    return show(request, edge, "close.html", frame=frame, state=state)


@router.post("/{slug}/phases/{phase}/close")
def close(slug: str, phase: str, edge: EdgeDep) -> Response:
    """End a phase now."""
    with edge.write() as session:
        challenges.close(session, actor=edge.actor, slug=slug, phase=phase, now=edge.now)
    return go(f"/{edge.language}/organise/{slug}?done=closed")


@router.post("/{slug}/phases/{phase}/unfreeze")
def unfreeze(slug: str, phase: str, edge: EdgeDep, form: FormDep) -> Response:
    """Open again a board that a wrong clock froze."""
    with edge.write() as session:
        schedule.unfreeze(session, actor=edge.actor, slug=slug, phase=phase, reason=form.text("reason"), now=edge.now)
    return go(f"/{edge.language}/organise/{slug}?done=unfrozen")


def _push(edge: Edge, sent: Sent[None]) -> tuple[str, str]:
    """Slug and what was done: created, updated or unchanged."""
    if sent.refusal is not None:
        raise sent.refusal
    assert sent.path is not None
    with challenges.kept(sent.path, blobs=edge.blobs, settings=edge.settings) as kept, edge.write() as session:
        pushed = challenges.push(session, actor=edge.actor, kept=kept, blobs=edge.blobs, now=edge.now)
        baselines.renew(
            session,
            actor=edge.actor,
            challenge=pushed.challenge,
            blobs=edge.blobs,
            settings=edge.settings,
            now=edge.now,
        )
    return pushed.challenge.slug, pushed.change


def _said(error: Invalid, edge: Edge) -> list[Trouble]:
    """The one sentence of the summary; the problems of a folder stand in a table of their own."""
    field = "problems" if error.problems else "file"
    return troubles(Invalid(error.template, **error.fields), edge, field=field)


def _folder_troubles(error: Invalid, edge: Edge) -> list[FolderTrouble]:
    cause = error.__cause__
    problems = cause.problems if isinstance(cause, FolderError) else ()
    return [FolderTrouble(problem, folder_sentence(problem, edge.language)) for problem in problems]


def _page(
    request: Request,
    edge: Edge,
    *,
    status: int = 200,
    problems: list[Trouble] | None = None,
    found: list[FolderTrouble] | None = None,
) -> Response:
    with edge.read() as session:
        cards = [
            card_of(session, challenge, standing, edge)
            for challenge, standing in challenges.visible(session, actor=edge.actor)
            if access.can_manage(edge.actor, standing)
        ]
    return show(request, edge, "organise.html", status=status, problems=problems, cards=cards, found=found or [])


def _manage_page(slug: str, request: Request, edge: Edge) -> Response:
    with edge.read() as session:
        frame = _frame(session, edge, slug)
        version = rows.version(session, frame.row)
        states = [_state(session, view, edge) for view in frame.phases]
    return show(request, edge, "manage.html", frame=frame, version=version, states=states)


def _frame(session: Session, edge: Edge, slug: str) -> Frame:
    frame = frame_of(session, edge=edge, slug=slug)
    if not frame.manages:
        raise (
            NotAllowed(N_("Only organisers of this challenge may do this.")) if edge.actor.signed_in else SignInNeeded()
        )
    return frame


def _state(session: Session, view: PhaseView, edge: Edge) -> PhaseState:
    return PhaseState(
        view=view,
        blockers=schedule.blockers(session, phase=view.row, now=edge.now),
        dead=submission_rows.in_state(session, phase_id=view.row.id, state="dead"),
    )
