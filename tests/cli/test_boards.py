"""The leaderboard as people read it."""

from __future__ import annotations

import re
from typing import Any

from app.cli import comparison
from tests.cli.harness import Answer, Faulty, Run, Seen, as_json


def row(**others: Any) -> dict[str, Any]:
    known = {"rank": 1, "tied": False, "rank_low": 1, "rank_high": 2, "team": "ada", "value": 0.9, "low": 0.8}
    return known | {"high": 0.95, "shown_value": 0.9, "entries": 2, "baseline": False, "reason": None} | others


def answering(rows: list[dict[str, Any]], **others: Any) -> Any:
    board = {"phase": "main", "split": "public", "provisional": True, "computed_at": None, "rows": rows, **others}

    def answer(request: Seen) -> Answer:
        if request.path.startswith("/api/v1/challenges/blood/phases/main/leaderboard"):
            return as_json(board)
        return as_json({"slug": "blood", "phases": [{"slug": "main", "window": "closed"}]})

    return answer


def test_ties_baselines_withheld_values_and_notes(run: Run, faulty: Faulty) -> None:
    rows = [
        row(tied=True),
        row(tied=True, team="bob", value=None, low=None, high=None, rank_low=None, rank_high=None, shown_value=0.89),
        row(rank=3, team="carl", rank_low=3, rank_high=3),
        row(rank=None, team="Logistic", baseline=True, rank_low=None, rank_high=None),
    ]
    ranking = {"output": "auroc", "direction": "higher"}
    faulty.answer = answering(rows, notes=["N-NO-CLUSTER", "N-OTHER"], ranking=ranking)
    result = run("leaderboard", "blood", "--split", "public", "--server", faulty.address)
    assert result.out == (
        "Phase main, split public, ranked by auroc, higher is better: provisional.\n"
        "rank  rank interval  team                 value  interval     entries\n"
        "1=    1 to 2         ada                  0.9    0.8 to 0.95  2\n"
        "1=    -              bob                  0.89   -            2\n"
        "3     3              carl                 0.9    0.8 to 0.95  2\n"
        "-     -              Logistic (baseline)  0.9    0.8 to 0.95  2\n"
        "Intervals are per case, and too narrow if cases share a patient.\n"
        "N-OTHER\n"
        "= marks ranks that are shared: these teams cannot be told apart by the rule of this phase.\n"
    )
    assert faulty.seen[-1].path.endswith("/leaderboard?split=public")


def test_an_empty_board(run: Run, faulty: Faulty) -> None:
    faulty.answer = answering([], provisional=False)
    result = run("leaderboard", "blood", "--server", faulty.address)
    assert (result.code, result.out) == (0, "Phase main, split public: final.\nNobody stands on it yet.\n")


def test_csv_passes_through_as_it_is(run: Run, faulty: Faulty) -> None:
    phases = as_json({"slug": "blood", "phases": [{"slug": "main", "window": "open"}]})
    content = "rank,team\n1,équipe\n".encode()
    faulty.answer = lambda request: (200, {}, content) if ".csv" in request.path else phases
    result = run("leaderboard", "blood", "--csv", "--server", faulty.address)
    assert (result.code, result.out) == (0, "rank,team\n1,équipe\n")


def test_the_history_of_a_rank(run: Run, faulty: Faulty) -> None:
    points = [
        {"at": "2026-11-22T10:00:00+00:00", "rank": 2, "tied": False, "rank_low": 1, "rank_high": 3, "value": 0.8},
        {"at": "2026-11-22T11:00:00+00:00", "rank": 1, "tied": True, "rank_low": None, "rank_high": None, "value": 0.9},
        {"at": "2026-11-22T12:00:00+00:00", "rank": None, "tied": False, "rank_low": None, "rank_high": None}
        | {"value": None},
        {"at": "2026-11-22T13:00:00+00:00", "on_board": False, "rank": None, "tied": False, "value": None},
    ]
    phases = as_json({"slug": "blood", "phases": [{"slug": "main", "window": "open"}]})
    document = {"phase": "main", "split": "public", "team": "Ada & co", "changes": 40, "points": points}
    faulty.answer = lambda request: as_json(document) if "/leaderboard" in request.path else phases
    result = run("leaderboard", "blood", "--history", "Ada & co", "--server", faulty.address)
    assert faulty.seen[-1].path.endswith("/phases/main/leaderboard/history?team=Ada+%26+co")
    lines = result.out.splitlines()
    assert (lines[0], lines[-1]) == (
        "Ada & co, phase main, split public:",
        "4 of 40 changes are shown, evenly thinned.",
    )
    shown = [re.split(r"  +", line.strip())[-3:] for line in lines[1:-1]]
    assert shown == [
        ["rank", "rank interval", "value"],
        ["2", "1 to 3", "0.8"],
        ["1=", "-", "0.9"],
        ["-", "-", "-"],
        ["not on the board", "-", "-"],
    ]
    assert run("leaderboard", "blood", "--history", "a", "--csv", "--server", faulty.address).code == 2
    faulty.answer = lambda request: as_json(document | {"points": []}) if "/leaderboard" in request.path else phases
    empty = run("leaderboard", "blood", "--history", "Ada & co", "--server", faulty.address)
    assert empty.out.endswith("It has not stood on this board yet.\n")


def test_how_two_entries_compare() -> None:
    noise = {"number": 3, "difference": 0.004, "low": -0.011, "high": 0.019, "separable": False}
    assert comparison.sentence(noise) == (
        "Compared with submission 3: +0.004 (−0.011 to +0.019): within noise; the two entries cannot be told apart."
    )
    assert comparison.sentence(noise | {"low": 0.0, "high": 0.02, "separable": True}) == (
        "Compared with submission 3: +0.004 (0 to +0.02): more than noise; the two entries can be told apart."
    )
