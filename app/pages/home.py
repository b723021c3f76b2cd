"""The home page: open challenges, coming and past ones, and drafts for who organises them."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.db.challenges import Challenge
from app.domain import access
from app.domain.access import Standing
from app.http.transaction import Edge, EdgeDep
from app.pages.answer import show
from app.pages.frame import ORDER, PhaseView, phase_views
from app.pages.routing import pages_router
from app.services import challenges

router = pages_router()


@dataclass(frozen=True)
class Card:
    """A challenge in a list; `phase` is the one that matters most now."""

    slug: str
    title: str
    summary: str
    zone: str
    sensitivity: str
    phase: PhaseView
    manages: bool
    joined: bool


@router.get("")
def home(request: Request, edge: EdgeDep) -> Response:
    """Every challenge that may be seen, by what can be done with it."""
    with edge.read() as session:
        cards = [
            card_of(session, challenge, standing, edge)
            for challenge, standing in challenges.visible(session, actor=edge.actor)
        ]
    groups = {
        name: [card for card in cards if card.phase.window in windows]
        for name, windows in (
            ("drafts", ("draft",)),
            ("open", ("open", "paused")),
            ("coming", ("before",)),
            ("past", ("closed",)),
        )
    }
    return show(request, edge, "home.html", groups=groups, may_create=access.can_create_challenge(edge.actor))


def card_of(session: Session, challenge: Challenge, standing: Standing, edge: Edge) -> Card:
    """A challenge as a card."""
    views = phase_views(session, challenge=challenge, edge=edge)
    return Card(
        slug=challenge.slug,
        title=challenge.title[edge.language],
        summary=challenge.summary[edge.language],
        zone=challenge.zone,
        sensitivity=challenge.sensitivity,
        phase=min(reversed(views), key=lambda view: ORDER.index(view.window)),
        manages=access.can_manage(edge.actor, standing),
        joined=standing.team_id is not None,
    )
