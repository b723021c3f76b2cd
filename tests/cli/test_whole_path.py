"""The whole path by commands alone, with a real runner and real sandboxes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import scenario
from tests.cli.harness import Run
from tests.instance import organiser, running
from tests.serving import Served

pytestmark = pytest.mark.sandbox
CASES = scenario.cases(240)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Served]:
    """One instance with an organiser (`olga`) and two participants."""
    with running(tmp_path_factory.mktemp("whole"), sqlite_template) as instance:
        organiser(instance, "olga")
        for name in ("ada", "bob"):
            scenario.person(instance.url, name)
        yield instance


def log_in(run: Run, name: str) -> None:
    assert run("login", "--email", f"{name}@example.org", typed=f"{scenario.PASSWORD}\n").code == 0


def without_empty(issues: list[dict[str, object]]) -> list[dict[str, object]]:
    """Issues without what is null, and without the server's own link to its help page."""
    return [{key: value for key, value in issue.items() if value is not None and key != "help"} for issue in issues]


def write(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def test_from_a_folder_to_the_final_board(
    run: Run, instance: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARBITRE_SERVER", instance.url)
    log_in(run, "olga")
    assert run("challenge", "push", write(tmp_path / "folder", scenario.folder(CASES))).code == 0
    assert run("challenge", "publish", "tiny").code == 0
    for name, noise in (("ada", 0.6), ("bob", 1.5)):
        log_in(run, name)
        assert run("join", "tiny", "--accept-all").code == 0
        entry = write(tmp_path / name, {"predictions.csv": scenario.entry(CASES, noise=noise)}) / "predictions.csv"
        assert run("check", "tiny", entry).code == 0
        sent = run("submit", "tiny", "-f", entry, "--wait", "--json")
        assert (sent.code, sent.document["state"]) == (0, "scored")
        shown = run("submission", "tiny", str(sent.document["number"]))
        assert shown.out.startswith(
            f"Submission {sent.document['number']}: Scored. It used one of your team's submissions.\n240 rows read.\n"
        )
        assert "split:public" in shown.out
        assert "split:private" not in shown.out
    live = scenario.until(lambda: len((shown := run("leaderboard", "tiny", "--json")).document["rows"]) == 2 and shown)
    assert [(row["rank"], row["team"]) for row in live.document["rows"]] == [(1, "ada"), (2, "bob")]
    assert run("leaderboard", "tiny").out.startswith(
        "Phase main, split public, ranked by auroc, higher is better: provisional, computed "
    )

    log_in(run, "olga")
    assert run("challenge", "close", "tiny").code == 0
    final = scenario.until(
        lambda: (shown := run("leaderboard", "tiny", "--json").document)["split"] == "private" and shown
    )
    assert final["provisional"] is False
    rows = list(csv.DictReader(io.StringIO(run("leaderboard", "tiny", "--csv").out)))
    assert [(row["rank"], row["team"]) for row in rows] == [(str(row["rank"]), row["team"]) for row in final["rows"]]


def test_a_rejected_file_ends_with_1_and_says_what_the_local_check_says(
    run: Run, instance: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARBITRE_SERVER", instance.url)
    log_in(run, "olga")
    run("challenge", "push", write(tmp_path / "folder", scenario.folder(CASES, slug="refusing")))
    run("challenge", "publish", "refusing")
    log_in(run, "bob")
    run("join", "refusing", "--accept-all")
    lines = scenario.entry(CASES).decode().splitlines()
    lines[3] = lines[3].split(",")[0] + ",abc"
    lines[5] = "unknown,0.5"
    entry = write(tmp_path, {"bad.csv": "\n".join(lines).encode()}) / "bad.csv"
    sent = run("submit", "refusing", "-f", entry, "--wait")
    assert sent.code == 1
    assert (
        "Submission 1: Rejected: the file does not have the right form. The cause is in the file. "
        "It used none of your team's submissions.\n"
    ) in sent.out
    told = [line for line in sent.out.splitlines() if line.startswith("- ")]
    local = run("check", "refusing", entry)
    assert [line for line in local.out.splitlines() if line.startswith("- ")] == told
    assert len(told) == 3
    document = run("submission", "refusing", "1", "--json").document
    mine = run("check", "refusing", entry, "--json").document["report"]
    assert without_empty(document["report"]["issues"]) == without_empty(mine["issues"])
    assert (document["report"]["total"], document["report"]["counts"]) == (mine["total"], mine["counts"])


def test_a_check_on_the_server_uses_nothing(
    run: Run, instance: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARBITRE_SERVER", instance.url)
    log_in(run, "olga")
    run("challenge", "push", write(tmp_path / "folder", scenario.folder(CASES, slug="checking")))
    run("challenge", "publish", "checking")
    log_in(run, "ada")
    run("join", "checking", "--accept-all")
    entry = write(tmp_path, {"good.csv": scenario.entry(CASES)}) / "good.csv"
    sent = run("submit", "checking", "-f", entry, "--check", "--wait")
    assert sent.code == 0
    assert sent.out.endswith(
        "\nSubmission 1: Checked: the file has the right form. A check uses none.\n240 rows read.\n"
    )
    assert "Your team has 5 submissions left" in sent.out
