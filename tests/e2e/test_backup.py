"""An instance is backed up with entries on their way and goes on elsewhere: nothing lost, nothing scored twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.db.engine import open_database
from app.db.evaluations import Evaluation
from tests import postgres, scenario
from tests.instance import organiser, runner, working
from tests.processes import serving
from tests.serving import served

pytestmark = pytest.mark.sandbox
CASES = scenario.cases(400)


def arbitre(*arguments: str, database_url: str) -> Any:
    """The JSON of a command of an operator."""
    environment = os.environ | {"ARBITRE_DATABASE_URL": database_url}
    command = [sys.executable, "-m", "app.cli", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest, database_url: str) -> Iterator[str]:
    """An empty database of the other kind; "" is SQLite in the data folder."""
    if database_url.startswith("postgresql"):
        yield ""
        return
    cluster: postgres.Cluster = request.getfixturevalue("cluster")
    name = f"elsewhere_{os.urandom(4).hex()}"
    cluster.execute(f"CREATE DATABASE {name}")
    yield cluster.url(name)
    cluster.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.postgres
def test_an_instance_moves_with_entries_on_their_way(tmp_path: Path, database_url: str, elsewhere: str) -> None:
    old, new, file = tmp_path / "old", tmp_path / "new", tmp_path / "arbitre.tar"
    old.mkdir()
    with served(old, database_url=database_url) as instance:
        slug = scenario.publish(organiser(instance), scenario.folder(CASES))
        who = scenario.person(instance.url, "ada")
        scenario.join(who, slug)
        with working(instance), runner(instance, tmp_path / "runner"):
            scenario.submit(who, slug, scenario.entry(CASES, seed=1))
            scored = scenario.scored(who, slug, 1)
        for seed in (2, 3):
            scenario.submit(who, slug, scenario.entry(CASES, seed=seed))
        keys = scenario.said(who.http.get(f"{instance.url}/.well-known/arbitre-keys.json"))
        arbitre("backup", str(file), "--data", str(old), database_url=database_url)
    restored = arbitre("restore", str(file), "--data", str(new), database_url=elsewhere)
    assert restored["jobs"] == 2
    with serving(data=new, database_url=elsewhere) as server:
        who = scenario.signed_in(server.url, "ada@example.org")
        assert scenario.scored(who, slug, 1) == scored
        assert [scenario.scored(who, slug, number)["state"] for number in (2, 3)] == ["scored", "scored"]
        board = scenario.until(lambda: whole(who.get(f"/challenges/{slug}/phases/main/leaderboard")))
        assert [(row["team"], row["entries"]) for row in board["rows"]] == [("ada", 3)]
        assert scenario.said(who.http.get(f"{server.url}/.well-known/arbitre-keys.json")) == keys
    database = open_database(elsewhere or f"sqlite:///{new / 'arbitre.sqlite3'}")
    with database.read_session() as session:
        counts = session.scalars(select(func.count()).select_from(Evaluation).group_by(Evaluation.submission_id)).all()
    database.dispose()
    assert counts == [1, 1, 1]


def whole(board: Any) -> Any:
    return board if [row["entries"] for row in board["rows"]] == [3] else None
