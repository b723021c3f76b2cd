"""Evaluations: recording what a runner reports, and the values that an actor may see."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import evaluations as rows
from app.db import phases
from app.db.blobs import Blob
from app.db.evaluations import Evaluation, MetricValue
from app.db.jobs import Job
from app.db.phases import Phase
from app.db.runners import Runner
from app.db.submissions import Submission
from app.db.teams import Team
from app.domain import access
from app.domain.access import SYSTEM
from app.domain.ids import NIL
from app.domain.precision import decimals, shown
from app.domain.states import FINAL_STATES, state_of
from app.domain.suppression import COMPANION, LIVE_LEAST, Cell, companions, variable_of
from app.errors import N_
from app.files.blobs import Blobs
from app.services import audit, boards, comparisons, reports, selection
from sandbox_runner.contract import Finish, Value
from scoring.spec import from_json

SENTENCES = {
    "time": N_("Scoring took longer than this phase allows."),
    "memory": N_("Scoring needed more memory than this phase allows."),
    "output": N_("Scoring produced more output than this phase allows."),
    "crash": N_("Scoring your file crashed the scorer. The organisers were told."),
}

WITHHELD: dict[str, object] = {
    **dict.fromkeys(("value", "low", "high", "interval", "level", "n_cases", "n_clusters")),
    "undefined": COMPANION,
}
"""What is told of a cell that is kept back beside a small one."""


def record(
    session: Session,
    *,
    job: Job,
    finish: Finish,
    runner: Runner | None,
    blobs: Mapping[str, Blob],
    files: Blobs | None,
    now: dt.datetime,
) -> None:
    """Turn a runner's report into the end of a submission: its state, its report and, when scored, its evaluation.

    A report for a submission that has ended already changes nothing. Outcome `internal` never comes here. Raises
    Invalid for a report that does not fit the job. `files`: where the blobs lie; without them nothing is compared with
    the entry that stood for the team.
    """
    submission = session.get_one(Submission, job.submission_id)
    if submission.state in FINAL_STATES:
        return
    reports.check(finish, submission=submission, phase=session.get_one(Phase, submission.phase_id))
    detail = finish.detail
    submission.outcome, submission.ended_at = finish.outcome, now
    submission.report = {
        "issues": [issue.model_dump(exclude_none=True) for issue in detail.issues],
        "total": detail.total,
        "counts": detail.counts,
    }
    submission.message = SENTENCES.get(finish.outcome, "")
    submission.state = state_of(finish.outcome, check=submission.check)
    if submission.state == "scored":
        evaluation = _evaluation(session, submission, job=job, finish=finish, runner=runner, blobs=blobs, now=now)
        _put_in_force(session, submission=submission, evaluation=evaluation, files=files, now=now)
    payload = {"state": submission.state, "attempt": job.attempt, "outcome": finish.outcome}
    audit.record(
        session, actor=SYSTEM, act="submission.end", object=f"submission:{submission.id}", now=now, payload=payload
    )


def _evaluation(
    session: Session,
    submission: Submission,
    *,
    job: Job,
    finish: Finish,
    runner: Runner | None,
    blobs: Mapping[str, Blob],
    now: dt.datetime,
) -> Evaluation:
    """The evaluation that the report is about, with its values."""
    phase = session.get_one(Phase, submission.phase_id)
    # What the job was made with, whatever was pushed meanwhile.
    scoring = job.payload.get("spec_digest") or phase.scoring_digest
    reference = job.payload.get("reference_digest") or phase.reference_digest
    existing = _existing(session, submission, scoring=scoring, reference=reference)
    if existing is not None:
        return existing
    evaluation = Evaluation(
        submission_id=submission.id,
        scoring_digest=scoring,
        reference_digest=reference,
        plan_digest=finish.detail.plan_digest or "",
        scorer_version=runner.versions.get("arbitre", "")[:40] if runner else "",
        site_id=runner.site_id if runner else NIL,
        runner_id=runner.id if runner else None,
        job_id=job.id,
        attempt=job.attempt,
        outcome=finish.outcome,
        purpose="official",
        replicates_id=blobs["replicates"].id if "replicates" in blobs else None,
        case_table_id=blobs["case_table"].id if "case_table" in blobs else None,
        seconds=finish.usage.wall_s,
        created_at=now,
    )
    session.add(evaluation)
    session.flush()
    session.add_all(_row(evaluation, value) for value in finish.values)
    session.flush()
    return evaluation


def _put_in_force(
    session: Session, *, submission: Submission, evaluation: Evaluation, files: Blobs | None, now: dt.datetime
) -> None:
    phase = session.get_one(Phase, submission.phase_id)
    submission.current_id = evaluation.id
    _fix_precision(session, phase=phase, submission=submission, evaluation=evaluation)
    if files is not None:
        comparisons.record(session, submission=submission, evaluation=evaluation, phase=phase, blobs=files)
    boards.reconsider(session, phase=phase, team_id=submission.team_id, now=now)


def _existing(session: Session, submission: Submission, *, scoring: str, reference: str) -> Evaluation | None:
    """The official evaluation that this submission has already under the same digests."""
    return session.scalar(
        select(Evaluation).where(
            Evaluation.submission_id == submission.id,
            Evaluation.scoring_digest == scoring,
            Evaluation.reference_digest == reference,
            Evaluation.purpose == "official",
        )
    )


def _row(evaluation: Evaluation, value: Value) -> MetricValue:
    return MetricValue(evaluation_id=evaluation.id, **value.model_dump())


def _fix_precision(session: Session, *, phase: Phase, submission: Submission, evaluation: Evaluation) -> None:
    """Fix the precision shown, from the first baseline's interval, where the organiser declared none (design §9)."""
    if phase.precision is not None or not session.get_one(Team, submission.team_id).baseline:
        return
    ranking = phase.scoring_spec["ranking"]
    split = selection.live_split(session, phase)
    if split.visible != "live":
        # The precision is shown while the phase runs; it may say nothing of answers that nobody sees yet.
        return
    value = rows.value_at(
        session, evaluation.id, metric=ranking["metric"], output=ranking["output"], slice=f"split:{split.name}"
    )
    if value is not None:
        known = value.low is not None and value.high is not None
        phase.precision = decimals((value.high - value.low) / 2 if known else None)  # type: ignore[operator]


