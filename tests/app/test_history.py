"""Ranks over time, what is kept of old boards, and whether an entry differs from the one before it."""

from __future__ import annotations

import csv
import io
import itertools
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import func, select

from app.cli.boards import show_board
from app.cli.output import Output
from app.db.boards import BoardChange, BoardSnapshot
from app.db.challenges import ChallengeVersion
from app.db.comparisons import Comparison
from app.db.engine import Database
from app.db.evaluations import Evaluation
from app.db.phases import Phase
from app.db.submissions import Submission
from app.db.users import User
from app.domain.access import ANONYMOUS, SCOPES, Actor
from app.errors import Conflict, NotFound
from app.files.blobs import Blobs
from app.services import attempts, boards, challenges, comparisons, history, schedule
from app.services.attempts import Report
from sandbox_runner.contract import BlobRef, Detail, Finish, Value
from scoring.casetable import pack_arrays
from tests import crowd, scenario
from tests.browsing import browser, signed_in, text_of
from tests.crowd import Crowd
from tests.scenario import Person
from tests.serving import Served, served

B = 200
NOISE = np.random.default_rng(3).normal(0, 0.02, B)
OTHER = np.random.default_rng(4).normal(0, 0.02, B)
THIRD = np.random.default_rng(5).normal(0, 0.02, B)
COUNT = itertools.count()
GROUPS = {"subgroup:sex=F": (9, "cell<10"), "subgroup:sex=M": (70, None), "subgroup:age=old": (30, "one-class")}


def values_of(score: float, *, interval: bool) -> list[Value]:
    """What a runner reports of an entry that scored `score` on every split and in every group that is not small."""
    ends: dict[str, Any] = {"low": score - 0.04, "high": score + 0.04, "interval": "percentile", "level": 0.95}
    found = []
    for metric in ("auroc", "brier"):
        for name in ("all", "split:public", "split:private"):
            told = ends if interval else {"interval": "none:clusters<30"}
            found.append(
                Value(metric=metric, output=metric, slice=name, value=score, n_cases=80, n_clusters=40, **told)
            )
        for name, (count, why) in GROUPS.items():
            told = ends | {"value": score} if why is None else {"undefined": why}
            found.append(Value(metric=metric, output=metric, slice=name, n_cases=count, n_clusters=count, **told))
    return found


def score(
    database: Database, blobs: Blobs, value: float, *, noise: NDArray[np.float64] = NOISE, interval: bool = True
) -> None:
    """Take the next job and report `value`, resampled to `value + noise`."""
    with database.write_session() as session:
        claimed = attempts.claim(session, queues=("score",), runner=None, lease_s=60, now=crowd.now())
    assert claimed is not None
    job, token = claimed
    names = (f"auroc.auroc|split:{name}" for name in ("public", "private"))
    stored = blobs.write("reference", [pack_arrays(dict.fromkeys(names, value + noise))])
    finish = Finish(
        outcome="ok",
        detail=Detail(plan_digest="4" * 64),
        values=values_of(value, interval=interval),
        blobs=[BlobRef(role="replicates", sha256=stored.sha256)],
    )
    with database.write_session() as session:
        attempts.put_blob(session, job=job, role="replicates", stored=stored, now=crowd.now())
        report = Report(finish, f"{next(COUNT):064d}")
        attempts.finish(session, job_id=job.id, token=token, report=report, now=crowd.now(), files=blobs)


def compute(database: Database, blobs: Blobs) -> list[BoardSnapshot]:
    """New boards, as the worker does it: read, then write."""
    with database.read_session() as session:
        phase_id = session.scalars(select(Phase.id)).one()
        prepared = boards.prepare(session, phase_id=phase_id, blobs=blobs, now=crowd.now())
    if prepared is None:
        return []
    with database.write_session() as session:
        return boards.write(session, prepared=prepared)


@pytest.fixture
def one(database: Database, tmp_path: Path) -> Iterator[Crowd]:
    """`tiny` with a baseline of 0.5."""
    with crowd.crowd(tmp_path, database) as one:
        score(database, one.blobs, 0.5)
        compute(database, one.blobs)
        yield one


def enter(one: Crowd, actor: Actor, value: float, **options: Any) -> int:
    """An entry that scores `value`, and the board after it; its number."""
    number = crowd.submit(one, actor, f"id,risk\n{next(COUNT)}\n".encode())
    score(one.database, one.blobs, value, **options)
    compute(one.database, one.blobs)
    return number


