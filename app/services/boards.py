"""Leaderboards: asking for a new board, computing its snapshots, and the freeze."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

import rfc8785
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.db import boards as rows
from app.db import phases
from app.db.boards import BoardEntry, BoardSnapshot
from app.db.challenges import Challenge
from app.db.evaluations import Evaluation
from app.db.phases import Phase, Split
from app.db.submissions import Submission
from app.db.teams import Team
from app.domain.access import SYSTEM
from app.domain.schedule import window
from app.errors import N_, Conflict
from app.files.blobs import Blobs
from app.services import audit, changes, jobs, placings, selection

PINNED = "pinned"
"""Key of a frozen snapshot's `body` that is no part of the board: what the board stood on when it froze."""
KEPT = 10
"""How many snapshots that are not frozen are kept of each split."""
BASIS = ("version_id", "scoring_digest", "reference_digest", "precision", "closes_at")
OVERTAKEN = N_("The phase changed while its board was computed. Compute it again.")


@dataclass(frozen=True)
class Draft:
    """A board that is computed and not written yet, without the number of its snapshot.

    `after`: the snapshot that was the newest. `standing`: the entries it was computed from. `teams`: of the rows.
    """

    split: Split
    after: int
    standing: frozenset[rows.Standing]
    body: dict[str, Any]
    shown: dict[str, Any]
    teams: list[uuid.UUID]


@dataclass(frozen=True)
class Prepared:
    """The boards of a phase as they are to be written, and what they were computed from (the values of BASIS)."""

    phase_id: uuid.UUID
    basis: tuple[Any, ...]
    drafts: list[Draft]
    now: dt.datetime


def reconsider(session: Session, *, phase: Phase, team_id: uuid.UUID, now: dt.datetime) -> None:
    """Choose anew which of a team's evaluations stands for it in each split, and ask for a new board."""
    session.execute(delete(BoardEntry).where(BoardEntry.phase_id == phase.id, BoardEntry.team_id == team_id))
    session.add_all(selection.of_team(session, phase=phase, team_id=team_id))
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
    prepared = prepare(session, phase_id=phase_id, blobs=blobs, now=now)
    return write(session, prepared=prepared) if prepared else []


def prepare(session: Session, *, phase_id: uuid.UUID, blobs: Blobs, now: dt.datetime) -> Prepared | None:
    """Compute the boards of a phase; None for a frozen one. Only reads: it takes about a second for 1,000 teams.

    What is scored meanwhile asks for a board of its own, so a board is at worst as old as its `now`.
    """
    phase = session.get_one(Phase, phase_id)
    if phase.frozen_at is not None:
        return None
    splits = phases.splits_of(session, phase.id)
    drafts = [_draft(session, phase, split, blobs=blobs, final=False, now=now) for split in splits]
    return Prepared(phase.id, _basis(phase), drafts, now)


def write(session: Session, *, prepared: Prepared) -> list[BoardSnapshot]:
    """Write prepared boards, and drop the oldest; nothing once the phase is frozen or newer boards were written.

    Boards of an earlier moment are written too, as long as nobody wrote others meanwhile: under a stream of entries
    there would be none otherwise, and the later entries have a job of their own. Raises Conflict when the phase was
    changed.
    """
    query = select(Phase).where(Phase.id == prepared.phase_id).with_for_update(key_share=True)
    phase = session.scalars(query.execution_options(populate_existing=True)).one()
    if phase.frozen_at is not None:
        return []
    if _basis(phase) != prepared.basis:
        raise Conflict(OVERTAKEN)
    if any(_overtaken(session, phase, draft) for draft in prepared.drafts):
        return []
    written = [_written(session, phase, draft, now=prepared.now) for draft in prepared.drafts]
    for snapshot in written:
        rows.prune(session, phase.id, snapshot.split, upto=snapshot.seq - KEPT)
    return written


def _overtaken(session: Session, phase: Phase, draft: Draft) -> bool:
    """Whether another board was written since, and this one's entries are no longer those that stand."""
    split = draft.split.name
    return rows.last_seq(session, phase.id, split) != draft.after and (
        rows.standing(session, phase.id, split) != draft.standing
    )


def freeze(session: Session, *, phase: Phase, blobs: Blobs, now: dt.datetime) -> list[BoardSnapshot]:
    """Write the final boards with their hash. Nothing changes them afterwards."""
    snapshots = []
    for split in phases.splits_of(session, phase.id):
        draft = _draft(session, phase, split, blobs=blobs, final=True, now=now)
        snapshots.append(_written(session, phase, draft, now=now, frozen=True))
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


def board_hash(body: dict[str, Any], pinned: dict[str, Any], salt: str) -> str:
    """sha256(salt ‖ canonical JSON of the board and of what it stands on)."""
    return hashlib.sha256(salt.encode() + rfc8785.dumps({"board": body, "pinned": pinned})).hexdigest()


def _basis(phase: Phase) -> tuple[Any, ...]:
    return tuple(getattr(phase, name) for name in BASIS)


def _draft(session: Session, phase: Phase, split: Split, *, blobs: Blobs, final: bool, now: dt.datetime) -> Draft:
    challenge = session.get_one(Challenge, phase.challenge_id)
    closed = window(phase, published=challenge.published_at is not None, now=now) == "closed"
    after = rows.last_seq(session, phase.id, split.name)
    standing = rows.standing(session, phase.id, split.name)
    body = placings.header(session, challenge, phase, split, provisional=not final, now=now)
    body["rows"], teams = placings.ranked(session, phase, split, blobs=blobs, closed=closed, final=final)
    return Draft(split, after, standing, body, placings.rounded(body, phase.precision), teams)


def _written(session: Session, phase: Phase, draft: Draft, *, now: dt.datetime, frozen: bool = False) -> BoardSnapshot:
    split = draft.split.name
    before = rows.newest(session, phase.id, split)
    seq = before.seq + 1 if before else 1
    body, shown = draft.body | {"snapshot": seq}, draft.shown | {"snapshot": seq}
    salt = secrets.token_hex(16) if frozen else None
    pins = pinned(session, phase=phase, split=split) if frozen else None
    snapshot = BoardSnapshot(
        phase_id=phase.id,
        split=split,
        seq=seq,
        computed_at=now,
        provisional=not frozen,
        frozen=frozen,
        body=body | {PINNED: pins} if pins else body,
        shown=shown,
        salt=salt,
        hash=board_hash(body, pins, salt) if pins and salt else None,
    )
    added = changes.since(
        session, phase, draft.split, body=body, shown=shown, teams=draft.teams, before=before, final=frozen
    )
    session.add_all([snapshot, *added])
    session.flush()
    return snapshot
