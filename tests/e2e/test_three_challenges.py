"""CytologIA, MYOCARDIA and AID-Oral from folder to closed board: commands, HTTP, pages, and a notebook."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest

import arbitre as notebook
from challenges.builtin import FOLDERS
from challenges.makers.baselines import run_starter
from challenges.makers.cytologia_score import Row, slow_score
from challenges.makers.hearts import LABELS
from challenges.makers.mouth_entries import Truth, combined, read_archive
from challenges.makers.mouths import LABELS as LESIONS
from challenges.makers.oracle import macro_f1, one_vs_rest
from tests import scenario
from tests.challenges.generated import rows
from tests.cli.conftest import home, run  # noqa: F401
from tests.cli.harness import Run
from tests.instance import organiser, running
from tests.scenario import scored, until
from tests.serving import Served

pytestmark = pytest.mark.sandbox


def private(slug: str, id: str) -> set[str]:
    return {row[id] for row in rows(FOLDERS[slug] / "reference/cases.csv") if row["Usage"] == "private"}


def cytologia(entry: bytes) -> float:
    """The score of the private part, by plain loops."""
    wanted = private("cytologia", "NAME")

    def cells(read: list[dict[str, str]]) -> list[Row]:
        return [
            Row(r["trustii_id"], r["NAME"], float(r["x1"]), float(r["y1"]), float(r["x2"]), float(r["y2"]), r["class"])
            for r in read
            if r["NAME"] in wanted
        ]

    truth = cells(rows(FOLDERS["cytologia"] / "reference/predictions.csv"))
    return slow_score(truth, cells(list(csv.DictReader(io.StringIO(entry.decode())))))["score"]


def myocardia(entry: bytes) -> float:
    """The macro AUROC of the private part, by scikit-learn."""
    wanted = private("myocardia", "exam_id")
    truth = {r["exam_id"]: r["diagnosis"] for r in rows(FOLDERS["myocardia"] / "reference/predictions.csv")}
    read = [row for row in csv.DictReader(io.StringIO(entry.decode())) if row["exam_id"] in wanted]
    given = np.array([[float(row[f"p_{label}"]) for label in LABELS] for row in read])
    return one_vs_rest([truth[row["exam_id"]] for row in read], given, LABELS)["macro_ovr_auroc"]


def aid_oral(entry: bytes) -> float:
    """The score of the private part, by scikit-learn on the mean of each lesion's photographs."""
    root, wanted = FOLDERS["aid-oral"], private("aid-oral", "lesion_id")
    label = {row["lesion_id"]: row["diagnosis"] for row in rows(root / "reference/diagnosis.csv")}
    later = {row["lesion_id"]: row["transformed"] == "1" for row in rows(root / "reference/risk.csv")}
    photos = [(row["photo_id"], row["lesion_id"]) for row in rows(root / "public/cases.csv")]
    kept = [lesion for lesion in label if lesion in wanted]
    answer = read_archive(entry)
    given = combined(Truth(dict.fromkeys(kept), [pair for pair in photos if pair[1] in wanted]), answer)  # type: ignore[arg-type]
    sick = [answer.risks[lesion] for lesion in kept if later[lesion]]
    well = [answer.risks[lesion] for lesion in kept if not later[lesion]]
    pairs = sum((a > b) + 0.5 * (a == b) for a in sick for b in well) / (len(sick) * len(well))
    return 0.5 * macro_f1([label[lesion] for lesion in kept], given, LESIONS)["macro_f1"] + 0.5 * pairs


@dataclass(frozen=True)
class Named:
    """What a challenge is known by here. `one_class`: (metric, slice, reason) of a value that cannot be."""

    slug: str
    upload: str
    main: tuple[str, str]
    own: Callable[[bytes], float]
    clusters: int
    one_class: tuple[str, str, str] | None = None


NAMED = (
    Named("cytologia", "predictions.csv", ("score", "score"), cytologia, 54),
    Named("myocardia", "predictions.csv", ("auroc", "macro_ovr_auroc"), myocardia, 105,
          ("auroc", "site:centre-5", "label-absent")),
    Named("aid-oral", "entry.zip", ("score", "composite"), aid_oral, 70,
          ("risk_auroc", "subgroup:camera=intraoral", "one-class")),
)  # fmt: skip


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Served]:
    """One instance with an organiser (`olga`)."""
    with running(tmp_path_factory.mktemp("three"), sqlite_template) as instance:
        organiser(instance, "olga")
        yield instance


def frames(slug: str) -> Any:
    """The constant example as a notebook holds it: a frame, or a frame for each of several tables."""
    folder = FOLDERS[slug] / "examples/constant"
    if slug != "aid-oral":
        return pd.read_csv(folder / "predictions.csv", dtype={"trustii_id": str})
    with zipfile.ZipFile(folder / "entry.zip") as opened:
        return {name: pd.read_csv(io.BytesIO(opened.read(f"{name}.csv"))) for name in ("diagnosis", "risk")}


def assert_pages(url: str, slug: str, team: str) -> None:
    """Every page of the challenge in both languages, for anybody; the board names the team."""
    for language in ("fr", "en"):
        for page in ("", "/data", "/evaluation", "/rules", "/leaderboard"):
            answer = httpx.get(f"{url}/{language}/challenges/{slug}{page}", timeout=30)
            assert answer.status_code == 200, (language, page)
        assert team in answer.text


