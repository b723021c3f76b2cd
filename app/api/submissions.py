"""Submissions: sending one, following it, and what the team or the organisers decide about it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Header, Query
from pydantic import AfterValidator, BaseModel
from sqlalchemy.orm import Session

from app.api.accepted import Accepted, accepted_document
from app.api.entering import Entering
from app.db import submissions as rows
from app.db import teams
from app.db.phases import Phase
from app.db.submissions import Submission
from app.domain import access
from app.domain.states import FINAL_STATES
from app.errors import NotFound
from app.http.body import Received, received_blob
from app.http.language import translate
from app.http.problems import issue_document
from app.http.rates import limited
from app.http.transaction import Edge, EdgeDep, Parts
from app.services import admissions, comparisons, evaluations, receipts, submissions
from app.services.admissions import Admission
from app.services.standing import find_challenge

router = APIRouter(tags=["submissions"])
LONGEST_WAIT_S = 20


# How long scoring took says something of what was scored; to the second it says nothing of hidden labels.
WholeSecond = Annotated[dt.datetime, AfterValidator(lambda time: time.replace(microsecond=0))]


class Row(BaseModel):
    number: int
    phase: str
    kind: str
    check: bool
    filename: str
    note: str
    sha256: str
    size: int
    state: str
    outcome: str | None
    final: bool
    requested_at: dt.datetime
    received_at: dt.datetime
    started_at: WholeSecond | None
    ended_at: WholeSecond | None


class ScoredRow(Row):
    """`score` is the ranking output on the live split, where it may be seen."""

    score: dict[str, Any] | None


class Compared(BaseModel):
    """This entry's ranking value minus that of entry `number`, which stood for the team, with its interval.

    `separable` false: within noise, by the paired test and alpha of the phase's ranking.
    """

    number: int
    difference: float
    low: float
    high: float
    separable: bool


class SubmissionDocument(Row):
    """`fault` says whose: theirs, organisers', ours or null; `uses_quota` whether it holds a slot.

    `compared_with`: null where there was no earlier entry, or nothing may be said of it.
    """

    id: uuid.UUID
    team: str
    message: str
    fault: Literal["participant", "platform"] | None
    uses_quota: bool
    report: dict[str, Any]
    values: list[dict[str, Any]]
    compared_with: Compared | None


class Status(BaseModel):
    number: int
    state: str
    final: bool
    ahead: int | None


def submit_request(
    slug: str,
    phase: str,
    kind: str = "predictions",
    check: bool = False,
    note: Annotated[str, Query(max_length=500)] = "",
    again: bool = False,
    x_filename: Annotated[str, Header(max_length=200)] = "",
    x_sha256: Annotated[str | None, Header(pattern="^[0-9a-fA-F]{64}$")] = None,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> admissions.Request:
    """What the address and the headers say; the file's name is percent-encoded UTF-8 where it is not plain ASCII."""
    return admissions.Request(
        slug=slug,
        phase=phase,
        kind=kind,
        check=check,
        note=note,
        filename=unquote(x_filename).rsplit("/", 1)[-1],
        sha256=x_sha256.lower() if x_sha256 else None,
        idempotency_key=idempotency_key,
        again=again,
    )


RequestDep = Annotated[admissions.Request, Depends(submit_request)]


def admit(wish: RequestDep, edge: EdgeDep) -> Admission:
    """Access, window and quota, before the body is read."""
    with edge.write() as session:
        return admissions.admit(session, actor=edge.actor, request=wish, settings=edge.settings, now=edge.now)


def _abandon(parts: Parts, admission: Admission) -> None:
    with parts.database.write_session() as session:
        admissions.abandon(session, admission=admission)


BODY = received_blob(
    "entries",
    admit=admit,
    limit=lambda admission: admission.limit,
    check=lambda admission, stored: admissions.check_body(admission.sha256, stored),
    abandon=_abandon,
    above=admissions.above_limit,
)


@router.post(
    "/challenges/{slug}/phases/{phase}/submissions",
    status_code=202,
    dependencies=[Depends(limited("submit", "120/minute"))],
    openapi_extra={
        "requestBody": {
            "content": {
                "application/octet-stream": {},
                "application/json": {"schema": Entering.model_json_schema()},
            }
        }
    },
)
def submit(wish: RequestDep, edge: EdgeDep, body: Annotated[Received[Admission], Depends(BODY)]) -> Accepted:
    """Send an entry as the raw body (design 11.4). The same file sent again answers with the earlier entry."""
    with edge.write() as session:
        done = submissions.submit(
            session,
            actor=edge.actor,
            request=wish,
            admission=body.admitted,
            stored=body.stored,
            settings=edge.settings,
            now=body.at,
        )
        if done.new:
            body.place()
        return accepted_document(wish.slug, done)


