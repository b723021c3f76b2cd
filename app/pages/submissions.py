"""A team's submissions: the list, one submission with its verdict, and what may be done with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.db import submissions as rows
from app.db.evaluations import Evaluation
from app.db.phases import Phase
from app.db.submissions import Submission
from app.db.teams import Team
from app.domain import access
from app.domain.states import FINAL_STATES
from app.errors import SignInNeeded
from app.http.problems import issue_document
from app.http.transaction import Edge, EdgeDep
from app.pages.answer import go, show
from app.pages.comparisons import compared
from app.pages.frame import Frame, frame_of
from app.pages.routing import pages_router
from app.pages.scores import scores_of
from app.pages.standings import Rank, rank_of
from app.pages.verdicts import report_of, verdict_of
from app.services import comparisons, evaluations, submissions

router = pages_router("/challenges/{slug}/submissions")
PAGE = 50
PACES = ((30, 2), (300, 5), (86_400, 15))
"""(age below, seconds until the page looks again)."""
RANK_WAIT_S = 60
"""How long after scoring the page still waits for the rank."""


@dataclass(frozen=True)
class Acts:
    """What whoever looks may do with a submission."""

    cancel: bool
    withdraw: bool
    final: bool
    decide: bool


@router.get("")
def list_page(slug: str, request: Request, edge: EdgeDep, before: int | None = None) -> Response:
    """The team's submissions, newest first."""
    if not edge.actor.signed_in:
        raise SignInNeeded()
    with edge.read() as session:
        frame = frame_of(session, edge=edge, slug=slug)
        team_id = frame.standing.team_id
        found = rows.of_team(session, team_id, before=before, limit=PAGE + 1) if team_id else []
    phases = {view.row.id: view for view in frame.phases}
    return show(
        request,
        edge,
        "submissions.html",
        frame=frame,
        phases=phases,
        found=found[:PAGE],
        before=found[PAGE - 1].number if len(found) > PAGE else None,
    )


@router.get("/{number}")
def submission_page(slug: str, number: int, request: Request, edge: EdgeDep, still: bool = False) -> Response:
    """One submission; while it is not final the page loads itself again, unless `still` is asked for."""
    if not edge.actor.signed_in:
        raise SignInNeeded()
    with edge.read() as session:
        submission, _, standing = submissions.find(session, actor=edge.actor, slug=slug, number=number)
        frame = frame_of(session, edge=edge, slug=slug)
        behind = access.can_look_behind(edge.actor, standing)
        phase = session.get_one(Phase, submission.phase_id)
        rank = rank_of(session, edge=edge, slug=slug, phase=phase, submission=submission)
        context = _context(session, edge=edge, frame=frame, submission=submission, phase=phase, behind=behind)
    pace = None if still else pace_of(submission, rank, edge.now)
    return show(request, edge, "submission.html", rank=rank, pace=pace, still=still, **context)


@router.get("/{number}/withdraw")
def withdraw_page(slug: str, number: int, request: Request, edge: EdgeDep) -> Response:
    """What withdrawing means, before it is done: it cannot be undone."""
    with edge.read() as session:
        submission, _, _ = submissions.find(session, actor=edge.actor, slug=slug, number=number)
        frame = frame_of(session, edge=edge, slug=slug)
    return show(request, edge, "withdraw.html", frame=frame, submission=submission)


@router.post("/{number}/withdraw")
def withdraw(slug: str, number: int, edge: EdgeDep) -> Response:
    """Take an entry off the board."""
    return _act(slug, number, edge, submissions.withdraw, done="withdrawn")


@router.post("/{number}/cancel")
def cancel(slug: str, number: int, edge: EdgeDep) -> Response:
    """Stop an entry that waits."""
    return _act(slug, number, edge, submissions.cancel, done="cancelled")


@router.post("/{number}/final")
def choose_final(slug: str, number: int, edge: EdgeDep, final: bool = True) -> Response:
    """Mark or unmark a final."""
    return _act(slug, number, edge, submissions.choose_final, done="final" if final else "not-final", final=final)


@router.post("/{number}/retry")
def retry(slug: str, number: int, edge: EdgeDep) -> Response:
    """Run a dead entry again (organisers)."""
    return _act(slug, number, edge, submissions.retry, done="retried", settings=edge.settings)


@router.post("/{number}/dismiss")
def dismiss(slug: str, number: int, edge: EdgeDep) -> Response:
    """Leave a dead entry as it is (organisers)."""
    return _act(slug, number, edge, submissions.dismiss, done="dismissed")


def _act(slug: str, number: int, edge: Edge, act: Callable[..., Submission], *, done: str, **options: Any) -> Response:
    """Do something with a submission, then show it. Refusals are answered with their page."""
    with edge.write() as session:
        act(session, actor=edge.actor, slug=slug, number=number, now=edge.now, **options)
    return go(f"/{edge.language}/challenges/{slug}/submissions/{number}?done={done}")


def pace_of(submission: Submission, rank: Rank | None, now: dt.datetime) -> int | None:
    """In how many seconds the page should look again; None when nothing will change by itself."""
    if submission.state in FINAL_STATES:
        ended = submission.ended_at or submission.received_at
        waits = rank is not None and rank.computing and (now - ended).total_seconds() < RANK_WAIT_S
        return PACES[0][1] if waits else None
    age = (now - submission.received_at).total_seconds()
    return next((pace for below, pace in PACES if age < below), 60)


def _context(
    session: Session, *, edge: Edge, frame: Frame, submission: Submission, phase: Phase, behind: bool
) -> dict[str, Any]:
    """All that the page of a submission says."""
    values = evaluations.documents_for(session, submission=submission, behind=behind)
    places = None if behind else phase.precision if phase.precision is not None else 4
    issues = [issue_document(issue, edge.language) for issue in (submission.report or {}).get("issues", [])]
    return {
        "frame": frame,
        "submission": submission,
        "phase": frame.named(phase.slug),
        "team": session.get_one(Team, submission.team_id),
        "verdict": verdict_of(submission),
        "report": report_of(submission.report, issues),
        "scores": scores_of(values, phase=phase),
        "places": places,
        "compared": compared(
            comparisons.document_for(session, submission=submission, phase=phase, behind=behind),
            direction=phase.scoring_spec["ranking"]["direction"],
            places=places,
            language=edge.language,
        ),
        "evaluation": session.get(Evaluation, submission.current_id) if submission.current_id else None,
        "ahead": submissions.ahead(session, submission=submission),
        "acts": _acts(edge, frame, submission, phase),
        "final": submission.state in FINAL_STATES,
    }


def _acts(edge: Edge, frame: Frame, submission: Submission, phase: Phase) -> Acts:
    own = access.can_change_submission(edge.actor, frame.standing, team_id=submission.team_id)
    thawed = phase.frozen_at is None
    return Acts(
        cancel=own and submission.state == "queued" and submission.started_at is None,
        withdraw=own and thawed and submission.state in ("scored", "failed", "dead"),
        final=own and thawed and submission.state == "scored" and phase.scoring_spec["ranking"]["select"] == "final",
        decide=frame.manages and thawed and submission.state == "dead",
    )