def log_in(command: Run, name: str) -> None:
    assert command("login", "--email", f"{name}@example.org", typed=f"{scenario.PASSWORD}\n").code == 0


def teams(board: Any) -> list[Any]:
    """The rows of a board that have a rank: the organisers' baseline has none."""
    return [row for row in board["rows"] if row["rank"] is not None]


def by_slice(found: Any, named: Named) -> dict[str, Mapping[str, Any]]:
    return {value["slice"]: value for value in found["values"] if (value["metric"], value["output"]) == named.main}


@pytest.mark.parametrize("named", NAMED, ids=lambda named: named.slug)
def test_from_folder_to_closed_board(
    named: Named,
    instance: Served,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    arbitre: Run = request.getfixturevalue("run")
    monkeypatch.setenv("ARBITRE_SERVER", instance.url)
    slug, folder = named.slug, FOLDERS[named.slug]
    log_in(arbitre, "olga")
    assert arbitre("challenge", "push", folder).code == 0
    assert arbitre("challenge", "publish", slug).code == 0

    # Ada works on a terminal, with what she can download, and sends what the starter writes.
    ada = scenario.person(instance.url, f"ada-{slug}")
    log_in(arbitre, f"ada-{slug}")
    assert arbitre("join", slug, "--accept-all").code == 0
    assert arbitre("download", slug, "-o", tmp_path / "got").code == 0
    written = tmp_path / named.upload
    written.write_bytes(run_starter(tmp_path / "got/starter/baseline.py", tmp_path / "got/public", named.upload))
    assert arbitre("check", slug, written).code == 0
    sent = arbitre("submit", slug, "-f", written, "--wait", "--json")
    assert (sent.code, sent.document["state"]) == (0, "scored")
    live = by_slice(scored(ada, slug, sent.document["number"]), named)
    assert {place for place in live if place.startswith("split:")} == {"split:public"}

    # Bob has the answers, and sends them over HTTP.
    bob = scenario.person(instance.url, f"bob-{slug}")
    scenario.join(bob, slug)
    answers = (folder / "examples/perfect" / named.upload).read_bytes()
    number = scenario.submit(bob, slug, answers, phase="practice")["number"]
    assert scored(bob, slug, number)["state"] == "scored"

    # Cara knows nothing, and says so from a notebook.
    scenario.join(scenario.person(instance.url, f"cara-{slug}"), slug)
    log_in(arbitre, f"cara-{slug}")
    guess = notebook.submit(frames(slug), slug, note="a guess", progress=False)
    assert (guess.state, guess.problems) == ("scored", ())
    until(lambda: len(bob.get(f"/challenges/{slug}/phases/practice/leaderboard")["rows"]) == 4)
    board = arbitre("leaderboard", slug, "--json").document
    order = [f"{name}-{slug}" for name in ("bob", "ada", "cara")]
    assert [(row["rank"], row["team"]) for row in teams(board)] == list(enumerate(order, start=1))
    baseline = next(row for row in board["rows"] if row["baseline"])
    assert (baseline["rank"], baseline["value"]) == (None, teams(board)[1]["value"])
    assert (board["split"], board["provisional"]) == ("public", True)

    log_in(arbitre, "olga")
    assert arbitre("challenge", "close", slug).code == 0
    chief = scenario.signed_in(instance.url, "olga@example.org", ("read", "organise"))
    until(lambda: chief.get(f"/challenges/{slug}")["phases"][0]["frozen_at"])
    final = arbitre("leaderboard", slug, "--json").document
    assert (final["split"], final["provisional"]) == ("private", False)
    second = teams(final)[1]
    constant = (folder / "examples/constant" / named.upload).read_bytes()
    assert [(row["team"], row["value"]) for row in teams(final)] == [
        (order[0], 1.0),
        (order[1], pytest.approx(named.own(written.read_bytes()), abs=6e-4)),
        (order[2], pytest.approx(named.own(constant), abs=6e-4)),
    ]
    assert second["low"] < second["value"] < second["high"] < 1.0
    assert [(row["rank"], row["tied"], row["rank_low"], row["rank_high"]) for row in teams(final)] == [
        (1, False, 1, 1),
        (2, False, 2, 2),
        (3, False, 3, 3),
    ]
    whole = by_slice(scored(chief, slug, sent.document["number"]), named)
    assert whole["split:private"]["n_clusters"] == named.clusters
    assert whole["split:private"]["value"] == pytest.approx(named.own(written.read_bytes()), abs=1e-9)
    if named.one_class:
        metric, place, why = named.one_class
        for reader in (chief, ada):
            found = scored(reader, slug, sent.document["number"])["values"]
            alone = [v for v in found if (v["metric"], v["slice"]) == (metric, place) and "/" not in v["output"]]
            assert [(v["value"], v["undefined"]) for v in alone] == [(None, why)]
    told = bob.get(f"/challenges/{slug}/phases/practice/export")
    assert (told["frozen"], len(told["hash"])) == (True, 64)
    table = list(csv.DictReader(io.StringIO(arbitre("leaderboard", slug, "--csv").out)))
    assert [row["team"] for row in table if row["rank"]] == order
    assert_pages(instance.url, slug, order[0])
