"""Whether a team's new entry differs from the one that stood for it: told apart by the resamples of both, in pairs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import evaluations as rows
from app.db import phases
from app.db.boards import BoardEntry
from app.db.challenges import ChallengeVersion
from app.db.comparisons import Comparison
from app.db.evaluations import Evaluation, MetricValue
from app.db.phases import Phase, Split
from app.db.submissions import Submission
from app.domain.precision import shown
from app.domain.ranking import apart
from app.files.blobs import Blobs
from app.services import replicates, selection


def record(session: Session, *, submission: Submission, evaluation: Evaluation, phase: Phase, blobs: Blobs) -> None:
    """Compare a new evaluation with the one that stands for its team on the live split, before it may take its place.

    Nothing is written where there is none, where a split is guarded or not live, where either has no interval, or where
    they were not scored on the same resamples. Reads two small files.
    """
    split = selection.live_split(session, phase)
    earlier = _standing(session, submission, split)
    if earlier is None or split.visible != "live" or guarded(session, phase):
        return
    if _drawn_as(earlier) != _drawn_as(evaluation) or session.get(Comparison, evaluation.id) is not None:
        return
    after, before = (_ranked(session, one, phase, split) for one in (evaluation, earlier))
    drawn, base = (
        replicates.of_evaluation(session, evaluation=one, phase=phase, split=split, blobs=blobs)
        for one in (evaluation, earlier)
    )
    if after is None or before is None or drawn is None or base is None:
        return
    found = apart(after, before, drawn=drawn, before=base, alpha=phase.scoring_spec["ranking"].get("alpha", 0.05))
    if found is not None:
        session.add(
            Comparison(
                evaluation_id=evaluation.id,
                against_id=earlier.submission_id,
                split=split.name,
                difference=found.difference,
                low=found.low,
                high=found.high,
                separable=found.separable,
            )
        )


def document_for(
    session: Session, *, submission: Submission, phase: Phase, behind: bool
) -> dict[str, int | float | bool | None] | None:
    """How the submission's evaluation in force compares with the one before it; None where nothing was compared.

    12 digits from behind, else rounded to the phase's precision, and nothing of a split that is not live.
    """
    found = session.get(Comparison, submission.current_id) if submission.current_id else None
    if found is None:
        return None
    live = {split.name for split in phases.splits_of(session, phase.id) if split.visible == "live"}
    if found.split not in live and not behind:
        return None
    numbers = {"difference": found.difference, "low": found.low, "high": found.high}
    told = {name: value if behind else shown(value, phase.precision) for name, value in numbers.items()}
    against = session.get_one(Submission, found.against_id)
    return {"number": against.number, **told, "separable": found.separable}


def guarded(session: Session, phase: Phase) -> bool:
    """Whether a guard keeps back what the live split says of an entry."""
    spec = session.get_one(ChallengeVersion, phase.version_id).spec
    named: dict[str, Any] = next((one for one in spec.get("phases", []) if one.get("slug", "main") == phase.slug), {})
    return bool(named.get("guard", {}).get("kind", "none") != "none")


def _standing(session: Session, submission: Submission, split: Split) -> Evaluation | None:
    """The evaluation of another entry that stands for the team on this split."""
    query = select(Evaluation).join(BoardEntry, BoardEntry.evaluation_id == Evaluation.id)
    return session.scalar(
        query.where(
            BoardEntry.phase_id == submission.phase_id,
            BoardEntry.split == split.name,
            BoardEntry.team_id == submission.team_id,
            BoardEntry.submission_id != submission.id,
        )
    )


def _drawn_as(evaluation: Evaluation) -> tuple[str, str, str]:
    return evaluation.scoring_digest, evaluation.reference_digest, evaluation.plan_digest


def _ranked(session: Session, evaluation: Evaluation, phase: Phase, split: Split) -> float | None:
    """The ranking value, where it has an interval: under too few clusters nothing is said by resampling."""
    ranking = phase.scoring_spec["ranking"]
    value: MetricValue | None = rows.value_at(
        session, evaluation.id, metric=ranking["metric"], output=ranking["output"], slice=f"split:{split.name}"
    )
    return value.value if value is not None and value.low is not None else None
