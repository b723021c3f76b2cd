"""The 52,748 published boxes of CytologIA as a challenge, and derived files submitted through the API, against loops.

Named as not run where the file is absent; it is never copied into the repository.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import scenario
from tests.acceptance.cytologia_slow import COLUMNS, DERIVED, PUBLISHED, Row, as_csv, published_rows, slow_score
from tests.instance import organiser, running
from tests.scenario import Person, scored, submit, until

if not PUBLISHED.exists():
    pytest.skip("the published boxes of CytologIA are not here", allow_module_level=True)

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
SLUG = "cytologia-real"
SENT = ("perfect", "shifted boxes", "class swaps", "missing images", "duplicates", "ties", "median box")
TOML = """\
spec = 1
slug = "cytologia-real"
zone = "Europe/Paris"
sensitivity = "controlled"
title = { fr = "CytologIA, boîtes publiées", en = "CytologIA, published boxes" }

[entry.tables.boxes]
file = "predictions.csv"
key = ["trustii_id"]
case = "NAME"
rows = "many"
missing = "worst"
duplicates = "first"

[entry.tables.boxes.columns]
x1 = { type = "number" }
y1 = { type = "number" }
x2 = { type = "number" }
y2 = { type = "number" }
class = { type = "label", labels = LABELS }

[cases]
id = "NAME"

[[metrics]]
id = "score"
use = "cytologia"
table = "boxes"
params = { labels = LABELS }

[[phases]]
slug = "main"
opens = 2020-01-01T00:00:00Z
closes = 2099-01-01T00:00:00Z
quotas = { day = 50, total = 100 }
metrics = ["score"]
splits = [{ name = "all", visible = "live", share = 1.0 }]
ranking = { metric = "score" }
limits = { size_mb = 50, wall_s = 300, memory_mb = 4096 }
"""


def folder(truth: list[Row]) -> dict[str, bytes]:
    labels = sorted({row["class"] for row in truth})
    files = {"challenge.toml": TOML.replace("LABELS", str(labels).replace("'", '"')).encode()}
    for page in ("overview", "data", "evaluation", "rules"):
        files |= {f"pages/{page}.{language}.md": b"# CytologIA\n\nPublished boxes.\n" for language in ("fr", "en")}
    files["public/cases.csv"] = as_csv(truth, ("trustii_id", "NAME"))
    files["public/sample_submission.csv"] = as_csv([row | {"class": "PNN"} for row in truth])
    files["reference/predictions.csv"] = as_csv(truth)
    return files


@pytest.fixture(scope="module")
def truth() -> list[Row]:
    return published_rows()


@pytest.fixture(scope="module")
def people(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, truth: list[Row]
) -> Iterator[tuple[Person, Person]]:
    """The organiser, who reads 12 digits, and a team."""
    with running(tmp_path_factory.mktemp("real"), sqlite_template) as instance:
        chief = organiser(instance)
        scenario.publish(chief, folder(truth))
        team = scenario.person(instance.url, "ada")
        scenario.join(team, SLUG)
        yield chief, team


@pytest.mark.timeout(600)
def test_scores_through_the_api_equal_plain_loops(people: tuple[Person, Person], truth: list[Row]) -> None:
    chief, team = people
    assert len(truth) == 52_748
    sent = {name: DERIVED[name](truth) for name in SENT}
    numbers = {name: submit(team, SLUG, as_csv(rows, COLUMNS))["number"] for name, rows in sent.items()}
    for name, number in numbers.items():
        found = scored(chief, SLUG, number, seconds=500)
        assert found["state"] == "scored", (name, found)
        values = {v["output"]: v["value"] for v in found["values"] if v["slice"] == "split:all"}
        slow = slow_score(truth, sent[name])
        for output in ("score", "giou", "macro_f1"):
            assert values[output] == pytest.approx(slow[output], abs=1e-12), (name, output)


@pytest.mark.timeout(600)
def test_the_board_says_that_the_interval_is_per_image_and_too_narrow(people: tuple[Person, Person]) -> None:
    board: Any = until(lambda: _board_with_rows(people[1]), seconds=300)
    assert board["notes"] == ["N-NO-CLUSTER"]


def _board_with_rows(team: Person) -> Any:
    board = team.get(f"/challenges/{SLUG}/phases/main/leaderboard")
    return board if board["rows"] else None
