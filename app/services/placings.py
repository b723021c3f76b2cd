"""The document of a board (design 11.7): who stands where, by the entries that stand for each team now."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import boards as rows
from app.db import challenges
from app.db.boards import BoardEntry
from app.db.challenges import Challenge
from app.db.phases import Phase, Split
from app.db.teams import Team
from app.domain.precision import shown
from app.domain.ranking import Candidate, Place, places
from app.files.blobs import Blobs
from app.services import replicates
from scoring.notes import notes
from scoring.spec import from_json


def header(
    session: Session,
    challenge: Challenge,
    phase: Phase,
    split: Split,
    *,
    provisional: bool,
    now: dt.datetime,
) -> dict[str, Any]:
    """All of a board (design 11.7) but its rows and the number of its snapshot."""
    spec = phase.scoring_spec
    metric = next(m for m in spec["metrics"] if m["id"] == spec["ranking"]["metric"])
    return {
        "challenge": challenge.slug,
        "phase": phase.slug,
        "split": split.name,
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


def ranked(
    session: Session, phase: Phase, split: Split, *, blobs: Blobs, closed: bool, final: bool
) -> tuple[list[dict[str, Any]], list[uuid.UUID]]:
    """The rows of a board in order, and whose they are. Reads the replicates of every entry on it.

    `closed`: teams that cannot be told apart share ranks. `final`: replicates that cannot be read are an error.
    """
    entries = rows.entries_of(session, phase.id, split.name)
    ranking = phase.scoring_spec["ranking"]
    teams = {team.id: team for team in session.scalars(select(Team).where(Team.challenge_id == phase.challenge_id))}
    drawn = replicates.of_board(session, phase=phase, split=split, entries=entries, blobs=blobs, final=final)
    # Where there are too few clusters for an interval, nothing is said of ranks by resampling either. All entries have
    # the same clusters; one alone may lack an interval because its resamples are all alike, as those of a constant.
    enough = any(entry.low is not None for entry in entries)
    candidates = [
        Candidate(
            key=str(entry.team_id),
            value=entry.ranked_value,
            replicates=drawn.get(entry.evaluation_id) if enough else None,
            ranks=not teams[entry.team_id].baseline and teams[entry.team_id].eligible,
        )
        for entry in entries
    ]
    placed = places(
        candidates, direction=ranking["direction"], closed=closed, rule=ranking["ties"], alpha=ranking["alpha"]
    )
    by_key = {str(entry.team_id): entry for entry in entries}
    ordered = [by_key[place.key] for place in placed]
    lines = [_row(place, entry, teams[entry.team_id]) for place, entry in zip(placed, ordered, strict=True)]
    return lines, [entry.team_id for entry in ordered]


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