def points(one: Crowd, actor: Actor, team: str | None = None, split: str = "public", **options: Any) -> list[Any]:
    """(rank, value) at each change."""
    with one.database.read_session() as session:
        found = history.read(session, actor=actor, slug="tiny", phase="main", split=split, team=team, **options)
    return [(point["rank"], point["value"]) for point in found["points"]]


def test_ranks_change_and_the_final_board_ends_the_history(one: Crowd) -> None:
    ada, bob = crowd.join(one, "ada", "Ada"), crowd.join(one, "bob", "Bob")
    enter(one, ada, 0.7123456)
    enter(one, bob, 0.8)
    compute(one.database, one.blobs)  # nothing changed: nothing is added
    enter(one, ada, 0.9)
    assert points(one, ada) == [(1, 0.7123), (2, 0.7123), (1, 0.9)]
    assert points(one, ANONYMOUS, "Bob") == [(1, 0.8), (2, 0.8)]
    assert points(one, one.chief, "Ada") == [(1, 0.7123456), (2, 0.7123456), (1, 0.9)]
    assert points(one, ANONYMOUS, "Baseline") == [(None, 0.5)]
    assert points(one, ada, limit=2) == [(1, 0.7123), (1, 0.9)]
    hidden_until_the_freeze(one, ada)
    close(one)
    # Told apart in pairs, each has its own rank; the freeze has a point for everybody, on every split.
    assert points(one, ada, split="private") == [(1, 0.9)]
    assert points(one, ada) == [(1, 0.7123), (2, 0.7123), (1, 0.9), (1, 0.9)]


def test_a_team_that_leaves_the_board_keeps_no_rank(one: Crowd) -> None:
    ada, bob = crowd.join(one, "ada", "Ada"), crowd.join(one, "bob", "Bob")
    number = enter(one, ada, 0.9)
    enter(one, bob, 0.8)
    crowd.change(one, ada, number, "withdraw")
    for _ in range(2):  # it is said once
        compute(one.database, one.blobs)
    assert points(one, bob, "Ada") == [(1, 0.9), (None, None)]
    assert points(one, bob) == [(2, 0.8), (1, 0.8)]
    with one.database.read_session() as session:
        found = history.read(session, actor=bob, slug="tiny", phase="main", split=None, team="Ada")["points"]
    assert [(point["on_board"], point["rank_low"]) for point in found[1:]] == [(False, None)]
    enter(one, ada, 0.7)
    assert points(one, ada) == [(1, 0.9), (None, None), (2, 0.7)]
    close(one)
    assert points(one, ada)[2:] == [(2, 0.7), (2, 0.7)]


def test_who_left_between_the_last_board_and_the_final_one_left_a_hidden_split_unseen(one: Crowd) -> None:
    ada, bob = crowd.join(one, "ada", "Ada"), crowd.join(one, "bob", "Bob")
    number = enter(one, ada, 0.9)
    enter(one, bob, 0.8)
    crowd.change(one, ada, number, "withdraw")
    close(one)
    assert points(one, bob, "Ada") == [(1, 0.9), (None, None)]
    with pytest.raises(NotFound):
        points(one, bob, "Ada", "private")


def test_a_board_that_froze_by_mistake_leaves_a_hidden_split_no_history(one: Crowd) -> None:
    ada = crowd.join(one, "ada", "Ada")
    enter(one, ada, 0.7)
    with one.database.write_session() as session:
        boards.freeze(session, phase=session.scalars(select(Phase)).one(), blobs=one.blobs, now=crowd.now())
    with one.database.write_session() as session:
        schedule.unfreeze(session, actor=one.chief, slug="tiny", phase="main", reason="The clock.", now=crowd.now())
    with one.database.read_session() as session:
        assert set(session.scalars(select(BoardChange.split))) == {"public"}
    enter(one, ada, 0.9)
    close(one)
    assert points(one, ada, split="private") == [(1, 0.9)]
    assert points(one, ada) == [(1, 0.7), (1, 0.7), (1, 0.9), (1, 0.9)]


def hidden_until_the_freeze(one: Crowd, ada: Actor) -> None:
    with pytest.raises(NotFound):
        points(one, ada, split="private")
    for name in ("Nobody", "ada", ""):
        with pytest.raises(NotFound):
            points(one, ANONYMOUS, name)
    with pytest.raises(NotFound):
        points(one, ANONYMOUS)
    assert points(one, crowd.join(one, "carl", "Carl")) == []
    with pytest.raises(NotFound):
        points(one, ada, "Carl")  # in the challenge, but nobody is told
    with one.database.read_session() as session:
        assert set(session.scalars(select(BoardChange.split))) == {"public"}


