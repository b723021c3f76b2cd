"""What a team does with its entries, and when an entry may still come: rules that hold on both databases."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from app.db.boards import BoardEntry
from app.db.engine import Database
from app.db.evaluations import MetricValue
from app.db.phases import Phase, Split
from app.db.submissions import Submission
from app.domain.access import Actor
from app.errors import AppError
from app.services import admissions, challenges, evaluations, schedule, submissions
from app.services.admissions import Request
from tests import crowd, scenario
from tests.crowd import Crowd

REQUEST = Request(slug="tiny", phase="main")


@pytest.fixture
def one(database: Database, tmp_path: Path) -> Iterator[Crowd]:
    with crowd.crowd(tmp_path, database, day=2, select="final") as one:
        score_all(one)
        yield one


def score_all(one: Crowd) -> None:
    draw = random.Random(1)
    while crowd.score(one, draw):
        pass


def entry(seed: int) -> bytes:
    return scenario.entry(crowd.CASES, seed=seed)


def refusal(act: Any, *args: Any, **options: Any) -> str:
    """The code with which an act is refused."""
    with pytest.raises(AppError) as refused:
        act(*args, **options)
    return refused.value.code


def row(one: Crowd, number: int) -> Submission:
    with one.database.read_session() as session:
        return session.scalars(select(Submission).where(Submission.number == number)).one()


def close(one: Crowd, at: dt.datetime) -> None:
    with one.database.write_session() as session:
        challenges.close(session, actor=one.chief, slug="tiny", phase="main", now=at)


def tick(one: Crowd, at: dt.datetime) -> dt.datetime | None:
    """Let time pass; when the phase froze."""
    with one.database.write_session() as session:
        schedule.tick(session, blobs=one.blobs, now=at)
        return crowd.phase_of(session).frozen_at


def test_withdrawing_a_scored_entry_frees_no_slot(one: Crowd) -> None:
    ada = crowd.join(one, "ada", "Ada")
    numbers = [crowd.submit(one, ada, entry(seed)) for seed in (1, 2)]
    score_all(one)
    for number in numbers:
        crowd.change(one, ada, number, "withdraw")
    assert [row(one, number).state for number in numbers] == ["withdrawn"] * 2
    assert refusal(crowd.submit, one, ada, entry(3)) == "E-QUOTA"
    assert all(submissions.uses_quota(row(one, number)) for number in numbers)


def test_withdrawing_what_the_platform_failed_costs_nothing(one: Crowd) -> None:
    ada = crowd.join(one, "ada", "Ada")
    numbers = [crowd.submit(one, ada, entry(seed)) for seed in (1, 2)]
    with one.database.write_session() as session:
        for dead in session.scalars(select(Submission).where(Submission.number.in_(numbers))):
            dead.state, dead.outcome = "dead", "internal"
    for number in numbers:
        crowd.change(one, ada, number, "withdraw")
    assert crowd.submit(one, ada, entry(3)) == numbers[-1] + 1
    assert not submissions.uses_quota(row(one, numbers[0]))


def test_no_more_finals_than_the_phase_has(one: Crowd) -> None:
    ada = crowd.join(one, "ada", "Ada")
    numbers = [crowd.submit(one, ada, entry(seed)) for seed in (1, 2)]
    score_all(one)
    crowd.change(one, ada, numbers[0], "final")
    assert refusal(crowd.change, one, ada, numbers[1], "final") == "E-CONFLICT"
    crowd.change(one, ada, numbers[0], "final")
    assert [row(one, number).final for number in numbers] == [True, False]


def test_a_body_is_awaited_for_the_whole_grace_after_the_close(one: Crowd) -> None:
    """Asked for 10 minutes before the close, complete 10 minutes after it: entered, and the board waited."""
    ada = crowd.join(one, "ada", "Ada")
    start = crowd.now()
    admission = admitted(one, ada, start)
    closed = start + dt.timedelta(minutes=10)
    close(one, closed)
    assert tick(one, closed + dt.timedelta(minutes=9)) is None
    number = arrive(one, ada, admission, closed + dt.timedelta(minutes=10))
    assert tick(one, closed + dt.timedelta(minutes=11)) is None
    score_all(one)
    assert tick(one, closed + dt.timedelta(minutes=12)) is not None
    with one.database.read_session() as session:
        standing = session.scalars(select(BoardEntry).where(BoardEntry.submission_id == row(one, number).id)).all()
    assert len(standing) == 2


def test_a_body_that_never_comes_is_not_awaited_longer(one: Crowd) -> None:
    ada = crowd.join(one, "ada", "Ada")
    start = crowd.now()
    admission = admitted(one, ada, start)
    closed = start + dt.timedelta(minutes=10)
    close(one, closed)
    frozen = closed + dt.timedelta(minutes=15, seconds=1)
    assert tick(one, frozen) == frozen
    # Its clock was behind: the board is frozen, so the entry is refused, not lost.
    assert refusal(arrive, one, ada, admission, closed + dt.timedelta(minutes=14)) == "E-LATE"
    assert tick(one, frozen + dt.timedelta(days=1)) == frozen


def test_the_same_request_is_answered_after_the_close(one: Crowd) -> None:
    """The answer was lost, the client asks again, and the phase has closed meanwhile."""
    ada = crowd.join(one, "ada", "Ada")
    number = crowd.submit(one, ada, entry(1), idempotency_key="k1")
    close(one, crowd.now())
    assert crowd.submit(one, ada, entry(1), idempotency_key="k1") == number
    assert refusal(crowd.submit, one, ada, entry(2), idempotency_key="k2") == "E-WINDOW"


def test_notes_and_file_names_hide_nothing(one: Crowd) -> None:
    ada = crowd.join(one, "ada", "Ada")
    number = crowd.submit(one, ada, entry(1), note="a\x00b\u202ec", filename="x\ny\x1b.csv")
    assert (row(one, number).note, row(one, number).filename) == ("a\ufffdb\ufffdc", "x y\ufffd.csv")


def test_checks_of_one_team_do_not_pile_up(one: Crowd) -> None:
    ada, eve = crowd.join(one, "ada", "Ada"), crowd.join(one, "eve", "Eve")
    for seed in range(one.settings.checks_open):
        crowd.submit(one, ada, entry(seed), check=True)
    assert refusal(crowd.submit, one, ada, entry(99), check=True) == "E-TOO-MANY"
    assert crowd.submit(one, eve, entry(99), check=True) > 0
    score_all(one)
    assert crowd.submit(one, ada, entry(99), check=True) > 0


def test_a_cell_that_is_too_small_tells_others_not_even_its_size() -> None:
    cell = MetricValue(
        metric="auroc",
        output="auroc",
        slice="subgroup:sex=F",
        value=None,
        undefined="cell<10",
        n_cases=7,
        n_clusters=4,
    )
    seen = evaluations.value_document(cell, places=3, behind=False)
    behind = evaluations.value_document(cell, places=3, behind=True)
    assert (seen["n_cases"], seen["n_clusters"], seen["undefined"]) == (None, None, "cell<10")
    assert (behind["n_cases"], behind["n_clusters"]) == (7, 4)


def test_a_live_board_tells_of_parts_of_twenty_clusters_and_a_frozen_one_of_ten(one: Crowd) -> None:
    number = crowd.submit(one, crowd.join(one, "ada", "Ada"), entry(1))
    score_all(one)
    with one.database.write_session() as session:
        phase = session.scalars(select(Phase)).one()
        session.execute(update(Split).values(visible="live"))
        ada = session.scalars(select(Submission).where(Submission.number == number)).one()
        for name, count in (("old", 15), ("mid", 30), ("young", 75)):
            part = {"slice": f"subgroup:age={name}", "n_cases": count, "n_clusters": count}
            session.add(MetricValue(evaluation_id=ada.current_id, metric="x", output="x", value=0.5, **part))
        session.flush()

        def seen() -> dict[str, object]:
            told = evaluations.documents_for(session, submission=ada, behind=False)
            ages = {str(d["slice"]).partition("age=")[2]: d for d in told if "age=" in str(d["slice"])}
            return {name: (d["value"], d["undefined"], d["n_clusters"]) for name, d in ages.items()}

        kept_back = (None, "withheld", None)
        assert seen() == {"old": (None, "cell<20", None), "mid": kept_back, "young": (0.5, None, 75)}
        phase.frozen_at = crowd.now()
        assert seen() == {"old": (0.5, None, 15), "mid": (0.5, None, 30), "young": (0.5, None, 75)}


def test_a_few_cases_without_a_group_do_not_follow_from_the_groups(one: Crowd) -> None:
    number = crowd.submit(one, crowd.join(one, "ada", "Ada"), entry(1))
    score_all(one)
    with one.database.write_session() as session:
        phase = session.scalars(select(Phase)).one()
        session.execute(update(Split).values(visible="live"))
        ada = session.scalars(select(Submission).where(Submission.number == number)).one()
        whole = update(MetricValue).where(MetricValue.evaluation_id == ada.current_id, MetricValue.slice == "all")
        session.execute(whole.values(n_cases=235, n_clusters=235))
        for metric in ("x", "y"):
            for name, count in (("F", 120), ("M", 100)):
                part = {"slice": f"subgroup:who={name}", "n_cases": count, "n_clusters": count}
                session.add(MetricValue(evaluation_id=ada.current_id, metric=metric, output="z", value=0.5, **part))
        session.flush()

        def told() -> set[tuple[object, ...]]:
            found = evaluations.documents_for(session, submission=ada, behind=False)
            return {(d["metric"], d["slice"], d["n_cases"]) for d in found if "who=" in str(d["slice"])}

        def seen(f: int | None, m: int | None) -> set[tuple[object, ...]]:
            return {(metric, f"subgroup:who={name}", n) for metric in "xy" for name, n in (("F", f), ("M", m))}

        assert told() == seen(120, None)  # fifteen without a group are few while the board is live
        phase.frozen_at = crowd.now()
        assert told() == seen(120, 100)
        session.execute(whole.values(n_cases=223, n_clusters=223))
        assert told() == seen(120, None)


def admitted(one: Crowd, who: Actor, at: dt.datetime) -> admissions.Admission:
    with one.database.write_session() as session:
        return admissions.admit(session, actor=who, request=REQUEST, settings=one.settings, now=at)


def arrive(one: Crowd, who: Actor, admission: admissions.Admission, at: dt.datetime) -> int:
    """The body is complete at `at`; the entry's number."""
    stored = one.blobs.write("entries", [entry(7)])
    with one.database.write_session() as session:
        return submissions.submit(
            session,
            actor=who,
            request=REQUEST,
            admission=admission,
            stored=stored,
            settings=one.settings,
            now=at,
        ).submission.number
