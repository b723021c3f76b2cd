"""Where a submission's team stands on the board, and whether the board knows of the submission yet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.db.phases import Phase
from app.db.submissions import Submission
from app.db.teams import Team
from app.errors import NotFound
from app.http.transaction import Edge
from app.services import leaderboards


@dataclass(frozen=True)
class Rank:
    """A team's place. `computing`: the board is older than the score, so the place may still change."""

    computing: bool
    split: str
    provisional: bool
    rank: int | None
    tied: bool
    low: int | None
    high: int | None
    teams: int


def rank_of(session: Session, *, edge: Edge, slug: str, phase: Phase, submission: Submission) -> Rank | None:
    """The place of the team of a scored submission; None where there is none or the board may not be read."""
    if submission.state != "scored":
        return None
    try:
        board = leaderboards.read(session, actor=edge.actor, slug=slug, phase=phase.slug, split=None)
    except NotFound:
        return None
    team = session.get_one(Team, submission.team_id)
    row = next((row for row in board["rows"] if row["team"] == team.name), None)
    computed = dt.datetime.fromisoformat(board["computed_at"]) if board["computed_at"] else None
    ended = submission.ended_at or submission.received_at
    return Rank(
        computing=phase.frozen_at is None and (computed is None or computed < ended),
        split=board["split"],
        provisional=board["provisional"],
        rank=row["rank"] if row else None,
        tied=bool(row and row["tied"]),
        low=row["rank_low"] if row else None,
        high=row["rank_high"] if row else None,
        teams=sum(row["rank"] is not None for row in board["rows"]),
    )
