"""Reading the history of a team's rank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import boards as rows
from app.db.boards import OFF_BOARD, BoardChange
from app.db.phases import Phase
from app.db.teams import Team
from app.domain import access
from app.domain.access import Actor, Standing
from app.domain.precision import shown as rounded
from app.errors import N_, NotFound
from app.services import leaderboards
from app.services.standing import find_challenge

MOST = 500
"""How many points an answer may have at most."""
FEW = 200
NO_TEAM = N_("No team of that name stands on this board.")
NAME_IT = N_("Say which team: you have none in this challenge.")


def read(
    session: Session,
    *,
    actor: Actor,
    slug: str,
    phase: str,
    split: str | None,
    team: str | None,
    limit: int = FEW,
) -> dict[str, Any]:
    """A team's ranks on a board as the actor may see it, oldest first; without `team` those of the actor's own.

    A point with `on_board` false says that the team left the board. More than `limit` (2 to MOST) changes are thinned
    evenly; the first and the newest are always there. Raises NotFound for a split that may not be read, and for a team
    that never stood on its board.
    """
    row, found, behind = leaderboards.readable(session, actor=actor, slug=slug, phase=phase, split=split)
    _, standing = find_challenge(session, actor=actor, slug=slug)
    asked = _team(session, row, standing, team)
    seqs = rows.change_seqs(session, row.id, found.name, asked.id)
    if not seqs and not _own(actor, standing, asked):
        raise NotFound(NO_TEAM)
    points = rows.changes_of(session, row.id, found.name, asked.id, seqs=thinned(seqs, limit))
    newest = rows.newest(session, row.id, found.name)
    return {
        "challenge": slug,
        "phase": phase,
        "split": found.name,
        "team": asked.name,
        "baseline": asked.baseline,
        "computed_at": newest.computed_at.isoformat() if newest else None,
        "provisional": newest is None or newest.provisional,
        "changes": len(seqs),
        "points": [_point(point, phase=row, behind=behind) for point in points],
    }


def thinned(seqs: Sequence[int], limit: int) -> list[int]:
    """At most `limit` (at least 2) of them, evenly, with the first and the last."""
    if len(seqs) <= limit:
        return list(seqs)
    return [seqs[round(place * (len(seqs) - 1) / (limit - 1))] for place in range(limit)]


def _team(session: Session, phase: Phase, standing: Standing, name: str | None) -> Team:
    if name is None:
        if standing.team_id is None:
            raise NotFound(NAME_IT)
        return session.get_one(Team, standing.team_id)
    found = session.scalar(select(Team).where(Team.challenge_id == phase.challenge_id, Team.name == name))
    if found is None:
        raise NotFound(NO_TEAM)
    return found


def _own(actor: Actor, standing: Standing, team: Team) -> bool:
    return access.can_see_submission(actor, standing, team_id=team.id)


def _point(point: BoardChange, *, phase: Phase, behind: bool) -> dict[str, Any]:
    on_board = point.rank_low != OFF_BOARD
    return {
        "snapshot": point.seq,
        "at": point.at.isoformat(),
        "on_board": on_board,
        "rank": point.rank,
        "tied": point.tied,
        "rank_low": point.rank_low if on_board else None,
        "rank_high": point.rank_high,
        "value": point.value if behind else rounded(point.value, phase.precision),
    }
