"""`import arbitre` as a notebook uses it: frames, bytes, paths and tables in; objects that print themselves out."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import arbitre
from app.cli import config
from app.cli.entries import one_entry
from app.cli.errors import Usage
from app.cli.frames import Table, entry_files, table_bytes
from tests import scenario
from tests.cli.harness import Run
from tests.instance import organiser, running
from tests.newcomers import newcomer
from tests.scenario import Person
from tests.serving import Served

CASES = scenario.cases(240)
CSV = Table("risks", "predictions.csv")


def frame(seed: int = 5) -> pd.DataFrame:
    """An entry to `tiny`."""
    draw = random.Random(seed)
    return pd.DataFrame({"id": [case.id for case in CASES], "risk": [draw.random() for _ in CASES]})


def write(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Served]:
    """An instance that scores, with the challenge `tiny`."""
    with running(tmp_path_factory.mktemp("library"), sqlite_template) as instance:
        scenario.publish(organiser(instance), scenario.folder(CASES, day=20))
        yield instance


@pytest.fixture
def ada(instance: Served, home: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Person:
    """A newcomer's team for each test, whose token and server the functions use."""
    who = newcomer(instance, f"ada-{hashlib.sha256(request.node.name.encode()).hexdigest()[:8]}")
    monkeypatch.setenv("ARBITRE_SERVER", instance.url)
    monkeypatch.setenv("ARBITRE_TOKEN", who.http.headers["Authorization"].removeprefix("Bearer "))
    return who


@pytest.mark.sandbox
def test_a_frame_is_submitted_scored_and_ranked(ada: Person, capsys: pytest.CaptureFixture[str]) -> None:
    made = arbitre.submit(frame(), "tiny", note="from a notebook")
    assert (made.state, made.challenge, made.new, made.quota_left, made.problems) == ("scored", "tiny", True, 19, ())
    assert made.score is not None and 0 <= made.score <= 1
    assert {value["slice"] for value in made.values} >= {"split:public"}
    assert repr(made).startswith(
        f"Submission {made.number}: Scored. It used one of your team's submissions.\n240 rows read."
    )
    assert made._repr_html_().startswith(f"<p>Submission {made.number}: Scored. ")
    assert capsys.readouterr().out.startswith(f"Submission {made.number}: ")

    listed = arbitre.submissions("tiny")
    assert [(row["number"], row["note"], row["filename"]) for row in listed] == [
        (made.number, "from a notebook", "predictions.csv")
    ]
    assert listed.frame()["sha256"].tolist() == [made.sha256]
    board = scenario.until(lambda: (rows := arbitre.leaderboard("tiny", phase="main")).rows and rows)
    mine = [row for row in board if row["team"] == ada.email.partition("@")[0]]
    assert ([row["shown_value"] for row in mine], len(board.frame())) == ([made.score], len(board))
    assert repr(board).startswith("Phase main, split public, ranked by auroc, higher is better: provisional, computed ")
    assert '<table><thead><tr><th scope="col">rank</th>' in board._repr_html_()


@pytest.mark.sandbox
def test_a_rejected_entry_is_returned_with_its_problems(ada: Person) -> None:
    bad = frame()
    bad.loc[2, "risk"] = 1.5
    made = arbitre.submit(bad, "tiny", progress=False)
    local = arbitre.check(bad, "tiny")
    assert (made.state, made.score, local.good, bool(local)) == ("rejected", None, False, False)
    assert (len(made.problems), made.problems) == (1, local.problems)
    assert made.problems[0] in repr(made)


def test_the_same_data_is_the_same_entry(ada: Person) -> None:
    first = arbitre.submit(frame(1), "tiny", wait=False)
    second = arbitre.submit(table_bytes(frame(1), CSV), "tiny", wait=False)
    third = arbitre.submit(frame(1), "tiny", wait=False, again=True)
    assert (first.new, second.new, third.new) == (True, False, True)
    assert first.number == second.number < third.number
    assert first.sha256 == hashlib.sha256(table_bytes(frame(1), CSV)).hexdigest()


