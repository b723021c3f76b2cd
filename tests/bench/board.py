"""Reading a leaderboard when the phase has few submissions and when it has many, and what computing it costs."""

from __future__ import annotations

import datetime as dt
import uuid
from functools import partial
from typing import Any

import httpx

from app.db.phases import Phase
from app.services import boards
from app.services.boards import Prepared
from tests import scenario
from tests.bench import crowd, risks
from tests.bench.crowd import Crowd
from tests.bench.report import Report, Row, turns
from tests.bench.server import Instance, organiser, serving

FULL = {"few": (100, 1), "deep": (100, 1000), "wide": (1000, 100)}
SMOKE = {"few": (4, 1), "deep": (4, 10), "wide": (8, 5)}
NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def run(*, smoke: bool) -> list[Report]:
    """Phases of 100 teams with an entry each, 100 with 1,000 each, 1,000 with 100 each; all on one instance."""
    sizes, rounds = (SMOKE, 2) if smoke else (FULL, 50)
    with serving(role="web") as instance, httpx.Client(base_url=f"{instance.url}/api/v1", timeout=60) as http:
        chief = organiser(instance)
        crowds: dict[str, Crowd] = {}
        for slug, (teams, each) in sizes.items():
            scenario.publish(chief, risks.folder(risks.cases(60), slug=slug, layout=risks.AS_USED))
            crowds[slug] = crowd.fill(instance, slug, teams=teams, each=each)
        costs = _costs(instance, sizes, crowds, rounds=min(rounds, 5))
        read = {_told("read", *size): partial(_read, http, slug) for slug, size in sizes.items()}
        results: dict[str, Any] = {slug: _read(http, slug) for slug in sizes}
        medians = turns(read, rounds=rounds)
    bytes_ = ", ".join(f"{len(str(results[slug])) / 1000:.0f} kB" for slug in sizes)
    title = f"Reading a leaderboard over HTTP; medians of {rounds}"
    reads = Report(title, [Row(*row) for row in medians.items()], [f"the answers have about {bytes_}"], results)
    return [reads, costs]


def _costs(instance: Instance, sizes: dict[str, tuple[int, int]], crowds: dict[str, Crowd], *, rounds: int) -> Report:
    """What a scored entry costs its phase: choosing for its team anew, then the board, once for all that wait."""
    for made in crowds.values():
        for team in made.teams:
            _reconsider(instance, made.phase, team.id)
    ways: dict[str, Any] = {}
    drafts: dict[uuid.UUID, Prepared] = {}
    for slug, (teams, each) in sizes.items():
        made = crowds[slug]
        ways[f"choose among a team's {each:,}, {teams:,} teams"] = partial(
            _reconsider, instance, made.phase, made.teams[0].id
        )
        ways[_told("compute", teams, each)] = partial(_prepare, instance, made.phase, drafts)
        ways[_told("write", teams, each)] = partial(_write, instance, made.phase, drafts)
    medians = turns(ways, rounds=rounds)
    title = f"Computing a leaderboard of two splits, 1,000 resamples; medians of {rounds}"
    return Report(title, [Row(*row) for row in medians.items()])


def _told(act: str, teams: int, each: int) -> str:
    return f"{act}: {teams * each:,} submissions of {teams:,} teams"


def _read(http: httpx.Client, slug: str) -> Any:
    return scenario.said(http.get(f"/challenges/{slug}/phases/main/leaderboard"))


def _reconsider(instance: Instance, phase: Phase, team_id: uuid.UUID) -> None:
    with instance.database.write_session() as session:
        boards.reconsider(session, phase=phase, team_id=team_id, now=NOW)


def _prepare(instance: Instance, phase: Phase, drafts: dict[uuid.UUID, Prepared]) -> None:
    """What is done while others may write."""
    with instance.database.read_session() as session:
        prepared = boards.prepare(session, phase_id=phase.id, blobs=instance.blobs, now=NOW)
    assert prepared is not None
    drafts[phase.id] = prepared


def _write(instance: Instance, phase: Phase, drafts: dict[uuid.UUID, Prepared]) -> None:
    """What holds up every other write on SQLite."""
    with instance.database.write_session() as session:
        boards.write(session, prepared=drafts[phase.id])
