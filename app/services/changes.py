"""What a new board adds to the history of ranks."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.db import boards as rows
from app.db.boards import OFF_BOARD, BoardChange, BoardSnapshot
from app.db.phases import Phase, Split


def since(
    session: Session,
    phase: Phase,
    split: Split,
    *,
    body: dict[str, Any],
    shown: dict[str, Any],
    teams: Sequence[uuid.UUID],
    before: BoardSnapshot | None,
    final: bool,
) -> list[BoardChange]:
    """What a new board adds to the history: each team whose rank or shown value is not that of the board before.

    A team that has left the board is among them, without rank and value. A split that is not live has no history but
    its `final` board. `teams`: whose rows those of `body` are.
    """
    if split.visible != "live" and not final:
        return []
    known = {} if before is None or final else {row["team"]: _standing(row) for row in before.shown["rows"]}
    if known and not rows.has_changes(session, phase.id, split.name):
        known = {}
    at = dt.datetime.fromisoformat(body["computed_at"])
    found = [
        BoardChange(
            phase_id=phase.id,
            split=split.name,
            team_id=team_id,
            seq=body["snapshot"],
            at=at,
            rank=row["rank"],
            tied=row["tied"],
            rank_low=row["rank_low"],
            rank_high=row["rank_high"],
            value=row["shown_value"],
        )
        for row, as_shown, team_id in zip(body["rows"], shown["rows"], teams, strict=True)
        if known.get(row["team"]) != _standing(as_shown)
    ]
    # A hidden split tells of its final board alone, not of who stood on those before.
    return found + _gone(session, phase, split, body=body, teams=teams) if split.visible == "live" else found


def _gone(
    session: Session, phase: Phase, split: Split, *, body: dict[str, Any], teams: Sequence[uuid.UUID]
) -> list[BoardChange]:
    """Of each team that the history has on the board and that is not on the new one: that it left."""
    at = dt.datetime.fromisoformat(body["computed_at"])
    return [
        BoardChange(
            phase_id=phase.id,
            split=split.name,
            team_id=team_id,
            seq=body["snapshot"],
            at=at,
            tied=False,
            rank_low=OFF_BOARD,
        )
        for team_id in rows.on_board(session, phase.id, split.name)
        if team_id not in teams
    ]


def _standing(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["rank"], row["tied"], row["shown_value"]
