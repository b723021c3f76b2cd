"""Submissions: admitting a request, recording an entry with its job, and what the team does with it later."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from app.db import blobs as blob_rows
from app.db import challenges as challenge_rows
from app.db import jobs as job_rows
from app.db import phases as phase_rows
from app.db import submissions as rows
from app.db import teams, uploads
from app.db.challenges import Challenge
from app.db.jobs import Job
from app.db.phases import Phase
from app.db.submissions import Submission
from app.db.teams import Team
from app.domain import access
from app.domain.access import SYSTEM, Actor, Standing
from app.domain.names import BASELINE, shown_text
from app.domain.quotas import Quota
from app.domain.states import FINAL_STATES, holds_slot
from app.errors import N_, Conflict, NotAllowed, NotFound
from app.files.blobs import Stored
from app.services import audit, boards, jobs
from app.services.admissions import (
    Admission,
    Request,
    check_body,
    check_in_time,
    check_quota,
    earlier,
    place,
    quota_of,
)
from app.services.standing import find_challenge
from app.settings import Settings

NO_TEAM = N_("You are in no team of this challenge, so there is no submission to show. Join it first.")
PRIORITY = {"check": 50, "score": 100}
GIVEN_UP = ("cancelled", "withdrawn")


@dataclass(frozen=True)
class Submitted:
    """The entry that stands for a request; `new` is False when it is an earlier one."""

    submission: Submission
    new: bool
    quota: Quota


def submit(
    session: Session,
    *,
    actor: Actor,
    request: Request,
    admission: Admission,
    stored: Stored,
    settings: Settings,
    now: dt.datetime,
) -> Submitted:
    """Record the entry and its job in one transaction, or answer with the earlier entry that it repeats.

    Raises what `admit` raises, Conflict when the body came too late or an idempotency key is used for other bytes.
    """
    challenge, phase, team = place(session, actor=actor, request=request)
    _hold(session, phase=phase, team_id=team.id)
    uploads.arrived(session, admission.upload_id)
    check_body(request.sha256, stored)
    known = earlier(session, actor=actor, request=request, phase=phase, team=team, sha256=stored.sha256)
    if known is None:
        check_in_time(session, phase=phase, admission=admission, settings=settings, now=now)
        check_quota(
            session,
            challenge=challenge,
            phase=phase,
            team=team,
            check=request.check,
            settings=settings,
            now=admission.requested_at,
        )
    entry = known or _record(
        session,
        actor=actor,
        request=request,
        challenge=challenge,
        phase=phase,
        team=team,
        stored=stored,
        requested_at=admission.requested_at,
        received_at=admission.completed_at or now,
        settings=settings,
        now=now,
    )
    left = quota_of(session, challenge=challenge, phase=phase, team_id=team.id, now=now)
    return Submitted(entry, known is None, left)


def submit_baseline(
    session: Session,
    *,
    actor: Actor,
    challenge: Challenge,
    phase: Phase,
    stored: Stored,
    settings: Settings,
    now: dt.datetime,
) -> Submission:
    """Enter the organisers' baseline, once per reference and scoring; it has a row on the board and no rank."""
    team = teams.baseline_of(session, challenge.id)
    if team is None:
        team = Team(challenge_id=challenge.id, name=BASELINE, baseline=True, created_at=now)
        session.add(team)
        session.flush()
    _withdraw_stale(session, phase=phase, team=team, now=now)
    known = rows.earlier(
        session, phase_id=phase.id, team_id=team.id, kind="predictions", check=False, sha256=stored.sha256
    )
    request = Request(slug=challenge.slug, phase=phase.slug, filename="predictions.csv", note="baseline")
    return known or _record(
        session,
        actor=actor,
        request=request,
        challenge=challenge,
        phase=phase,
        team=team,
        stored=stored,
        requested_at=now,
        received_at=now,
        settings=settings,
        now=now,
    )


def _withdraw_stale(session: Session, *, phase: Phase, team: Team, now: dt.datetime) -> None:
    """Take entries off the board that were sent to be scored under another reference or scoring than the phase has."""
    for submission, job in job_rows.latest_of(session, phase_id=phase.id, team_id=team.id):
        if submission.state in GIVEN_UP or _pins(job.payload) == (phase.scoring_digest, phase.reference_digest):
            continue
        jobs.cancel_for(session, submission_id=submission.id, now=now)
        _reread(session, submission)
        submission.state, submission.ended_at = "withdrawn", submission.ended_at or now
        session.flush()
        boards.reconsider(session, phase=phase, team_id=team.id, now=now)


def _pins(payload: dict[str, Any]) -> tuple[str, str]:
    return payload.get("spec_digest", ""), payload.get("reference_digest", "")


def find(session: Session, *, actor: Actor, slug: str, number: int) -> tuple[Submission, Challenge, Standing]:
    """A submission that the actor may see. Raises NotFound, for those of other teams too."""
    challenge, standing = find_challenge(session, actor=actor, slug=slug)
    submission = rows.by_number(session, challenge.id, number)
    if submission is None or not access.can_see_submission(actor, standing, team_id=submission.team_id):
        raise NotFound()
    return submission, challenge, standing