def close(one: Crowd) -> None:
    """Close the phase and freeze its boards."""
    with one.database.write_session() as session:
        challenges.close(session, actor=one.chief, slug="tiny", phase="main", now=crowd.now())
        phase = session.scalars(select(Phase)).one()
        boards.freeze(session, phase=phase, blobs=one.blobs, now=phase.closes_at)


def test_old_boards_go_and_frozen_ones_stay(one: Crowd) -> None:
    for _ in range(boards.KEPT + 3):
        compute(one.database, one.blobs)
    assert seqs(one) == list(range(5, boards.KEPT + 5))
    close(one)
    assert compute(one.database, one.blobs) == []
    assert seqs(one) == list(range(5, boards.KEPT + 6))
    with one.database.write_session() as session:
        # A board that a wrong clock froze is opened again.
        session.scalars(select(Phase)).one().frozen_at = None
    for _ in range(boards.KEPT + 2):
        compute(one.database, one.blobs)
    assert seqs(one) == [boards.KEPT + 5, *range(boards.KEPT + 8, 2 * boards.KEPT + 8)]


def seqs(one: Crowd) -> list[int]:
    with one.database.read_session() as session:
        query = select(BoardSnapshot.seq).where(BoardSnapshot.split == "public").order_by(BoardSnapshot.seq)
        return list(session.scalars(query))


def test_a_board_that_was_overtaken_is_not_written(one: Crowd) -> None:
    phase_id = phase_of(one).id
    with one.database.read_session() as session:
        stale, fresh = (boards.prepare(session, phase_id=phase_id, blobs=one.blobs, now=crowd.now()) for _ in range(2))
    assert stale is not None and fresh is not None
    with one.database.write_session() as session:
        assert [snapshot.seq for snapshot in boards.write(session, prepared=fresh)] == [2, 2]
    # The same entries stand, so nothing is lost by either.
    with one.database.write_session() as session:
        assert [snapshot.seq for snapshot in boards.write(session, prepared=stale)] == [3, 3]
    overtaken_by_an_entry(one, phase_id)
    with one.database.read_session() as session:
        late = boards.prepare(session, phase_id=phase_id, blobs=one.blobs, now=crowd.now())
    assert late is not None
    with one.database.write_session() as session:
        session.get_one(Phase, phase_id).precision = 2
    with pytest.raises(Conflict), one.database.write_session() as session:
        boards.write(session, prepared=late)
    close(one)
    with one.database.write_session() as session:
        assert boards.write(session, prepared=late) == []
    assert seqs(one) == [1, 2, 3, 4, 5, 6, 7]


def overtaken_by_an_entry(one: Crowd, phase_id: uuid.UUID) -> None:
    """A board without the newest entry is written, unless one was written meanwhile."""
    ada = crowd.join(one, "ada", "Ada")

    def prepared() -> boards.Prepared:
        with one.database.read_session() as session:
            found = boards.prepare(session, phase_id=phase_id, blobs=one.blobs, now=crowd.now())
        assert found is not None
        return found

    first = prepared()
    crowd.submit(one, ada, b"id,risk\n1\n")
    score(one.database, one.blobs, 0.7)
    with one.database.write_session() as session:
        assert [snapshot.seq for snapshot in boards.write(session, prepared=first)] == [4, 4]
    assert points(one, ada) == []
    second = prepared()
    enter(one, ada, 0.8)
    assert points(one, ada) == [(1, 0.8)]
    with one.database.write_session() as session:
        assert boards.write(session, prepared=second) == []
    compute(one.database, one.blobs)


def phase_of(one: Crowd) -> Phase:
    with one.database.read_session() as session:
        return session.scalars(select(Phase)).one()


def compared(one: Crowd, number: int, *, behind: bool = False) -> dict[str, Any] | None:
    with one.database.read_session() as session:
        submission = session.scalars(select(Submission).where(Submission.number == number)).one()
        phase = session.get_one(Phase, submission.phase_id)
        return comparisons.document_for(session, submission=submission, phase=phase, behind=behind)


def test_an_entry_is_compared_with_the_one_that_stood(one: Crowd) -> None:
    ada = crowd.join(one, "ada", "Ada")
    first = enter(one, ada, 0.8)
    assert compared(one, first) is None
    second = enter(one, ada, 0.804, noise=OTHER)
    noise = compared(one, second)
    assert noise is not None
    assert (noise["number"], noise["difference"], noise["separable"]) == (first, 0.004, False)
    assert noise["low"] < 0 < noise["high"]
    drawn = np.sort(np.round(0.804 + OTHER, 12) - np.round(0.8 + NOISE, 12))
    # alpha = 0.05 of 200: five on either side.
    assert (noise["low"], noise["high"]) == (round(drawn[5], 4), round(drawn[-6], 4))
    worse = compared(one, enter(one, ada, 0.7))
    assert worse == {"number": second, **dict.fromkeys(("difference", "low", "high"), pytest.approx(-0.104, 1))} | {
        "separable": True
    }
    assert compared(one, second, behind=True) != noise
    # What the team is ranked by is still the second.
    assert compared(one, enter(one, ada, 0.9))["number"] == second  # type: ignore[index]


