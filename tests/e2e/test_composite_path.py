"""A challenge that ranks by a composite, from its folder to the frozen board, with real sandboxes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import scenario
from tests.instance import organiser, running
from tests.scenario import scored, submit, until
from tests.serving import Served

pytestmark = pytest.mark.sandbox
CASES = scenario.cases(240)
COMPOSITE = """\
[[metrics]]
id = "score"
use = "composite"
params = { terms = [{ metric = "auroc", weight = 0.5 }, { metric = "brier", weight = -0.5 }], offset = 0.5 }

[[phases]]
"""


@pytest.fixture
def instance(tmp_path: Path, sqlite_template: Path) -> Iterator[Served]:
    with running(tmp_path, sqlite_template) as instance:
        yield instance


def folder() -> dict[str, bytes]:
    """The tiny challenge, ranked by (1 + AUROC - Brier) / 2."""
    files = scenario.folder(CASES, precision=12)
    text = files["challenge.toml"].decode()
    for old, new in {
        "[[phases]]\n": COMPOSITE,
        'metrics = ["auroc", "brier"]': 'metrics = ["score", "auroc", "brier"]',
        'metric = "auroc", select': 'metric = "score", select',
    }.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    return {**files, "challenge.toml": text.encode()}


def test_a_composite_ranks_live_and_at_the_end(instance: Served) -> None:
    chief = organiser(instance)
    slug = scenario.publish(chief, folder())
    values: dict[str, dict[tuple[str, str], Any]] = {}
    for name, noise in (("ada", 0.6), ("bob", 1.5)):
        who = scenario.person(instance.url, name)
        scenario.join(who, slug)
        number = submit(who, slug, scenario.entry(CASES, noise=noise))["number"]
        found = scored(who, slug, number)
        assert found["state"] == "scored", found
        values[name] = {(v["metric"], v["output"]): v for v in found["values"]}
    for said in values.values():
        auroc, brier = said["auroc", "auroc"]["value"], said["brier", "brier"]["value"]
        score = said["score", "composite"]
        assert score["value"] == pytest.approx(0.5 + 0.5 * auroc - 0.5 * brier, abs=1e-11)  # shown to 12 places
        assert score["low"] < score["value"] < score["high"]
    board = f"/challenges/{slug}/phases/main/leaderboard"
    live = until(lambda: len(chief.get(board)["rows"]) == 2 and chief.get(board))
    assert [(row["rank"], row["team"], row["value"]) for row in live["rows"]] == [
        (rank, name, values[name]["score", "composite"]["value"]) for rank, name in ((1, "ada"), (2, "bob"))
    ]
    assert all(row["rank_low"] is not None for row in live["rows"])
    chief.post(f"/challenges/{slug}/phases/main/close")
    until(lambda: chief.get(f"/challenges/{slug}")["phases"][0]["frozen_at"])
    final = chief.get(board)
    assert (final["split"], final["ranking"]["output"], final["rows"][0]["team"]) == ("private", "composite", "ada")
    for language, title in (("en", "Composite score"), ("fr", "Score composite")):
        page = httpx.get(f"{instance.url}/{language}/challenges/{slug}/evaluation", follow_redirects=True)
        assert (page.status_code, title in page.text) == (200, True)