def cancel(session: Session, *, actor: Actor, slug: str, number: int, now: dt.datetime) -> Submission:
    """Stop an entry that is not final. Before it starts, its quota slot is free again. Raises Conflict when final."""
    submission = _find_own(session, actor=actor, slug=slug, number=number)
    # Jobs are locked before submissions, as a claim does it; a refusal below undoes this.
    jobs.cancel_for(session, submission_id=submission.id, now=now)
    _reread(session, submission)
    if submission.state in FINAL_STATES:
        raise Conflict(N_("Submission %(number)s is %(state)s already."), number=number, state=submission.state)
    if submission.started_at is not None:
        raise Conflict(N_("Submission %(number)s is running; it will be done in a moment."), number=number)
    submission.state, submission.ended_at = "cancelled", now
    _audit(session, actor=actor, act="submission.cancel", submission=submission, now=now)
    return submission


def withdraw(session: Session, *, actor: Actor, slug: str, number: int, now: dt.datetime) -> Submission:
    """Take a final entry off the board; its quota slot stays used. Raises Conflict once the board is frozen."""
    submission, phase = _hold_own(session, actor=actor, slug=slug, number=number)
    if phase.frozen_at is not None:
        raise Conflict(N_("The board of this phase is frozen; ask the organisers."))
    if submission.state not in ("scored", "failed", "dead"):
        raise Conflict(
            N_("Only an entry that has ended can be withdrawn; this one is %(state)s."), state=submission.state
        )
    submission.state, submission.final = "withdrawn", False
    session.flush()
    boards.reconsider(session, phase=phase, team_id=submission.team_id, now=now)
    _audit(session, actor=actor, act="submission.withdraw", submission=submission, now=now)
    return submission


def choose_final(
    session: Session, *, actor: Actor, slug: str, number: int, final: bool, now: dt.datetime
) -> Submission:
    """Mark or unmark one of the team's finals. Raises Conflict when all are taken or the board is frozen."""
    submission, phase = _hold_own(session, actor=actor, slug=slug, number=number)
    if phase.frozen_at is not None:
        raise Conflict(N_("The board of this phase is frozen; finals can no longer be chosen."))
    if submission.state != "scored":
        raise Conflict(N_("Only a scored entry can be final; this one is %(state)s."), state=submission.state)
    taken = rows.finals(session, phase_id=phase.id, team_id=submission.team_id)
    limit = phase.scoring_spec["ranking"]["finals"]
    if final and not submission.final and taken >= limit:
        raise Conflict(N_("Your team has chosen its %(limit)s final entries. Unmark one first."), limit=limit)
    submission.final = final
    session.flush()
    boards.reconsider(session, phase=phase, team_id=submission.team_id, now=now)
    _audit(session, actor=actor, act="submission.final", submission=submission, now=now)
    return submission


def retry(
    session: Session, *, actor: Actor, slug: str, number: int, settings: Settings, now: dt.datetime
) -> Submission:
    """Run a dead entry again: the organiser's way out for an entry that the platform failed."""
    submission, _, standing = find(session, actor=actor, slug=slug, number=number)
    if not access.can_manage(actor, standing):
        raise NotAllowed(N_("Only organisers of this challenge may do this."))
    phase = session.get_one(Phase, submission.phase_id)
    phase_rows.keep_open(session, phase)
    _reread(session, submission)
    if submission.state != "dead" or phase.frozen_at is not None:
        raise Conflict(N_("Only a dead entry of a board that is not frozen can be run again."))
    submission.state, submission.outcome, submission.message, submission.ended_at = "queued", None, "", None
    _enqueue(session, submission=submission, phase=phase, settings=settings, now=now)
    _audit(session, actor=actor, act="submission.retry", submission=submission, now=now)
    return submission


def dismiss(session: Session, *, actor: Actor, slug: str, number: int, now: dt.datetime) -> Submission:
    """Decide that a dead entry is not run again, so that the phase can freeze; its quota slot stays free."""
    submission, _, standing = find(session, actor=actor, slug=slug, number=number)
    if not access.can_manage(actor, standing):
        raise NotAllowed(N_("Only organisers of this challenge may do this."))
    _reread(session, submission)
    if submission.state != "dead":
        raise Conflict(N_("Only a dead entry can be dismissed."))
    submission.state = "cancelled"
    _audit(session, actor=actor, act="submission.dismiss", submission=submission, now=now)
    return submission


def started(session: Session, *, job: Job, now: dt.datetime) -> None:
    """A runner took the job of a submission."""
    submission = session.get_one(Submission, job.submission_id)
    if submission.state in ("received", "queued"):
        submission.state = "running"
    submission.started_at = submission.started_at or now


def job_died(session: Session, *, job: Job, now: dt.datetime) -> None:
    """The job of a submission gave up: the entry is dead, its quota slot is free, and operators find it on record."""
    submission = session.get_one(Submission, job.submission_id)
    if submission.state in FINAL_STATES:
        return
    submission.state, submission.outcome, submission.ended_at = "dead", "internal", now
    payload = {"job": str(job.id), "attempts": job.attempt, "error": job.error}
    _audit(session, actor=SYSTEM, act="submission.dead", submission=submission, now=now, payload=payload)


