"""Nothing of the reference leaves the reference's rooms (design §9)."""

from __future__ import annotations

import dataclasses
import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import scenario
from tests.instance import organiser, running
from tests.scenario import Case, Person, scored, until

pytestmark = pytest.mark.sandbox
MARKER = "M4rk3rOfTheReference"
CASES = scenario.cases(240)
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?")
CLOCK = re.compile(r"\b\d\d[:h]\d\d([:m]\d\d)?\b|\b\d\d\s?h\s?\d\d(\s?min\s?\d\d\s?s)?")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def entries(made: Sequence[Case]) -> dict[str, bytes]:
    """Good, bad and hostile files. `better` is compared with `good`, which stands for the team before it."""
    good = scenario.entry(made, noise=0.8)
    return {
        "good": good,
        "better": scenario.entry(made, noise=0.6),
        "half": b"\n".join(good.splitlines()[: len(made) // 2]),
        "percent": good.replace(b"0.", b"9"),
        "none": b"",
        "label": good.replace(b"risk", b"label"),
        "binary": bytes(range(256)) * 40,
    }


def paths(slug: str, numbers: Sequence[int]) -> list[str]:
    """Every address that people other than organisers may try."""
    base = f"/api/v1/challenges/{slug}"
    phase = f"{base}/phases/main"
    found = ["/api/v1/challenges", base, f"{base}/files", f"{base}/submissions", f"{base}/documents", "/api/v1/metrics"]
    found += [f"{base}/files/{name}" for name in ("public/cases.csv", "reference/predictions.csv", "challenge.toml")]
    found += [f"{phase}/{name}" for name in ("leaderboard", "leaderboard.csv", "export", "leaderboard?split=private")]
    found += [f"{phase}/leaderboard/history{query}" for query in ("", "?team=ada", "?team=ada&split=private")]
    for number in numbers:
        found += [f"{base}/submissions/{number}{tail}" for tail in ("", "/status", "/receipt")]
    for language in ("en", "fr"):
        found += [f"/{language}/challenges/{slug}{tail}" for tail in ("", "/data", "/leaderboard", "/evaluation")]
        found += [f"/{language}/challenges/{slug}/leaderboard?team=ada"]
        found += [f"/{language}/challenges/{slug}/submissions/{number}" for number in numbers]
    return found


def seen(url: str, who: Person, slug: str, numbers: Sequence[int]) -> dict[str, str]:
    """What this person reads at every address, headers too, with times and ids blanked."""
    headers = {"Authorization": who.http.headers["Authorization"]} if who.email else {}
    texts = {}
    with httpx.Client(base_url=url, headers=headers, follow_redirects=True) as http:
        for path in paths(slug, numbers):
            answer = http.get(path)
            kept = {
                name: value for name, value in answer.headers.items() if name not in ("date", "etag", "last-modified")
            }
            texts[path] = CLOCK.sub(
                "CLOCK", UUID.sub("ID", TIME.sub("TIME", f"{answer.status_code} {kept} {answer.text}"))
            )
    return texts


def play(url: str, instance: Any, made: Sequence[Case], marker: str = "") -> dict[str, str]:
    """Run a challenge until all entries have ended, and collect what a team, a stranger and nobody read."""
    chief = organiser(instance)
    slug = scenario.publish(chief, scenario.folder(made, baseline=False, total=100, day=50, marker=marker))
    who = scenario.person(url, "ada")
    scenario.join(who, slug)
    numbers = []
    for name, data in entries(CASES).items():
        numbers.append(scenario.submit(who, slug, data, params={"again": "true"})["number"])
        if name in ("good", "better"):
            # Each has a board of its own, so that the history of ranks is the same in every run.
            until(lambda: [row["entries"] for row in _rows(who, slug)] == [len(numbers)])
    numbers.append(scenario.submit(who, slug, entries(CASES)["half"], params={"check": "true"})["number"])
    for number in numbers:
        scored(who, slug, number)
    assert who.get(f"/challenges/{slug}/submissions/{numbers[1]}")["compared_with"]["number"] == numbers[0]
    assert [point["rank"] for point in _history(who, slug)] == [1, 1]
    stranger, nobody = scenario.person(url, "eve"), scenario.anonymous(url)
    texts: dict[str, str] = {}
    for name, one in (("team", who), ("stranger", stranger), ("nobody", nobody)):
        texts |= {f"{name} {path}": text for path, text in seen(url, one, slug, numbers).items()}
    return texts


def _rows(who: Person, slug: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = who.get(f"/challenges/{slug}/phases/main/leaderboard")["rows"]
    return rows


def _history(who: Person, slug: str) -> list[dict[str, Any]]:
    points: list[dict[str, Any]] = who.get(f"/challenges/{slug}/phases/main/leaderboard/history")["points"]
    return points


def test_a_marker_in_the_reference_is_found_nowhere(
    tmp_path: Path, sqlite_template: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    outside = set(Path(tempfile.gettempdir()).iterdir())
    with running(tmp_path, sqlite_template) as instance:
        texts = play(instance.url, instance, CASES, marker=MARKER)
        assert [path for path, text in texts.items() if MARKER in text] == []
        secret = [tmp_path / "secret", tmp_path / "runner" / "cache"]
        assert holding(tmp_path, secret) == []
        # Where it has to be, nobody else may enter.
        assert {folder.stat().st_mode & 0o077 for folder in secret if folder.exists()} == {0}
        fresh = [path for path in Path(tempfile.gettempdir()).iterdir() if path not in outside]
        assert [path for folder in fresh for path in holding(folder, [tmp_path, *tmp_path.parents])] == []
        planted = [path for path in (tmp_path / "secret").rglob("*") if path.is_file()]
        assert any(MARKER.encode() in path.read_bytes() for path in planted), "the marker was not planted at all"
    log = capfd.readouterr()
    assert MARKER not in log.out + log.err
    assert holding(tmp_path, [tmp_path / "secret", tmp_path / "runner" / "cache"]) == []


def holding(folder: Path, without: Sequence[Path]) -> list[Path]:
    """The files under `folder` that hold the marker, leaving out some folders."""
    files = [folder] if folder.is_file() else [path for path in folder.rglob("*") if path.is_file()]
    asked = [path for path in files if not any(path == one or one in path.parents for one in without)]
    return [path for path in asked if MARKER.encode() in path.read_bytes()]


def test_private_labels_change_nothing_that_others_see_before_the_close(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Both instances draw the same seed for the phase: the labels alone differ.
    monkeypatch.setattr("app.services.challenges.secrets.randbits", lambda _bits: 12345)
    flipped = [dataclasses.replace(c, label=1 - c.label) if c.usage == "Private" else c for c in CASES]
    found = []
    for name, made in (("first", CASES), ("second", flipped)):
        (tmp_path / name).mkdir()
        with running(tmp_path / name, sqlite_template) as instance:
            texts = play(instance.url, instance, made)
            found.append({path: without_signature(text) for path, text in texts.items()})
    differing = [path for path in found[0] if found[0][path] != found[1].get(path)]
    assert [(path, apart(found[0][path], found[1][path])) for path in differing] == []
    assert found[0].keys() == found[1].keys()
    assert any('"value":0.' in text.replace(" ", "") for text in found[0].values()), "no score was seen at all"


def apart(one: str, other: str) -> tuple[str, str]:
    """The surroundings of the first difference."""
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[max(at - 40, 0) : at + 40], other[max(at - 40, 0) : at + 40]


def without_signature(text: str) -> str:
    """Receipts are signed with a key of the instance; all else must be the same."""
    start = text.find('{"receipt":')
    if start < 0:
        return text
    document = json.loads(text[start:])
    return text[:start] + json.dumps(document["receipt"], sort_keys=True)
