"""What stands at the head of every page of a challenge: its title, its phases, its tabs, and who is looking."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.db import phases
from app.db.challenges import Challenge
from app.db.phases import Phase
from app.domain import access
from app.domain.access import Standing
from app.domain.schedule import Window, window
from app.errors import N_
from app.http.transaction import Edge
from app.services.standing import find_challenge

ORDER: tuple[Window, ...] = ("open", "paused", "before", "draft", "closed")


@dataclass(frozen=True)
class PhaseView:
    """A phase as pages show it. `days_left`: whole days until the close while it is open, else None."""

    row: Phase
    title: str
    window: Window
    days_left: int | None

    @property
    def slug(self) -> str:
        return self.row.slug


@dataclass(frozen=True)
class Tab:
    """One link of a challenge's navigation."""

    name: str
    path: str
    label: str


@dataclass(frozen=True)
class Frame:
    """The head of a challenge's page; `at` is the address of the challenge."""

    row: Challenge
    standing: Standing
    at: str
    slug: str
    title: str
    summary: str
    zone: str
    phases: list[PhaseView]
    manages: bool
    may_join: bool
    tabs: list[Tab]

    @property
    def draft(self) -> bool:
        return self.row.published_at is None

    @property
    def phase(self) -> PhaseView:
        """The phase that matters most now: open, else coming, else the last that closed."""
        return min(reversed(self.phases), key=lambda view: ORDER.index(view.window))

    def named(self, slug: str | None) -> PhaseView:
        """The phase of that slug, else the one that matters most now."""
        return next((view for view in self.phases if view.slug == slug), self.phase)


def frame_of(session: Session, *, edge: Edge, slug: str) -> Frame:
    """The head of a challenge's page for whoever asks. Raises NotFound."""
    challenge, standing = find_challenge(session, actor=edge.actor, slug=slug)
    at = f"/{edge.language}/challenges/{slug}"
    manages = access.can_manage(edge.actor, standing)
    return Frame(
        row=challenge,
        standing=standing,
        at=at,
        slug=slug,
        title=challenge.title[edge.language],
        summary=challenge.summary[edge.language],
        zone=challenge.zone,
        phases=phase_views(session, challenge=challenge, edge=edge),
        manages=manages,
        may_join=standing.published and not standing.organiser and not standing.juror,
        tabs=_tabs(at, standing, manages=manages, organise=f"/{edge.language}/organise/{slug}"),
    )


def phase_views(session: Session, *, challenge: Challenge, edge: Edge) -> list[PhaseView]:
    """The phases of a challenge in their order."""
    return [
        phase_view(phase, published=challenge.published_at is not None, language=edge.language, now=edge.now)
        for phase in phases.of_challenge(session, challenge.id)
    ]


def phase_view(phase: Phase, *, published: bool, language: str, now: dt.datetime) -> PhaseView:
    """One phase."""
    where = window(phase, published=published, now=now)
    left = (phase.closes_at - now).days if where == "open" else None
    return PhaseView(phase, phase.title[language], where, left)


def _tabs(at: str, standing: Standing, *, manages: bool, organise: str) -> list[Tab]:
    tabs = [
        Tab("overview", at, N_("Overview")),
        Tab("data", f"{at}/data", N_("Data")),
        Tab("evaluation", f"{at}/evaluation", N_("Evaluation")),
        Tab("rules", f"{at}/rules", N_("Rules")),
        Tab("leaderboard", f"{at}/leaderboard", N_("Leaderboard")),
    ]
    if standing.team_id is not None:
        tabs.append(Tab("submit", f"{at}/submit", N_("Submit")))
        tabs.append(Tab("submissions", f"{at}/submissions", N_("My submissions")))
        tabs.append(Tab("team", f"{at}/team", N_("Team")))
    elif standing.published and not standing.organiser and not standing.juror:
        tabs.append(Tab("join", f"{at}/join", N_("Join")))
    if manages:
        tabs.append(Tab("organise", organise, N_("Organise")))
    return tabs