def ahead(session: Session, *, submission: Submission) -> int | None:
    """How many jobs of its queue were made before this entry's and still wait; None once it has started."""
    if submission.state != "queued":
        return None
    return job_rows.ahead_of(session, submission.id)


def fault_of(submission: Submission) -> Literal["participant", "platform"] | None:
    """Whose fault it was that an entry has no score: the participant's, the platform's, or nobody's."""
    if submission.state in ("rejected", "failed"):
        return "participant"
    return "platform" if submission.state == "dead" else None


def uses_quota(submission: Submission) -> bool:
    """Whether the entry holds a quota slot."""
    return not submission.check and holds_slot(submission.state, submission.outcome)


def _record(
    session: Session,
    *,
    actor: Actor,
    request: Request,
    challenge: Challenge,
    phase: Phase,
    team: Team,
    stored: Stored,
    requested_at: dt.datetime,
    received_at: dt.datetime,
    settings: Settings,
    now: dt.datetime,
) -> Submission:
    challenge_rows.lock(session, challenge)
    blob = blob_rows.record(session, store="entries", sha256=stored.sha256, size=stored.size, now=now)
    challenge.submissions += 1
    assert actor.user_id is not None
    submission = Submission(
        number=challenge.submissions,
        challenge_id=challenge.id,
        phase_id=phase.id,
        team_id=team.id,
        user_id=actor.user_id,
        kind=request.kind,
        check=request.check,
        filename=shown_text(request.filename).replace("\n", " ")[:200],
        note=shown_text(request.note)[:500],
        blob_id=blob.id,
        sha256=stored.sha256,
        size=stored.size,
        state="queued",
        idempotency_key=request.idempotency_key,
        requested_at=requested_at,
        received_at=received_at,
    )
    session.add(submission)
    session.flush()
    _enqueue(session, submission=submission, phase=phase, settings=settings, now=now)
    payload = {"number": submission.number, "sha256": stored.sha256, "check": request.check}
    _audit(session, actor=actor, act="submission.create", submission=submission, now=now, payload=payload)
    return submission


def _enqueue(session: Session, *, submission: Submission, phase: Phase, settings: Settings, now: dt.datetime) -> None:
    kind = "check" if submission.check else "score"
    roles = ("spec", "cases") if submission.check else tuple(phase.inputs)
    inputs = {role: phase.inputs[role] for role in roles} | {"entry": submission.blob_id.hex}
    limits = {
        "wall_s": phase.limits["wall_s"],
        "cpu_s": phase.limits["wall_s"],
        "memory_mb": phase.limits["memory_mb"],
        "entry_mb": phase.limits["size_mb"],
    }
    jobs.enqueue(
        session,
        queue=kind,
        kind=kind,
        priority=PRIORITY[kind],
        max_attempts=settings.max_attempts,
        deadline=now + dt.timedelta(seconds=settings.job_deadline_s),
        challenge_id=submission.challenge_id,
        phase_id=phase.id,
        team_id=submission.team_id,
        submission_id=submission.id,
        payload={
            "inputs": inputs,
            "limits": limits,
            "spec_digest": phase.scoring_digest,
            "reference_digest": phase.reference_digest,
        },
        now=now,
    )


def _find_own(session: Session, *, actor: Actor, slug: str, number: int) -> Submission:
    submission, _, standing = find(session, actor=actor, slug=slug, number=number)
    if not access.can_change_submission(actor, standing, team_id=submission.team_id):
        raise NotAllowed(N_("Only the team that submitted it may do this."))
    return submission


def _hold_own(session: Session, *, actor: Actor, slug: str, number: int) -> tuple[Submission, Phase]:
    """An entry of the actor's team as it is now, with its phase; both stay so until the transaction ends."""
    submission = _find_own(session, actor=actor, slug=slug, number=number)
    phase = session.get_one(Phase, submission.phase_id)
    _hold(session, phase=phase, team_id=submission.team_id)
    _reread(session, submission)
    return submission, phase


def _hold(session: Session, *, phase: Phase, team_id: uuid.UUID) -> None:
    """One act of a team at a time, and no freeze meanwhile. Raises Conflict for a team that is gone."""
    try:
        teams.lock(session, team_id)
    except NoResultFound as error:
        raise Conflict(N_("You changed teams meanwhile. Nothing was entered; send it again.")) from error
    phase_rows.keep_open(session, phase)


def _reread(session: Session, submission: Submission) -> None:
    """The row as it is now, held until the transaction ends."""
    session.refresh(submission, with_for_update={"key_share": True})


def _audit(
    session: Session,
    *,
    actor: Actor,
    act: str,
    submission: Submission,
    now: dt.datetime,
    payload: dict[str, object] | None = None,
) -> None:
    audit.record(session, actor=actor, act=act, object=f"submission:{submission.id}", now=now, payload=payload)
