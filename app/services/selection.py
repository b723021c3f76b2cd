"""Which of a team's entries stands for it on each board."""

from __future__ import annotations

import uuid

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import phases
from app.db.boards import BoardEntry
from app.db.evaluations import MetricValue
from app.db.phases import Phase, Split
from app.db.submissions import Submission


def live_split(session: Session, phase: Phase) -> Split:
    """The split that selects entries: the first that is live, else the first."""
    splits = phases.splits_of(session, phase.id)
    return next((split for split in splits if split.visible == "live"), splits[0])


def of_team(session: Session, *, phase: Phase, team_id: uuid.UUID) -> list[BoardEntry]:
    """The entries that stand for a team now, one per split; none for a team without a scored entry.

    Costs as much as the team has entries. `best` is best on the live split; `final` falls back to best for a team
    that chose none.
    """
    scored = _scored(session, phase, team_id)
    if not scored:
        return []
    values = _ranking_values(session, phase, team_id)
    live = f"split:{live_split(session, phase).name}"
    found = []
    for split in phases.splits_of(session, phase.id):
        chosen, how = _choose(phase, scored, values, live=live, split=f"split:{split.name}")
        found.append(_entry(phase, split, chosen, values, how=how, entries=len(scored)))
    return found


def _scored(session: Session, phase: Phase, team_id: uuid.UUID) -> list[Submission]:
    query = select(Submission).where(
        Submission.phase_id == phase.id, Submission.team_id == team_id, Submission.state == "scored"
    )
    return list(session.scalars(query.order_by(Submission.number)))


def _ranking_values(session: Session, phase: Phase, team_id: uuid.UUID) -> dict[tuple[uuid.UUID, str], MetricValue]:
    """(evaluation, slice) -> value of the ranking output, of the evaluations in force of the team."""
    ranking = phase.scoring_spec["ranking"]
    query = select(MetricValue).join(Submission, Submission.current_id == MetricValue.evaluation_id)
    query = query.where(
        Submission.phase_id == phase.id,
        Submission.team_id == team_id,
        MetricValue.metric == ranking["metric"],
        MetricValue.output == ranking["output"],
        MetricValue.slice.startswith("split:"),
    )
    return {(value.evaluation_id, value.slice): value for value in session.scalars(query)}


def _choose(
    phase: Phase,
    scored: list[Submission],
    values: dict[tuple[uuid.UUID, str], MetricValue],
    *,
    live: str,
    split: str,
) -> tuple[Submission, str]:
    """The entry that stands for the team in `split`, and how it was selected. Among equals the earliest."""
    ranking = phase.scoring_spec["ranking"]
    if ranking["select"] == "last":
        return scored[-1], "last"
    finals = [submission for submission in scored if submission.final]
    by_final = ranking["select"] == "final" and bool(finals)
    sign = 1.0 if ranking["direction"] == "higher" else -1.0

    def merit(submission: Submission) -> float:
        value = values.get((submission.current_id, split if by_final else live))  # type: ignore[arg-type]
        return -np.inf if value is None or value.value is None else sign * value.value

    return max(finals if by_final else scored, key=merit), "final" if by_final else "best"


def _entry(
    phase: Phase,
    split: Split,
    chosen: Submission,
    values: dict[tuple[uuid.UUID, str], MetricValue],
    *,
    how: str,
    entries: int,
) -> BoardEntry:
    assert chosen.current_id is not None
    value = values.get((chosen.current_id, f"split:{split.name}"))
    return BoardEntry(
        phase_id=phase.id,
        split=split.name,
        team_id=chosen.team_id,
        evaluation_id=chosen.current_id,
        submission_id=chosen.id,
        ranked_value=value.value if value else None,
        shown_value=value.value if value else None,
        low=value.low if value else None,
        high=value.high if value else None,
        reason=value.undefined if value else "no value",
        selected_by=how,
        entries=entries,
        at=chosen.requested_at,
    )
