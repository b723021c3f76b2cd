"""Leaderboards: which entry stands for a team, computed snapshots, the freeze, and reading them."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from typing import Any

import numpy as np
import rfc8785
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.db import boards as rows
from app.db import challenges, phases
from app.db.boards import BoardEntry, BoardSnapshot
from app.db.challenges import Challenge
from app.db.evaluations import Evaluation, MetricValue
from app.db.phases import Phase, Split
from app.db.submissions import Submission
from app.db.teams import Team
from app.domain.access import SYSTEM
from app.domain.precision import shown
from app.domain.ranking import Candidate, Place, places
from app.domain.schedule import window
from app.files.blobs import Blobs
from app.services import audit, jobs, replicates
from scoring.notes import notes
from scoring.spec import from_json

PINNED = "pinned"
"""Key of a frozen snapshot's `body` that is no part of the board: what the board stood on when it froze."""


def live_split(session: Session, phase: Phase) -> Split:
    """The split that selects entries: the first that is live, else the first."""
    splits = phases.splits_of(session, phase.id)
    return next((split for split in splits if split.visible == "live"), splits[0])


def reconsider(session: Session, *, phase: Phase, team_id: uuid.UUID, now: dt.datetime) -> None:
    """Choose anew which of a team's evaluations stands for it in each split, and ask for a new board.

    Costs as much as the team has entries. `best` is best on the live split; `final` falls back to best for a team
    that chose none.
    """
    scored = _scored(session, phase, team_id)
    splits = phases.splits_of(session, phase.id)
    session.execute(delete(BoardEntry).where(BoardEntry.phase_id == phase.id, BoardEntry.team_id == team_id))
    if scored:
        values = _ranking_values(session, phase, team_id)
        live = f"split:{live_split(session, phase).name}"
        for split in splits:
            chosen, how = _choose(phase, scored, values, live=live, split=f"split:{split.name}")
            session.add(_entry(phase, split, chosen, values, how=how, entries=len(scored)))
    session.flush()
    enqueue(session, phase=phase, now=now)


def enqueue(session: Session, *, phase: Phase, now: dt.datetime) -> None:
    """Ask for a new board of this phase; a request that waits already is enough."""
    jobs.enqueue(
        session,
        queue="house",
        kind="board",
        coalesce=f"board:{phase.id.hex}",
        challenge_id=phase.challenge_id,
        phase_id=phase.id,
        max_attempts=5,
        deadline=now + dt.timedelta(days=1),
        now=now,
    )


def compute(session: Session, *, phase_id: uuid.UUID, blobs: Blobs, now: dt.datetime) -> list[BoardSnapshot]:
    """Write a new snapshot of each split's board. A frozen phase gets none."""
    phase = session.scalars(select(Phase).where(Phase.id == phase_id).with_for_update(key_share=True)).one()
    if phase.frozen_at is not None:
        return []
    return [
        _snapshot(session, phase, split, blobs=blobs, frozen=False, now=now)
        for split in phases.splits_of(session, phase.id)
    ]


def freeze(session: Session, *, phase: Phase, blobs: Blobs, now: dt.datetime) -> list[BoardSnapshot]:
    """Write the final boards with their hash. Nothing changes them afterwards."""
    snapshots = [
        _snapshot(session, phase, split, blobs=blobs, frozen=True, now=now)
        for split in phases.splits_of(session, phase.id)
    ]
    phase.frozen_at = now
    payload = {snapshot.split: snapshot.hash or "" for snapshot in snapshots}
    audit.record(session, actor=SYSTEM, act="phase.freeze", object=f"phase:{phase.id}", now=now, payload=payload)
    return snapshots


def pinned(session: Session, *, phase: Phase, split: str) -> dict[str, Any]:
    """What a board stands on at this moment: scoring, reference and the entries with their digests."""
    query = (
        select(Team.name, Submission.number, Submission.sha256, Evaluation.plan_digest)
        .join(BoardEntry, BoardEntry.team_id == Team.id)
        .join(Submission, Submission.id == BoardEntry.submission_id)
        .join(Evaluation, Evaluation.id == BoardEntry.evaluation_id)
        .where(BoardEntry.phase_id == phase.id, BoardEntry.split == split)
        .order_by(Submission.number)
    )
    entries = [
        {"team": team, "number": number, "sha256": sha256, "plan": plan}
        for team, number, sha256, plan in session.execute(query)
    ]
    return {"scoring": phase.scoring_digest, "reference": phase.reference_digest, "entries": entries}


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


