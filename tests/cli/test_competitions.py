"""Kaggle's verbs send what ours send and print what ours print."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import Faulty, Run, Seen, as_json

BYTES = b"id,score\n1,0.5\n"
ROW = {"number": 7, "received_at": "2026-11-22T12:00:00+00:00", "phase": "main", "state": "scored", "filename": "p.csv"}
BOARD = {
    "phase": "main",
    "split": "public",
    "provisional": True,
    "rows": [{"rank": 1, "team": "Ada", "shown_value": 0.5}],
}


def answer(request: Seen) -> Any:
    path = request.path.partition("?")[0].removeprefix("/api/v1")
    if request.method == "POST":
        digest = hashlib.sha256(BYTES).hexdigest()
        told = {"number": 7, "sha256": digest, "state": "queued", "new": True, "quota": {"left": 4, "resets_at": None}}
        return as_json(told, 202)
    if path.endswith("leaderboard.csv"):
        return 200, {"Content-Type": "text/csv"}, b"rank,team\r\n1,Ada\r\n"
    if path.endswith("/public/cases.csv"):
        return 200, {"Content-Type": "text/csv"}, BYTES
    documents: dict[str, Any] = {
        "/challenges": [{"slug": "blood", "title": {"en": "Blood"}, "published_at": "x"}],
        "/challenges/blood": {"slug": "blood", "phases": [{"slug": "main", "window": "open"}]},
        "/challenges/blood/submissions": [ROW | {"note": "", "final": False}],
        "/challenges/blood/phases/main/leaderboard": BOARD,
        "/challenges/blood/files": [
            {"path": "public/cases.csv", "size": len(BYTES), "sha256": hashlib.sha256(BYTES).hexdigest()}
        ],
    }
    return as_json(documents[path])


@pytest.fixture
def blood(faulty: Faulty, monkeypatch: pytest.MonkeyPatch, home: Path) -> Faulty:
    faulty.answer = answer
    monkeypatch.setenv("ARBITRE_SERVER", faulty.address)
    monkeypatch.chdir(home)
    (home / "p.csv").write_bytes(BYTES)
    return faulty


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (["submit", "blood", "-f", "p.csv", "-m", "first"], ["submit", "blood", "-f", "p.csv", "-m", "first"]),
        (
            ["submit", "-c", "blood", "-f", "p.csv", "-m", "first", "-q"],
            ["submit", "blood", "-f", "p.csv", "-m", "first"],
        ),
        (["submissions", "blood"], ["submissions", "blood"]),
        (["submissions", "-c", "blood", "--json"], ["submissions", "blood", "--json"]),
        (["leaderboard", "blood", "-s"], ["leaderboard", "blood"]),
        (["leaderboard", "-c", "blood", "--show", "-v"], ["leaderboard", "blood", "--csv"]),
        (["download", "blood", "-p", "a"], ["download", "blood", "-o", "a"]),
        (
            ["download", "-c", "blood", "-f", "public/cases.csv", "-w", "-o"],
            ["download", "blood", "-o", ".", "--force"],
        ),
        (["files", "blood", "--json"], ["files", "blood", "--json"]),
        (["list"], ["challenge", "list"]),
    ],
)
def test_a_verb_does_what_ours_does(run: Run, blood: Faulty, theirs: list[str], ours: list[str]) -> None:
    mine = run(*ours)
    asked = [(request.method, request.path, request.body) for request in blood.seen]
    blood.seen.clear()
    theirs_done = run("competitions", *theirs)
    again = [(request.method, request.path, request.body) for request in blood.seen]
    if ours[0] == "download":
        # The second time the file is there already.
        asked, again = asked[:1], again[:1]
    assert (theirs_done.code, theirs_done.out, again) == (mine.code, mine.out, asked)


def test_a_board_is_downloaded(run: Run, blood: Faulty, home: Path) -> None:
    result = run("competitions", "leaderboard", "blood", "-d", "-p", home / "boards")
    target = home / "boards" / "blood-leaderboard.csv"
    assert (result.code, result.out) == (0, f"{target} holds the leaderboard of blood.\n")
    assert target.read_bytes() == b"rank,team\r\n1,Ada\r\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["submit", "blood"], "Name the file with your predictions: -f FILE\n"),
        (
            ["files"],
            "Name the challenge: COMPETITION, or -c COMPETITION. `arbitre challenge list` shows those there are.\n",
        ),
        (["files", "blood", "-c", "heart"], "Name one challenge: blood and heart are two.\n"),
        (["leaderboard", "blood", "-s", "-d"], "Choose one of --show and --download.\n"),
    ],
)
def test_what_is_missing(run: Run, blood: Faulty, arguments: list[str], told: str) -> None:
    result = run("competitions", *arguments)
    assert (result.code, result.err) == (2, told)


def test_help_says_what_each_is(run: Run) -> None:
    shown = run("competitions", "--help").out
    for verb in ("submit", "submissions", "leaderboard", "download", "files"):
        assert f"The same as `arbitre {verb} COMPETITION" in shown
