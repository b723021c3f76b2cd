"""What a terminal, a pipe and a script get to see."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.output import Output, aligned, clean
from tests.cli.harness import Faulty, Run, as_json, in_terminal

ROOT = Path(__file__).resolve().parents[2]
BOXES = set("─━│┃╭╮╰╯┌┐└┘├┤┬┴┼╷╵╶╴╸╺█▏━")
LIST = as_json(
    [
        {"slug": "blood", "title": {"fr": "Sang", "en": "Blood"}, "published_at": "2026-01-01T00:00:00Z"},
        {"slug": "risk", "title": {"fr": "Risque", "en": "Risk"}, "published_at": None, "joined": True},
    ]
)
TABLE = "slug   title  state\nblood  Blood  published\nrisk   Risk   draft, you take part\n"


def is_plain(text: str) -> bool:
    return "\x1b" not in text and not BOXES.intersection(text)


def test_a_pipe_gets_aligned_text_without_colour_or_boxes(run: Run, faulty: Faulty) -> None:
    faulty.answer = lambda _: LIST
    result = run("challenge", "list", "--server", faulty.address)
    assert (result.code, result.out, result.err) == (0, TABLE, "")


def test_a_terminal_gets_a_drawn_table(home: Path, faulty: Faulty) -> None:
    faulty.answer = lambda _: LIST
    shown = in_terminal(["challenge", "list", "--server", faulty.address])
    assert not is_plain(shown)
    assert "blood" in shown


@pytest.mark.parametrize(
    ("arguments", "environment"), [(["--plain"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})]
)
def test_a_terminal_that_is_asked_to_be_plain(
    home: Path, faulty: Faulty, arguments: list[str], environment: dict[str, str]
) -> None:
    faulty.answer = lambda _: LIST
    shown = in_terminal(["challenge", "list", "--server", faulty.address, *arguments], **environment)
    assert shown.replace("\r\n", "\n") == TABLE


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_help_and_usage_errors_are_plain_too(home: Path, environment: dict[str, str]) -> None:
    for arguments in (["--help"], ["submit", "--help"], ["submit"], ["nonsense"]):
        assert is_plain(in_terminal(arguments, **environment))


def test_french_terminals_get_french_titles(run: Run, faulty: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    faulty.answer = lambda _: LIST
    assert "Sang" in run("challenge", "list", "--server", faulty.address).out


def test_json_is_the_document_of_the_api_and_nothing_else(run: Run, faulty: Faulty) -> None:
    faulty.answer = lambda _: LIST
    result = run("challenge", "list", "--server", faulty.address, "--json")
    assert result.document == json.loads(LIST[2])
    assert result.err == ""


def test_numbers_pass_through_json_unchanged(capsys: pytest.CaptureFixture[str]) -> None:
    document = {"value": 0.123456789012, "low": 1e-300, "n": 10**20, "none": None}
    Output(json=True).document(document)
    assert json.loads(capsys.readouterr().out) == document


def test_what_others_wrote_cannot_drive_the_terminal(run: Run, faulty: Faulty) -> None:
    evil = "\x1b]0;owned\x07\x1b[2Jred\u202egnp\r\nrow"
    faulty.answer = lambda _: as_json([{"slug": evil, "title": {"fr": "", "en": evil}, "published_at": None}])
    shown = run("challenge", "list", "--server", faulty.address).out
    assert not {"\x1b", "\x07", "\r", "\u202e"}.intersection(shown)
    assert len(shown.splitlines()) == 2


def test_clean_keeps_what_people_write() -> None:
    assert clean("Équipe № 1 — 日本 🙂\tok\n") == "Équipe № 1 — 日本 🙂\tok\n"


def test_columns_line_up() -> None:
    assert aligned(["a", "bb"], [["x", "1"], ["long", ""]]) == "a     bb\nx     1\nlong"


@pytest.mark.parametrize(
    "arguments",
    [["submit"], ["nonsense"], ["submission", "blood", "zero"], ["--nonsense"], ["submit", "a", "b", "-f", "c"]],
)
def test_a_wrong_command_line_ends_with_2_and_leaves_stdout_empty(run: Run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err != ""


def test_a_reader_that_goes_away_is_no_error(home: Path, faulty: Faulty) -> None:
    rows = [{"slug": f"s{i}", "title": {"fr": "", "en": "t" * 100}, "published_at": None} for i in range(5000)]
    faulty.answer = lambda _: as_json(rows)
    command = f"{sys.executable} -m app.cli challenge list --server {faulty.address} --json | head -c 10"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], cwd=ROOT, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_a_terminal_without_utf8_gets_escapes_instead_of_a_crash(home: Path, faulty: Faulty) -> None:
    faulty.answer = lambda _: as_json([{"slug": "é", "title": {"fr": "", "en": "日本"}, "published_at": None}])
    for arguments, wanted in ((["--json"], b"\\u65e5"), ([], b"\\u65e5")):
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", "challenge", "list", "--server", faulty.address, *arguments],
            cwd=ROOT,
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": "ascii:strict"},
        )
        assert done.returncode == 0
        assert wanted in done.stdout


def test_a_fault_of_our_own_is_called_one(run: Run, faulty: Faulty) -> None:
    faulty.answer = lambda _: as_json([{"no": "slug"}])
    result = run("challenge", "list", "--server", faulty.address)
    assert result.code == 5
    assert result.err == (
        "A fault in the arbitre program itself (KeyError: 'slug'), not in your input. "
        "Run it again with ARBITRE_DEBUG=1 and report what it prints.\n"
    )