def test_refusals_are_one_exception_with_the_servers_sentence(ada: Person) -> None:
    with pytest.raises(arbitre.ArbitreError) as refused:
        arbitre.submit(frame(), "tiny", phase="final")
    assert (str(refused.value), refused.value.code) == ("tiny has no phase 'final'. It has: main.", "E-USAGE")
    with pytest.raises(arbitre.ArbitreError) as refused:
        arbitre.submit({"grades": frame()}, "tiny")
    assert str(refused.value) == "This phase has no table 'grades'. It has: 'risks'."
    with pytest.raises(arbitre.ArbitreError) as refused:
        arbitre.leaderboard("tinny")
    assert "Did you mean tiny?" in str(refused.value)


def test_files_are_fetched(ada: Person, tmp_path: Path) -> None:
    got = arbitre.download("tiny", "public/sample_submission.csv", folder=tmp_path / "data", progress=False)
    assert got.paths == (tmp_path / "data" / "public" / "sample_submission.csv",)
    assert pd.read_csv(got.paths[0])["risk"].tolist() == [0.5] * len(CASES)
    got.paths[0].write_text("mine")
    with pytest.raises(arbitre.ArbitreError) as refused:
        arbitre.download("tiny", ["public/sample_submission.csv"], folder=tmp_path / "data")
    assert str(refused.value).endswith("public/sample_submission.csv. Use force=True.")


def test_logging_in_keeps_a_token(instance: Served, home: Path) -> None:
    scenario.person(instance.url, "eve")
    account = arbitre.login(instance.url, email="eve@example.org", password=scenario.PASSWORD)
    assert (account.name, account.server) == ("eve", instance.url)
    assert config.load().logins[instance.url].user == "eve@example.org"
    with pytest.raises(arbitre.ArbitreError):
        arbitre.login(instance.url, email="eve@example.org", password="wrong password")


def test_a_check_against_a_folder_needs_no_server(home: Path, tmp_path: Path) -> None:
    folder = write(tmp_path / "tiny", scenario.folder(CASES))
    good = arbitre.check(frame(), folder)
    assert (good.good, repr(good)) == (
        True,
        "predictions.csv has the right form for phase main.\n240 rows read.",
    )
    bad = arbitre.check(frame().iloc[1:], folder)
    assert (bad.good, [line.rpartition(" ")[2] for line in bad.problems]) == (False, ["[E-ID-MISSING]"])


def test_what_others_wrote_is_no_markup(home: Path, tmp_path: Path) -> None:
    folder = write(tmp_path / "tiny", scenario.folder(CASES))
    evil = frame()
    evil.loc[0, "id"] = "<script>alert(1)</script>"
    shown = arbitre.check(evil, folder)
    assert "<script>" in repr(shown)
    assert "<script>" not in shown._repr_html_()
    assert "&lt;script&gt;" in shown._repr_html_()


def test_numbers_survive_the_way_through_a_file() -> None:
    draw = np.random.default_rng(1)
    made = pd.DataFrame(
        {
            "id": ["007", "1e3", 'a"b,c', "é\nf"],
            "double": [0.1, 1 / 3, 5e-324, draw.random()],
            "single": np.array([0.1, 1 / 3, 1e-40, 3], dtype="float32"),
            "count": pd.array([1, None, 2**62, -3], dtype="Int64"),
            "odd": pd.Series([None, float("nan"), np.float64(0.25), np.int64(7)], dtype=object),
            "kind": pd.Categorical(["a", "b", None, "a"]),
        }
    )
    back = pd.read_csv(io.BytesIO(table_bytes(made, CSV)), dtype=str, keep_default_na=False)
    assert back["id"].tolist() == made["id"].tolist()
    for name in ("double", "single"):
        assert [float(text) for text in back[name]] == [float(value) for value in made[name]]
    assert back["count"].tolist() == ["1", "", str(2**62), "-3"]
    assert back["odd"].tolist() == ["", "", "0.25", "7"]
    assert back["kind"].tolist() == ["a", "b", "", "a"]
    lines = table_bytes(made, Table("risks", "p.jsonl", "jsonl")).decode().splitlines()
    assert json.loads(lines[0]) == {
        "id": "007",
        "double": 0.1,
        "single": float(np.float32(0.1)),
        "count": 1,
        "odd": None,
        "kind": "a",
    }


