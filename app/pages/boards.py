"""The leaderboard as a page: 100 rows at a time, intervals as numbers and as a bar, and how a team's rank changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.db.teams import Team
from app.domain import access
from app.errors import NotFound
from app.http.transaction import Edge, EdgeDep
from app.pages import words
from app.pages.answer import show
from app.pages.evaluation import card_of
from app.pages.frame import frame_of
from app.pages.histories import history_of
from app.pages.routing import pages_router
from app.services import leaderboards
from scoring.messages import NOTES

router = pages_router("/challenges/{slug}")
ROWS = 100
DECIMALS = 4
WIDTH = 100.0


@dataclass(frozen=True)
class Bar:
    """The interval, the score and the baseline's score on the shared axis, 0 to 100."""

    low: float
    high: float
    value: float
    baseline: float | None


@dataclass(frozen=True)
class Row:
    """One line of the board: the row of design 11.7, its bar, and whether it is the reader's team."""

    board: dict[str, Any]
    bar: Bar | None
    own: bool
    at: dt.datetime
    why: tuple[str, dict[str, Any]] | None


@router.get("/leaderboard")
def leaderboard_page(
    slug: str,
    request: Request,
    edge: EdgeDep,
    phase: str | None = None,
    split: str | None = None,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    team: str | None = None,
) -> Response:
    """The newest board of a phase and split, with the history of `team`, else of the reader's own."""
    with edge.read() as session:
        frame = frame_of(session, edge=edge, slug=slug)
        view = frame.named(phase)
        behind = access.can_look_behind(edge.actor, frame.standing)
        splits = leaderboards.visible_splits(session, phase=view.row, behind=behind)
        if not splits:
            return show(request, edge, "leaderboard.html", frame=frame, view=view, board=None, splits=[])
        board = leaderboards.read(session, actor=edge.actor, slug=slug, phase=view.slug, split=split)
        mine = session.get(Team, frame.standing.team_id) if frame.standing.team_id else None
        own = mine.name if mine else None
        history = history_of(
            session, edge=edge, slug=slug, phase=view.slug, split=board["split"], team=team, own=own, zone=frame.zone
        )
        frozen = _frozen(session, edge=edge, slug=slug, phase=view.slug, split=board["split"])
    rows = rows_of(board["rows"], own=own)
    last = max((len(rows) + ROWS - 1) // ROWS, 1)
    page = min(page, last)
    place = next((place for place, row in enumerate(rows) if row.own), None)
    return show(
        request,
        edge,
        "leaderboard.html",
        frame=frame,
        view=view,
        board=board,
        splits=splits,
        frozen=frozen,
        rows=rows[(page - 1) * ROWS : page * ROWS],
        total=len(rows),
        ranked=sum(row.board["rank"] is not None for row in rows),
        page=page,
        last=last,
        my_page=None if place is None else place // ROWS + 1,
        history=history,
        places=None if behind else view.row.precision if view.row.precision is not None else DECIMALS,
        computed=dt.datetime.fromisoformat(board["computed_at"]) if board["computed_at"] else None,
        metric=_metric(view.row.scoring_spec),
        direction=words.DIRECTIONS[board["ranking"]["direction"]],
        selection=words.SELECTIONS[board["ranking"]["select"]],
        ties=words.ties(board["ranking"]["ties"], board["ranking"]["alpha"], edge.language),
        notes=[NOTES[code] for code in board["notes"] if code in NOTES],
        level=view.row.scoring_spec["resample"]["level"],
    )


def rows_of(board: Sequence[dict[str, Any]], *, own: str | None) -> list[Row]:
    """The rows of a board with their bars."""
    ends = [end for row in board for end in (row["low"], row["high"], row["value"]) if end is not None]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    baseline = next((row["value"] for row in board if row["baseline"]), None)

    def place(value: float) -> float:
        return round(WIDTH * (value - low) / (high - low), 2) if high > low else WIDTH / 2

    def bar(row: dict[str, Any]) -> Bar | None:
        if row["value"] is None or row["low"] is None or row["high"] is None:
            return None
        mark = None if baseline is None else place(baseline)
        return Bar(place(row["low"]), place(row["high"]), place(row["value"]), mark)

    return [
        Row(
            board=row,
            bar=bar(row),
            own=own is not None and row["team"] == own,
            at=dt.datetime.fromisoformat(row["at"]),
            why=words.reason(row["reason"]) if row["reason"] else None,
        )
        for row in board
    ]


def _frozen(session: Session, *, edge: Edge, slug: str, phase: str, split: str) -> str | None:
    """The hash of a frozen board; None before."""
    try:
        document = leaderboards.exported(session, actor=edge.actor, slug=slug, phase=phase, split=split)
    except NotFound:
        return None
    return str(document["hash"]) if document["frozen"] else None


def _metric(spec: dict[str, Any]) -> str:
    """The title of the metric that ranks, with the output where it is not the metric's main one."""
    ranking = spec["ranking"]
    use = next(metric["use"] for metric in spec["metrics"] if metric["id"] == ranking["metric"])
    card = card_of(use)
    if card is None:
        return str(use)
    return card.title if ranking["output"] == card.outputs[0] else f"{card.title}: {ranking['output']}"