def values_for(session: Session, *, evaluation: Evaluation, phase: Phase, behind: bool) -> list[MetricValue]:
    """The values of an evaluation that may be seen: all from behind, else by the visibility of the splits."""
    splits = {split.name: split.visible for split in phases.splits_of(session, phase.id)}
    # Values of closed splits appear when the board freezes, so that all teams see them at the same moment.
    closed = phase.frozen_at is not None
    return [
        value
        for value in rows.values_of(session, evaluation.id)
        if access.can_read_slice(slice=value.slice, splits=splits, closed=closed, behind=behind)
    ]


def ranking_scores(session: Session, *, submissions: Sequence[Submission]) -> dict[uuid.UUID, dict[str, object]]:
    """Submission -> its value of the ranking output on the phase's live split, rounded as it is shown."""
    by_phase: dict[uuid.UUID, list[Submission]] = {}
    for submission in submissions:
        by_phase.setdefault(submission.phase_id, []).append(submission)
    found: dict[uuid.UUID, dict[str, object]] = {}
    for phase_id, mine in by_phase.items():
        phase = session.get_one(Phase, phase_id)
        split = selection.live_split(session, phase)
        if split.visible == "live":
            found |= _scores(session, phase, f"split:{split.name}", mine)
    return found


def _scores(
    session: Session, phase: Phase, slice: str, submissions: list[Submission]
) -> dict[uuid.UUID, dict[str, object]]:
    ranking = phase.scoring_spec["ranking"]
    evaluations = {submission.current_id: submission.id for submission in submissions if submission.current_id}
    query = select(MetricValue).where(
        MetricValue.evaluation_id.in_(evaluations),
        MetricValue.metric == ranking["metric"],
        MetricValue.output == ranking["output"],
        MetricValue.slice == slice,
    )
    return {
        evaluations[value.evaluation_id]: value_document(value, places=phase.precision, behind=False)
        for value in session.scalars(query)
    }


def documents_for(session: Session, *, submission: Submission, behind: bool) -> list[dict[str, object]]:
    """The values of a submission's evaluation in force, as far as they may be seen."""
    if submission.current_id is None:
        return []
    phase = session.get_one(Phase, submission.phase_id)
    evaluation = session.get_one(Evaluation, submission.current_id)
    found = values_for(session, evaluation=evaluation, phase=phase, behind=behind)
    told = [value_document(value, places=phase.precision, behind=behind) for value in found]
    if behind:
        return told
    least = from_json(phase.scoring_spec).resample.min_clusters_subgroup
    if phase.frozen_at is None:
        told = [_live(value, document) for value, document in zip(found, told, strict=True)]
        least = max(least, LIVE_LEAST)
    return without_companions(found, told, least=least)


def _live(value: MetricValue, document: dict[str, object]) -> dict[str, object]:
    """The document as it may be seen before the freeze: of a part of the cases only where that is large."""
    large = variable_of(value.slice) is None or value.n_clusters >= LIVE_LEAST
    return document if large else document | WITHHELD | {"undefined": f"cell<{LIVE_LEAST}"}


def without_companions(
    values: Sequence[MetricValue], told: Sequence[dict[str, object]], *, least: int
) -> list[dict[str, object]]:
    """The documents without what would give fewer than `least` clusters away, the same cells for every metric.

    A cell is small where its document tells no count.
    """
    cells = [
        Cell(value.slice, value.n_cases, value.n_clusters, document["n_cases"] is None)
        for value, document in zip(values, told, strict=True)
    ]
    kept_back = companions(cells, least=least)
    return [document | WITHHELD if document["slice"] in kept_back else document for document in told]


def value_document(value: MetricValue, *, places: int | None, behind: bool) -> dict[str, object]:
    """Design 11.7; 12 digits from behind, else rounded to the phase's precision."""

    def number(x: float | None) -> float | None:
        return x if behind else shown(x, places)

    # How many are in a cell that is too small to be shown is not shown either (design §9).
    small = not behind and (value.undefined or "").startswith("cell<")
    return {
        "metric": value.metric,
        "output": value.output,
        "slice": value.slice,
        "value": number(value.value),
        "undefined": value.undefined,
        "low": number(value.low),
        "high": number(value.high),
        "interval": value.interval,
        "level": value.level,
        "n_cases": None if small else value.n_cases,
        "n_clusters": None if small else value.n_clusters,
    }