def test_an_index_is_a_column_only_where_it_has_a_name() -> None:
    plain, named = frame().head(2), frame().head(2).set_index("id")
    assert table_bytes(named, CSV) == table_bytes(plain, CSV)
    assert table_bytes(plain.set_axis([5, 6]), CSV) == table_bytes(plain, CSV)
    with pytest.raises(Usage, match="several columns named risk"):
        table_bytes(pd.concat([plain, plain["risk"]], axis=1), CSV)
    with pytest.raises(Usage, match="The index cannot become a column"):
        table_bytes(plain.rename_axis("risk"), CSV)


@pytest.mark.parametrize("data", [3, None, [1, 2], np.zeros(3), {"id": [1]}])
def test_what_is_no_entry(data: object, tmp_path: Path) -> None:
    with pytest.raises(Usage):
        entry_files(data, [CSV], tmp_path)


TWO = [Table("diagnosis", "diagnosis.csv"), Table("risk", "risk.csv")]


def test_several_tables_become_one_zip_that_is_always_the_same(tmp_path: Path) -> None:
    other = tmp_path / "somewhere.csv"
    other.write_bytes(table_bytes(frame(2), CSV))
    digests = set()
    for number, data in enumerate(
        [
            {"diagnosis": frame(1), "risk": frame(2)},
            {"risk": other, "diagnosis.csv": table_bytes(frame(1), CSV)},
            {"risk": str(other), "diagnosis": frame(1)},
        ]
    ):
        os.utime(other, (number, number))
        (tmp_path / str(number)).mkdir()
        with one_entry(entry_files(data, TWO, tmp_path / str(number))) as entry:
            digests.add(entry.sha256)
            with zipfile.ZipFile(entry.path) as archive:
                assert archive.namelist() == ["diagnosis.csv", "risk.csv"]
                assert archive.read("risk.csv") == other.read_bytes()
    assert len(digests) == 1
    with pytest.raises(Usage, match="Give a dict with one item for each of: 'diagnosis', 'risk'"):
        entry_files(frame(), TWO, tmp_path)


def two_tables() -> dict[str, bytes]:
    """The folder of `tiny` with a second table, of whole numbers."""
    files = scenario.folder(CASES)
    table = (
        b'[entry.tables.grades]\nfile = "grades.csv"\ncase = "id"\nmissing = "refuse"\nduplicates = "refuse"\n\n'
        b'[entry.tables.grades.columns.grade]\ntype = "probability"\n\n[cases]'
    )
    files["challenge.toml"] = files["challenge.toml"].replace(b"[cases]", table)
    return files


def test_a_check_of_several_tables(run: Run, tmp_path: Path) -> None:
    folder = write(tmp_path / "tiny", two_tables())
    grades = frame(3).rename(columns={"risk": "grade"})
    good = arbitre.check({"risks": frame(), "grades": grades}, folder)
    assert (good.good, repr(good)) == (True, "entry.zip has the right form for phase main.\n480 rows read.")
    missing = arbitre.check({"grades": grades}, folder)
    assert missing.good is False
    paths = [tmp_path / "predictions.csv", tmp_path / "grades.csv"]
    for path, data in zip(paths, (frame(), grades), strict=True):
        path.write_bytes(table_bytes(data, CSV))
    with one_entry({path.name: path for path in paths}) as entry:
        checked = run("check", folder, entry.path)
    assert (checked.code, checked.out.splitlines()[1]) == (0, "480 rows read.")
