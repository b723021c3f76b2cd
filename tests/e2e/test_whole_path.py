"""From a folder to a frozen board, through HTTP, with real sandboxes."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.receipts import verify
from app.services.boards import board_hash
from tests import scenario
from tests.instance import organiser, running
from tests.scenario import Person, scored, submit, until
from tests.serving import Served

pytestmark = pytest.mark.sandbox
CASES = scenario.cases(240)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Served]:
    with running(tmp_path_factory.mktemp("whole"), sqlite_template) as instance:
        yield instance


def board(who: Person, slug: str, **params: Any) -> Any:
    return who.get(f"/challenges/{slug}/phases/main/leaderboard", params=params)


def auroc(entry: bytes, usage: str) -> float:
    """By comparing all pairs."""
    rows = {row["id"]: float(row["risk"]) for row in csv.DictReader(io.StringIO(entry.decode()))}
    chosen = [case for case in CASES if case.usage == usage]
    positive = [rows[case.id] for case in chosen if case.label]
    negative = [rows[case.id] for case in chosen if not case.label]
    wins = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return wins / (len(positive) * len(negative))


def test_the_whole_path(instance: Served) -> None:
    chief = organiser(instance)
    slug = scenario.publish(chief, scenario.folder(CASES, baseline=True))
    teams = {name: scenario.person(instance.url, name) for name in ("ada", "bob")}
    for who in teams.values():
        scenario.join(who, slug)
    entries = {"ada": scenario.entry(CASES, noise=0.6), "bob": scenario.entry(CASES, noise=1.5)}
    numbers = {name: submit(who, slug, entries[name])["number"] for name, who in teams.items()}
    for name, who in teams.items():
        found = scored(who, slug, numbers[name])
        assert found["state"] == "scored", found
        values = {(v["metric"], v["slice"]): v for v in found["values"]}
        assert values["auroc", "split:public"]["value"] == round(auroc(entries[name], "Public"), 4)
        assert {slice for _, slice in values} == {"split:public"}
    live = until(lambda: len(board(chief, slug)["rows"]) == 3 and board(teams["ada"], slug))
    rows = {row["team"]: row for row in live["rows"]}
    assert (rows["ada"]["rank"], rows["bob"]["rank"], rows["Baseline"]["rank"]) == (1, 2, None)
    assert rows["ada"]["low"] < rows["ada"]["value"] < rows["ada"]["high"]
    assert live["provisional"] is True
    receipt = teams["ada"].get(f"/challenges/{slug}/submissions/{numbers['ada']}/receipt")
    keys = scenario.said(teams["ada"].http.get(f"{instance.url}/.well-known/arbitre-keys.json"))["keys"]
    assert verify(receipt, base64.b64decode(keys[0]["public_key"]))
    assert "value" not in str(receipt)

    chief.post(f"/challenges/{slug}/phases/main/close")
    refused = teams["ada"].http.post(f"/challenges/{slug}/phases/main/submissions", content=entries["bob"] + b"\n")
    assert (refused.status_code, refused.json()["code"]) == (409, "E-WINDOW")
    until(lambda: chief.get(f"/challenges/{slug}")["phases"][0]["frozen_at"])
    final = board(teams["bob"], slug)
    assert (final["split"], final["provisional"]) == ("private", False)
    exported = teams["bob"].get(f"/challenges/{slug}/phases/main/export")
    assert exported["frozen"] is True
    assert len(exported["hash"]) == 64
    assert "salt" not in exported
    behind = chief.get(f"/challenges/{slug}/phases/main/export")
    body = {key: value for key, value in behind.items() if key not in ("frozen", "hash", "salt", "pinned")}
    assert board_hash(body, behind["pinned"], behind["salt"]) == exported["hash"]
    text = teams["bob"].http.get(f"/challenges/{slug}/phases/main/leaderboard.csv").text
    assert len(text.splitlines()) == 4
    values = {(v["metric"], v["slice"]): v for v in scored(teams["ada"], slug, numbers["ada"])["values"]}
    assert values["auroc", "split:private"]["value"] == round(auroc(entries["ada"], "Private"), 4)


def test_a_bad_file_says_everything_that_is_wrong_and_uses_no_quota(instance: Served) -> None:
    chief = organiser(instance, "chief2")
    slug = scenario.publish(chief, scenario.folder(CASES, slug="bad-files"))
    who = scenario.person(instance.url, "carl")
    scenario.join(who, slug)
    lines = scenario.entry(CASES).decode().splitlines()
    lines[3] = lines[3].split(",")[0] + ",abc"
    lines[5] = "unknown,0.5"
    sent = submit(who, slug, "\n".join(lines).encode())
    found = scored(who, slug, sent["number"])
    assert (found["state"], found["fault"], found["uses_quota"]) == ("rejected", "participant", False)
    assert {issue["code"] for issue in found["report"]["issues"]} == {"E-NUMBER", "E-ID-UNKNOWN", "E-ID-MISSING"}
    assert [issue["line"] for issue in found["report"]["issues"] if issue["code"] == "E-NUMBER"] == [4]
    assert found["values"] == []
    assert who.get(f"/challenges/{slug}")["phases"][0]["left"] == 5


def test_a_check_holds_no_reference_and_uses_no_quota(instance: Served) -> None:
    chief = organiser(instance, "chief3")
    slug = scenario.publish(chief, scenario.folder(CASES, slug="checks"))
    who = scenario.person(instance.url, "dora")
    scenario.join(who, slug)
    sent = submit(who, slug, scenario.entry(CASES), params={"check": "true"})
    found = scored(who, slug, sent["number"])
    assert (found["state"], found["values"], found["uses_quota"]) == ("checked", [], False)
    assert who.get(f"/challenges/{slug}")["phases"][0]["left"] == 5


def test_the_same_file_again_is_the_same_entry(instance: Served) -> None:
    chief = organiser(instance, "chief4")
    slug = scenario.publish(chief, scenario.folder(CASES, slug="again"))
    who = scenario.person(instance.url, "emil")
    scenario.join(who, slug)
    first = submit(who, slug, scenario.entry(CASES))
    again = submit(who, slug, scenario.entry(CASES))
    assert (again["number"], again["new"], again["quota"]["left"]) == (first["number"], False, 4)
    forced = submit(who, slug, scenario.entry(CASES), params={"again": "true"})
    assert (forced["new"], forced["quota"]["left"]) == (True, 3)
    keyed = [
        submit(who, slug, scenario.entry(CASES, seed=8), headers={"Idempotency-Key": "one"})["number"] for _ in (0, 1)
    ]
    assert keyed[0] == keyed[1]
    other = who.http.post(
        f"/challenges/{slug}/phases/main/submissions", content=b"x", headers={"Idempotency-Key": "one"}
    )
    assert other.status_code == 409
