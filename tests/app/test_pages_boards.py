"""The board's page over a snapshot: pages of 100, one's own row, shared ranks, bars on one axis, text never as HTML."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.db.boards import OFF_BOARD, BoardChange, BoardSnapshot
from app.db.challenges import Challenge
from app.db.phases import Phase
from app.db.submissions import Submission
from app.db.teams import Team
from app.db.users import User
from app.domain.access import SCOPES
from app.pages.boards import rows_of
from tests import scenario
from tests.browsing import browser, signed_in, text_of
from tests.serving import Served, served

CASES = scenario.cases()
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def line(rank: int | None, team: str, value: float | None, **others: Any) -> dict[str, Any]:
    """One row of a board (design 11.7)."""
    known: dict[str, Any] = {
        "tied": False,
        "rank_low": rank,
        "rank_high": rank,
        "low": None,
        "high": None,
        "entries": 1,
    }
    known |= {"at": NOW.isoformat(), "baseline": False, "eligible": True, "reason": None}
    return {"rank": rank, "team": team, "value": value, "shown_value": value, **known, **others}


BOARD = [
    line(1, "First & <b>best</b>", 0.9, low=0.8, high=1.0, tied=True),
    line(1, "Second", 0.9, low=0.8, high=1.0, tied=True),
    line(None, "Baseline", 0.6, low=0.5, high=0.7, baseline=True),
    *(line(place, f"Team {place}", 0.5) for place in range(3, 249)),
    line(249, "ada", 0.1, low=0.05, high=0.2, rank_low=200, rank_high=249),
    line(None, "None", None, reason="one-class"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("boards"), sqlite_template) as instance:
        scenario.person(instance.url, "organiser")
        with instance.database.write_session() as session:
            session.scalars(select(User).where(User.name == "organiser")).one().can_organise = True
        organiser = scenario.signed_in(instance.url, "organiser@example.org", SCOPES)
        scenario.publish(organiser, scenario.folder(CASES))
        ada = scenario.person(instance.url, "ada")
        scenario.join(ada, "tiny")
        scenario.submit(ada, "tiny", scenario.entry(CASES), params={"note": "<script>alert(1)</script>"})
        with instance.database.write_session() as session:
            challenge = session.scalars(select(Challenge)).one()
            phase = session.scalars(select(Phase)).one()
            body = {"challenge": challenge.slug, "phase": phase.slug, "split": "public", "snapshot": 1}
            body |= {"computed_at": NOW.isoformat(), "provisional": True, "ranking": phase.scoring_spec["ranking"]}
            body |= {"versions": {"challenge": 1, "reference": 1, "metric": "auroc 1"}, "notes": ["N-NO-CLUSTER"]}
            snapshot = BoardSnapshot(phase_id=phase.id, split="public", seq=1, computed_at=NOW, provisional=True)
            snapshot.body = snapshot.shown = body | {"rows": BOARD}
            session.add(snapshot)
        yield instance


def test_a_page_has_a_hundred_rows_and_leads_to_ones_own(site: Served) -> None:
    who = signed_in(site.url, "ada")
    first = who.get("/en/challenges/tiny/leaderboard")
    assert len(re.findall(r'<th scope="row">', first.text)) == 100
    assert "Page 1 of 3" in text_of(first) and 'page=3#me">My team</a>' in first.text
    last = who.get("/en/challenges/tiny/leaderboard?page=3")
    assert len(re.findall(r'<th scope="row">', last.text)) == 51
    assert (
        '<tr class="own" id="me">' in last.text
        and "249 (200 to 249) ada your team 0.1000 0.0500 to 0.2000 1" in text_of(last)
    )
    assert "Page 3 of 3" in text_of(who.get("/en/challenges/tiny/leaderboard?page=99"))


def test_shared_ranks_baseline_undefined_and_note_are_said_in_words(site: Served) -> None:
    words = text_of(browser(site.url).get("/fr/challenges/tiny/leaderboard"))
    assert "1= 1er ex æquo (1) First & <b>best</b> 0,9000 0,8000 à 1,0000" in words
    assert "– Baseline modèle de base, non classé 0,6000 0,5000 à 0,7000" in words
    assert (
        "(plus haut est meilleur). 249 équipes classées. Intervalles à 95\u202f%."
        in browser(site.url).get("/fr/challenges/tiny/leaderboard").text
    )
    assert "trop étroit si des cas viennent d’un même patient" in words
    undefined = text_of(browser(site.url).get("/fr/challenges/tiny/leaderboard?page=3"))
    assert "– None une seule classe est présente ici – –" in undefined


def test_text_of_people_is_never_html(site: Served) -> None:
    who = signed_in(site.url, "ada")
    assert "<b>best" not in who.get("/en/challenges/tiny/leaderboard").text
    page = who.get("/en/challenges/tiny/submissions/1").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "<script" not in page


def test_bars_share_one_axis() -> None:
    rows = rows_of([BOARD[0], BOARD[2], BOARD[-2]], own="ada")
    first, baseline, last = (row.bar for row in rows)
    assert first is not None and baseline is not None and last is not None
    assert (first.high, last.low) == (100.0, 0.0)
    assert first.baseline == baseline.value == last.baseline == 57.89
    assert [row.own for row in rows] == [False, False, True]
    assert rows_of([line(1, "alone", 0.5, low=0.5, high=0.5)], own=None)[0].bar is not None
    assert rows_of([], own=None) == []


def test_dead_entries_wait_for_the_organiser(site: Served) -> None:
    with site.database.write_session() as session:
        entry = session.scalars(select(Submission)).one()
        entry.state, entry.outcome, entry.ended_at = "dead", "internal", NOW
    mine = text_of(signed_in(site.url, "ada").get("/en/challenges/tiny/submissions/1"))
    assert "The fault is ours, not your file's." in mine and "It used none of the team's submissions." in mine
    who = signed_in(site.url, "organiser")
    assert "Not scored by our fault; decide for each: Submission 1" in text_of(who.get("/en/organise/tiny"))
    question = text_of(who.get("/en/organise/tiny/phases/main/close"))
    assert "submissions that the platform could not score (run them again or dismiss them): 1" in question
    again = who.send("/en/challenges/tiny/submissions/1/retry")
    assert again.headers["location"] == "/en/challenges/tiny/submissions/1?done=retried"
    refused = who.http.post(
        "/en/challenges/tiny/submissions/1/retry", headers={"Referer": f"{site.url}/en/challenges/tiny/submissions/1"}
    )
    assert refused.status_code == 409
    assert 'href="/en/challenges/tiny/submissions/1">Back</a>' in refused.text


def test_a_team_that_left_the_board_has_no_rank_in_its_history(site: Served) -> None:
    with site.database.write_session() as session:
        phase_id = session.scalars(select(Phase.id)).one()
        team_id = session.scalars(select(Team.id).where(Team.name == "ada")).one()
        standings: list[dict[str, Any]] = [{"rank": 7, "value": 0.9}, {"rank_low": OFF_BOARD}, {"value": None}]
        for seq, standing in enumerate(standings, start=1):
            of: dict[str, Any] = {"phase_id": phase_id, "split": "public", "team_id": team_id, "seq": seq}
            session.add(BoardChange(**of, at=NOW + dt.timedelta(hours=seq), tied=False, **standing))
    for language, words in (("en", "not on the board"), ("fr", "absente du classement")):
        page = browser(site.url).get(f"/{language}/challenges/tiny/leaderboard?team=ada").text
        rows = re.findall(r"<tr>(.*?)</tr>", page.split('id="history"')[1].split("<tbody>")[1].split("</tbody>")[0])
        assert [re.findall(r"<td[^>]*>(.*?)</td>", row)[:1] for row in rows] == [["–"], [words], ["7"]]
        assert 'svg class="plot"' in page