def _snapshot(
    session: Session, phase: Phase, split: Split, *, blobs: Blobs, frozen: bool, now: dt.datetime
) -> BoardSnapshot:
    challenge = session.get_one(Challenge, phase.challenge_id)
    closed = window(phase, published=challenge.published_at is not None, now=now) == "closed"
    entries = rows.entries_of(session, phase.id, split.name)
    seq = (session.scalar(_last_seq(phase, split)) or 0) + 1
    body = _header(session, challenge, phase, split, seq=seq, provisional=not frozen, now=now)
    body["rows"] = _rows(session, phase, split, entries, blobs=blobs, closed=closed, final=frozen)
    salt = secrets.token_hex(16) if frozen else None
    pins = pinned(session, phase=phase, split=split.name) if frozen else None
    snapshot = BoardSnapshot(
        phase_id=phase.id,
        split=split.name,
        seq=seq,
        computed_at=now,
        provisional=not frozen,
        frozen=frozen,
        body=body | {PINNED: pins} if pins else body,
        shown=rounded(body, phase.precision),
        salt=salt,
        hash=board_hash(body, pins, salt) if pins and salt else None,
    )
    session.add(snapshot)
    session.flush()
    return snapshot


def _last_seq(phase: Phase, split: Split) -> Any:
    return select(func.max(BoardSnapshot.seq)).where(
        BoardSnapshot.phase_id == phase.id, BoardSnapshot.split == split.name
    )


def board_hash(body: dict[str, Any], pinned: dict[str, Any], salt: str) -> str:
    """sha256(salt ‖ canonical JSON of the board and of what it stands on)."""
    return hashlib.sha256(salt.encode() + rfc8785.dumps({"board": body, "pinned": pinned})).hexdigest()


def _header(
    session: Session,
    challenge: Challenge,
    phase: Phase,
    split: Split,
    *,
    seq: int,
    provisional: bool,
    now: dt.datetime,
) -> dict[str, Any]:
    spec = phase.scoring_spec
    metric = next(m for m in spec["metrics"] if m["id"] == spec["ranking"]["metric"])
    return {
        "challenge": challenge.slug,
        "phase": phase.slug,
        "split": split.name,
        "snapshot": seq,
        "computed_at": now.isoformat(),
        "provisional": provisional,
        "versions": {
            "challenge": challenges.version(session, challenge).number,
            "reference": phase.reference_version,
            "metric": f"{metric['use']} {metric['version']}",
        },
        "ranking": spec["ranking"],
        "notes": list(notes(from_json(spec))),
    }


def _rows(
    session: Session, phase: Phase, split: Split, entries: list[BoardEntry], *, blobs: Blobs, closed: bool, final: bool
) -> list[dict[str, Any]]:
    ranking = phase.scoring_spec["ranking"]
    teams = {team.id: team for team in session.scalars(select(Team).where(Team.challenge_id == phase.challenge_id))}
    drawn = replicates.of_board(session, phase=phase, split=split, blobs=blobs, final=final)
    candidates = [
        Candidate(
            key=str(entry.team_id),
            value=entry.ranked_value,
            # Where there are too few clusters for an interval, nothing is said of ranks by resampling either.
            replicates=drawn.get(entry.evaluation_id) if entry.low is not None else None,
            ranks=not teams[entry.team_id].baseline and teams[entry.team_id].eligible,
        )
        for entry in entries
    ]
    placed = places(
        candidates, direction=ranking["direction"], closed=closed, rule=ranking["ties"], alpha=ranking["alpha"]
    )
    by_key = {str(entry.team_id): entry for entry in entries}
    return [_row(place, by_key[place.key], teams[by_key[place.key].team_id]) for place in placed]


def _row(place: Place, entry: BoardEntry, team: Team) -> dict[str, Any]:
    """One row of design 11.7."""
    return {
        "rank": place.rank,
        "tied": place.tied,
        "rank_low": place.rank_low,
        "rank_high": place.rank_high,
        "team": team.name,
        "value": entry.ranked_value,
        "low": entry.low,
        "high": entry.high,
        "shown_value": entry.shown_value,
        "entries": entry.entries,
        "at": entry.at.isoformat(),
        "baseline": team.baseline,
        "eligible": team.eligible,
        "reason": team.reason or entry.reason,
    }


def rounded(body: dict[str, Any], places: int | None) -> dict[str, Any]:
    """The board as everybody but organisers sees it: numbers rounded to the phase's precision (design §9)."""
    keys = ("value", "low", "high", "shown_value")
    shown_rows = [row | {key: shown(row[key], places) for key in keys} for row in body["rows"]]
    return body | {"rows": shown_rows}