def test_nothing_is_said_without_an_interval_under_another_plan_or_a_guard(one: Crowd) -> None:
    ada = crowd.join(one, "ada", "Ada")
    enter(one, ada, 0.6)
    assert compared(one, enter(one, ada, 0.7, interval=False)) is None
    assert compared(one, enter(one, ada, 0.8)) is None  # the one before has no interval
    with one.database.write_session() as session:
        for evaluation in session.scalars(select(Evaluation)):
            evaluation.plan_digest = "5" * 64
    assert compared(one, enter(one, ada, 0.85)) is None
    with one.database.write_session() as session:
        version = session.scalars(select(ChallengeVersion)).one()
        phase = version.spec["phases"][0] | {"guard": {"kind": "ladder"}}
        version.spec = version.spec | {"phases": [phase]}
    assert compared(one, enter(one, ada, 0.86)) is None
    with one.database.read_session() as session:
        assert session.scalar(select(func.count()).select_from(Comparison)) == 0


def test_points_are_thinned_evenly_with_both_ends() -> None:
    assert history.thinned([3, 5, 9], 3) == [3, 5, 9]
    assert history.thinned(range(101), 5) == [0, 25, 50, 75, 100]
    assert history.thinned(range(1000), 2) == [0, 999]
    assert len(set(history.thinned(range(501), 500))) == 500


@dataclass(frozen=True)
class Site:
    """A served challenge where ada and bob have entries; `numbers` of ada's."""

    served: Served
    ada: Person
    numbers: list[int]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("history"), sqlite_template) as instance:
        scenario.person(instance.url, "organiser")
        with instance.database.write_session() as session:
            session.scalars(select(User).where(User.name == "organiser")).one().can_organise = True
        organiser = scenario.signed_in(instance.url, "organiser@example.org", SCOPES)
        scenario.publish(organiser, scenario.folder(crowd.CASES))
        ada, bob = (scenario.person(instance.url, name) for name in ("ada", "bob"))
        numbers: list[int] = []
        for who, value, noise in ((ada, 0.8, NOISE), (bob, 0.81, OTHER), (ada, 0.803, THIRD)):
            if not numbers or who is bob:
                scenario.join(who, "tiny")
            sent = scenario.submit(who, "tiny", scenario.entry(crowd.CASES, seed=next(COUNT)))
            score(instance.database, instance.parts.blobs, value, noise=noise)
            compute(instance.database, instance.parts.blobs)
            numbers.append(sent["number"])
        yield Site(instance, ada, [numbers[0], numbers[2]])


def test_the_entry_says_that_it_moved_within_noise(site: Site) -> None:
    first, second = site.numbers
    document = site.ada.get(f"/challenges/tiny/submissions/{second}")["compared_with"]
    assert (document["number"], document["difference"], document["separable"]) == (first, 0.003, False)
    assert site.ada.get(f"/challenges/tiny/submissions/{first}")["compared_with"] is None
    who = signed_in(site.served.url, "ada")
    low, high = (f"{abs(document[end]):.4f}" for end in ("low", "high"))
    assert (
        f"Compared with submission {first}: +0.0030 (−{low} to +{high}): within noise; "
        "the two entries cannot be told apart."
    ) in text_of(who.get(f"/en/challenges/tiny/submissions/{second}"))
    french = text_of(who.get(f"/fr/challenges/tiny/submissions/{second}"))
    assert f"+0,0030 (de −{low} à +{high}) : dans le bruit".replace(".", ",") in french.replace("\u00a0", " ")


def test_the_history_is_a_picture_and_a_table(site: Site) -> None:
    who = signed_in(site.served.url, "ada")
    page = who.get("/en/challenges/tiny/leaderboard")
    assert "How the rank of your team changed" in page.text and 'svg class="plot"' in page.text
    assert "style=" not in page.text
    assert "3 changes as a table" in text_of(page)
    other = browser(site.served.url).get("/fr/challenges/tiny/leaderboard?team=bob")
    assert "L’évolution du rang de bob" in other.text and "1 changement en tableau" in text_of(other)
    for query in ("", "?team=nobody", "?team="):
        assert "L’évolution du rang" not in browser(site.served.url).get(f"/fr/challenges/tiny/leaderboard{query}").text
    address = "/challenges/tiny/phases/main/leaderboard/history"
    assert [point["rank"] for point in site.ada.get(address)["points"]] == [1, 2, 2]
    assert [point["rank"] for point in site.ada.get(f"{address}?limit=2")["points"]] == [1, 2]
    assert site.ada.http.get(f"{address}?limit=1").status_code == 422
    assert site.ada.http.get(f"{address}?limit=501").status_code == 422


