"""Reading leaderboards: the newest snapshot as an actor may see it, and the export of a frozen one."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.db import boards as rows
from app.db import phases
from app.db.boards import BoardSnapshot
from app.db.phases import Phase, Split
from app.domain import access
from app.domain.access import Actor
from app.errors import N_, NotFound
from app.services.boards import PINNED, pinned
from app.services.standing import find_challenge, find_phase


def visible_splits(session: Session, *, phase: Phase, behind: bool) -> list[Split]:
    """The splits whose board may be read: live ones; after_close ones once frozen; all of them from behind."""
    return [
        split
        for split in phases.splits_of(session, phase.id)
        if behind or split.visible == "live" or (split.visible == "after_close" and phase.frozen_at is not None)
    ]


def default_split(session: Session, *, phase: Phase, behind: bool) -> Split | None:
    """What a board shows when no split is named: the final one once it may be read, else the live one."""
    readable = visible_splits(session, phase=phase, behind=behind)
    if phase.frozen_at is not None:
        after = [split for split in readable if split.visible == "after_close"]
        readable = after or readable
    return readable[0] if readable else None


def read(session: Session, *, actor: Actor, slug: str, phase: str, split: str | None) -> dict[str, Any]:
    """The newest board of a split as the actor may see it. Raises NotFound for a split that may not be read.

    Before the first snapshot: a board without rows. Never scans submissions.
    """
    row, found, behind = readable(session, actor=actor, slug=slug, phase=phase, split=split)
    snapshot = rows.newest(session, row.id, found.name)
    if snapshot is None:
        return {
            "phase": phase,
            "split": found.name,
            "snapshot": 0,
            "computed_at": None,
            "provisional": True,
            "versions": {},
            "ranking": row.scoring_spec["ranking"],
            "notes": [],
            "rows": [],
        }
    return board_of(snapshot) if behind else snapshot.shown


def board_of(snapshot: BoardSnapshot) -> dict[str, Any]:
    """The board with 12 digits, without what it stands on."""
    return {key: value for key, value in snapshot.body.items() if key != PINNED}


def exported(session: Session, *, actor: Actor, slug: str, phase: str, split: str | None) -> dict[str, Any]:
    """The newest board with its freeze hash. Raises NotFound before the first board."""
    row, found, behind = readable(session, actor=actor, slug=slug, phase=phase, split=split)
    snapshot = rows.newest(session, row.id, found.name)
    if snapshot is None:
        raise NotFound(N_("There is no board yet: nobody has been scored."))
    return export(session, phase=row, snapshot=snapshot, behind=behind)


def readable(session: Session, *, actor: Actor, slug: str, phase: str, split: str | None) -> tuple[Phase, Split, bool]:
    """The phase, the split asked for (else the one shown by default), and whether the actor looks from behind.

    Raises NotFound for a split that may not be read.
    """
    challenge, standing = find_challenge(session, actor=actor, slug=slug)
    row = find_phase(session, challenge=challenge, slug=phase)
    behind = access.can_look_behind(actor, standing)
    if split is None:
        found = default_split(session, phase=row, behind=behind)
    else:
        readable = visible_splits(session, phase=row, behind=behind)
        found = next((one for one in readable if one.name == split), None)
    if found is None:
        raise NotFound(N_("This board is not visible now, or there is none of that name."))
    return row, found, behind


def export(session: Session, *, phase: Phase, snapshot: BoardSnapshot, behind: bool) -> dict[str, Any]:
    """A frozen board as a document with its hash; the salt comes with it for whoever may see the reference."""
    document = dict(board_of(snapshot) if behind else snapshot.shown)
    document |= {"frozen": snapshot.frozen, "hash": snapshot.hash}
    if behind:
        pins = snapshot.body.get(PINNED) or pinned(session, phase=phase, split=snapshot.split)
        document |= {"salt": snapshot.salt, "pinned": pins}
    return document
