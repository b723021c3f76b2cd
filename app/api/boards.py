"""Leaderboards: the newest snapshot, as JSON and CSV, the history of a team's rank, and the export of a frozen one."""

from __future__ import annotations

import csv
import io
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.http.transaction import Edge, EdgeDep
from app.services import history, leaderboards

router = APIRouter(prefix="/challenges/{slug}/phases/{phase}", tags=["leaderboards"])
COLUMNS = ("rank", "tied", "rank_low", "rank_high", "team", "value", "low", "high", "entries", "at", "baseline")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@router.get("/leaderboard")
def read(slug: str, phase: str, edge: EdgeDep, split: str | None = None) -> dict[str, Any]:
    """The newest board of a split (design 11.7); without `split` the final one once frozen, else the live one."""
    return board_document(edge, slug, phase, split)


@router.get("/leaderboard.csv", response_class=Response)
def read_csv(slug: str, phase: str, edge: EdgeDep, split: str | None = None) -> Response:
    """The same as CSV."""
    document = board_document(edge, slug, phase, split)
    return csv_response(document, name=f"{slug}-{phase}-{document['split']}.csv")


@router.get("/leaderboard/history")
def read_history(
    slug: str,
    phase: str,
    edge: EdgeDep,
    team: str | None = None,
    split: str | None = None,
    limit: Annotated[int, Query(ge=2, le=history.MOST)] = history.FEW,
) -> dict[str, Any]:
    """When a team's rank or shown value changed on a board, oldest first; without `team` those of the asker's own.

    More changes than `limit` are thinned evenly, keeping the first and the newest; `changes` says how many there are.
    A split that was not live while the phase ran has its final board alone.
    """
    with edge.read() as session:
        return history.read(session, actor=edge.actor, slug=slug, phase=phase, split=split, team=team, limit=limit)


@router.get("/export")
def export(slug: str, phase: str, edge: EdgeDep, split: str | None = None) -> dict[str, Any]:
    """The board with its freeze hash; organisers also get the salt and what the hash covers."""
    with edge.read() as session:
        return leaderboards.exported(session, actor=edge.actor, slug=slug, phase=phase, split=split)


def board_document(edge: Edge, slug: str, phase: str, split: str | None) -> dict[str, Any]:
    """The newest board as the asker may see it."""
    with edge.read() as session:
        return leaderboards.read(session, actor=edge.actor, slug=slug, phase=phase, split=split)


def csv_response(document: dict[str, Any], *, name: str) -> Response:
    """A board as a CSV file; cells that a spreadsheet would run as formulas get a quote in front."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([[cell(row[column]) for column in COLUMNS] for row in document["rows"]])
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def cell(value: Any) -> Any:
    """A CSV cell; numbers as they are, text never as a formula."""
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