def ranks(page: str) -> list[tuple[str, ...]]:
    """(rank with its interval, team) as the page's rows say it."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page.split("<tbody>")[1].split("</tbody>")[0], re.DOTALL)
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)[:2] for row in rows]
    return [tuple(" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row) for row in cells]


def agreeing(site: Site, capsys: pytest.CaptureFixture[str]) -> list[tuple[Any, ...]]:
    """(rank, tied, low, high, team) of the board, after page, CSV and command said the same."""
    nobody = browser(site.served.url)
    board = nobody.get("/api/v1/challenges/tiny/phases/main/leaderboard").json()
    found = [tuple(row[key] for key in ("rank", "tied", "rank_low", "rank_high", "team")) for row in board["rows"]]
    table = csv.DictReader(io.StringIO(nobody.get("/api/v1/challenges/tiny/phases/main/leaderboard.csv").text))
    assert [tuple(row[key] for key in ("rank", "tied", "rank_low", "rank_high", "team")) for row in table] == [
        tuple("" if part is None else str(part) for part in row) for row in found
    ]
    words = [
        (f"{rank}{'=' if tied else ''}", f"{low}" if low == high else f"{low} to {high}", team)
        for rank, tied, low, high, team in found
    ]
    page = nobody.get("/en/challenges/tiny/leaderboard").text
    assert ranks(page) == [
        (f"{rank.replace('=', f'= {rank[0]}, shared')} ({interval})", team) for rank, interval, team in words
    ]
    show_board(board, Output(plain=True))
    lines = capsys.readouterr().out.splitlines()[2 : 2 + len(words)]
    assert [tuple(part.strip() for part in line.split("  ") if part)[:3] for line in lines] == [
        tuple(word.strip() for word in row) for row in words
    ]
    return found


def test_page_api_csv_and_command_agree_on_ranks(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    live = agreeing(site, capsys)
    assert [(row[0], row[1], row[4]) for row in live] == [(1, False, "bob"), (2, False, "ada")]
    assert all(low is not None and low <= rank <= high for rank, _, low, high, _ in live)
    database, blobs = site.served.database, site.served.parts.blobs
    with database.write_session() as session:
        phase = session.scalars(select(Phase)).one()
        phase.closes_at = crowd.now()
        boards.freeze(session, phase=phase, blobs=blobs, now=crowd.now())
    closed = agreeing(site, capsys)
    assert [(row[0], row[1], row[4]) for row in closed] == [(1, True, "bob"), (1, True, "ada")]
    small_groups_are_kept_back(site)


def small_groups_are_kept_back(site: Site) -> None:
    """After the close: sex=F has nine, so sex=M goes with it; the other variable has no small group."""
    values = site.ada.get(f"/challenges/tiny/submissions/{site.numbers[1]}")["values"]
    told = {
        value["slice"]: (value["value"], value["undefined"], value["n_cases"], value["n_clusters"])
        for value in values
        if value["metric"] == "auroc" and value["slice"].startswith("subgroup:")
    }
    assert told == {
        "subgroup:sex=F": (None, "cell<10", None, None),
        "subgroup:sex=M": (None, "withheld", None, None),
        "subgroup:age=old": (None, "one-class", 30, 30),
    }
    who = signed_in(site.served.url, "ada")
    words = text_of(who.get(f"/en/challenges/tiny/submissions/{site.numbers[1]}"))
    assert "F Area under the ROC curve (higher is better) fewer than 10 cases or patients <10 <10" in words
    assert "M Area under the ROC curve (higher is better) withheld, because a small group would follow from it" in words
    assert "Area under the ROC curve cannot be computed: only one class occurs here 30 30" in words
    french = text_of(who.get(f"/fr/challenges/tiny/submissions/{site.numbers[1]}")).replace("\u00a0", " ")
    assert "Aire sous la courbe ROC : calcul impossible, une seule classe est présente ici 30 30" in french
    chief = scenario.signed_in(site.served.url, "organiser@example.org", SCOPES)
    behind = chief.get(f"/challenges/tiny/submissions/{site.numbers[1]}")["values"]
    assert {value["n_cases"] for value in behind if value["slice"] == "subgroup:sex=M"} == {70}
