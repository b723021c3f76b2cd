"""The history of a team's rank on the leaderboard's page: a picture, and the same as a table."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from sqlalchemy.orm import Session

from app.errors import N_, NotFound
from app.http.language import translate
from app.http.transaction import Edge
from app.pages.formats import number, short_moment
from app.services import history
from scoring.plots import rank_history

TITLE = N_("Rank of %(team)s on split %(split)s over time")
STORY = N_("Rank %(first)s on %(start)s, rank %(last)s on %(end)s; best rank %(best)s. The table below says the same.")


@dataclass(frozen=True)
class Line:
    """One change: from `at` on, this rank and value; as the points of `services.history.read`."""

    at: dt.datetime
    point: dict[str, Any]


@dataclass(frozen=True)
class History:
    """Newest change first. `picture`: None where nothing has changed yet, or without any rank."""

    team: str
    own: bool
    picture: Markup | None
    lines: list[Line]
    changes: int


def history_of(
    session: Session, *, edge: Edge, slug: str, phase: str, split: str, team: str | None, own: str | None, zone: str
) -> History | None:
    """The history of `team`, else of the reader's `own` once anything changed; None where there is none to be shown."""
    name = team or own
    if name is None:
        return None
    try:
        found = history.read(session, actor=edge.actor, slug=slug, phase=phase, split=split, team=name)
    except NotFound:
        return None
    if len(found["points"]) < (1 if team else 2):
        return None
    lines = [Line(dt.datetime.fromisoformat(point["at"]), point) for point in found["points"]]
    picture = picture_of(found, lines, zone=zone, language=edge.language)
    return History(found["team"], found["team"] == own, picture, lines[::-1], found["changes"])


def picture_of(document: dict[str, Any], lines: list[Line], *, zone: str, language: str) -> Markup | None:
    """The line of the ranks, up to when the board was last computed; one point draws none."""
    if len(lines) < 2:
        return None
    points = [
        rank_history.Point(line.at.timestamp(), *(line.point[key] for key in ("rank", "rank_low", "rank_high")))
        for line in lines
    ]
    until = dt.datetime.fromisoformat(document["computed_at"]).timestamp()
    drawn = rank_history.data(points, until=until)
    if drawn is None:
        return None

    def moment(at: float) -> str:
        return short_moment(dt.datetime.fromtimestamp(at, dt.UTC), zone, language).striptags()

    ranked = [point for point in points if point.rank is not None]
    story = {
        "first": number(ranked[0].rank or 0, language),
        "start": moment(ranked[0].at),
        "last": number(ranked[-1].rank or 0, language),
        "end": moment(ranked[-1].at),
        "best": number(min(point.rank or 0 for point in ranked), language),
    }
    text = rank_history.Text(
        title=translate(TITLE, language, {"team": document["team"], "split": document["split"]}),
        description=translate(STORY, language, story),
        rank=lambda rank: number(rank, language),
        moment=moment,
    )
    return Markup(rank_history.svg(drawn, text))  # noqa: S704 - it escapes every text