@router.get("/challenges/{slug}/submissions")
def list_submissions(
    slug: str, edge: EdgeDep, before: int | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> list[ScoredRow]:
    """The team's submissions, newest first; `before` continues below a number."""
    with edge.read() as session:
        _, standing = find_challenge(session, actor=edge.actor, slug=slug)
        if "read" not in edge.actor.scopes or standing.team_id is None:
            raise NotFound(submissions.NO_TEAM)
        found = rows.of_team(session, standing.team_id, before=before, limit=limit)
        scores = evaluations.ranking_scores(session, submissions=found)
        return [ScoredRow(**_row(session, row), score=scores.get(row.id)) for row in found]


@router.get("/challenges/{slug}/submissions/{number}")
def read(slug: str, number: int, edge: EdgeDep) -> SubmissionDocument:
    """One submission: state, whose fault, quota effect, problems, values that may be seen."""
    with edge.read() as session:
        return submission_document(session, edge=edge, slug=slug, number=number)


@router.get("/challenges/{slug}/submissions/{number}/status")
async def status(
    slug: str, number: int, edge: EdgeDep, wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT_S)] = 0
) -> Status:
    """The state alone, cheap to poll; `final` ends the polling, `ahead` counts jobs before this one.

    With `wait` the answer comes once it is final, or after so many seconds; until then it costs no thread. It comes at
    once where too many wait already, so pause before asking again.
    """

    def look() -> tuple[Status, uuid.UUID]:
        with edge.read() as session:
            submission, _, _ = submissions.find(session, actor=edge.actor, slug=slug, number=number)
            ahead = submissions.ahead(session, submission=submission)
            final = submission.state in FINAL_STATES
            return Status(number=number, state=submission.state, final=final, ahead=ahead), submission.id

    found = await edge.parts.ended.wait(
        look,
        pending=lambda seen: None if seen[0].final or edge.parts.wake.closed else seen[1],
        seconds=wait,
        who=edge.actor.user_id,
    )
    return found[0]


@router.get("/challenges/{slug}/submissions/{number}/receipt")
def receipt(slug: str, number: int, edge: EdgeDep) -> dict[str, Any]:
    """The signed receipt; verify it with the keys at /.well-known/arbitre-keys.json."""
    with edge.read() as session:
        submission, _, _ = submissions.find(session, actor=edge.actor, slug=slug, number=number)
        return receipts.receipt(session, submission=submission, keys=edge.settings.keys)


@router.post("/challenges/{slug}/submissions/{number}/cancel")
def cancel(slug: str, number: int, edge: EdgeDep) -> SubmissionDocument:
    """Stop an entry that has not started; its quota slot is free again."""
    with edge.write() as session:
        submissions.cancel(session, actor=edge.actor, slug=slug, number=number, now=edge.now)
        return submission_document(session, edge=edge, slug=slug, number=number)


@router.post("/challenges/{slug}/submissions/{number}/withdraw")
def withdraw(slug: str, number: int, edge: EdgeDep) -> SubmissionDocument:
    """Take an entry off the board; its quota slot stays used."""
    with edge.write() as session:
        submissions.withdraw(session, actor=edge.actor, slug=slug, number=number, now=edge.now)
        return submission_document(session, edge=edge, slug=slug, number=number)


@router.post("/challenges/{slug}/submissions/{number}/final")
def choose_final(slug: str, number: int, edge: EdgeDep, final: bool = True) -> SubmissionDocument:
    """Mark (or with `final=false` unmark) an entry as one of the team's finals."""
    with edge.write() as session:
        submissions.choose_final(session, actor=edge.actor, slug=slug, number=number, final=final, now=edge.now)
        return submission_document(session, edge=edge, slug=slug, number=number)


@router.post("/challenges/{slug}/submissions/{number}/retry")
def retry(slug: str, number: int, edge: EdgeDep) -> SubmissionDocument:
    """Run a dead entry again (organisers)."""
    with edge.write() as session:
        submissions.retry(session, actor=edge.actor, slug=slug, number=number, settings=edge.settings, now=edge.now)
        return submission_document(session, edge=edge, slug=slug, number=number)


@router.post("/challenges/{slug}/submissions/{number}/dismiss")
def dismiss(slug: str, number: int, edge: EdgeDep) -> SubmissionDocument:
    """Decide that a dead entry is not run again, so that the board can freeze (organisers)."""
    with edge.write() as session:
        submissions.dismiss(session, actor=edge.actor, slug=slug, number=number, now=edge.now)
        return submission_document(session, edge=edge, slug=slug, number=number)


def submission_document(session: Session, *, edge: Edge, slug: str, number: int) -> SubmissionDocument:
    """A submission as the asker may see it, in the asker's language."""
    row, _, standing = submissions.find(session, actor=edge.actor, slug=slug, number=number)
    behind = access.can_look_behind(edge.actor, standing)
    report = row.report or {"issues": [], "total": {}, "counts": {}}
    issues = [issue_document(issue, edge.language) for issue in report["issues"]]
    return SubmissionDocument(
        **_row(session, row),
        id=row.id,
        team=session.get_one(teams.Team, row.team_id).name,
        message=translate(row.message, edge.language, None),
        fault=submissions.fault_of(row),
        uses_quota=submissions.uses_quota(row),
        report=report | {"issues": issues},
        values=evaluations.documents_for(session, submission=row, behind=behind),
        compared_with=_compared(session, row, behind),
    )


def _compared(session: Session, row: Submission, behind: bool) -> Compared | None:
    phase = session.get_one(Phase, row.phase_id)
    found = comparisons.document_for(session, submission=row, phase=phase, behind=behind)
    return Compared.model_validate(found) if found else None


def _row(session: Session, row: Submission) -> dict[str, Any]:
    document = {name: getattr(row, name) for name in Row.model_fields if name != "phase"}
    return document | {"phase": session.get_one(Phase, row.phase_id).slug}
