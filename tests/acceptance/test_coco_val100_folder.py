"""The hundred images of COCO val2014 as a challenge folder: checked and scored in sandboxes as organisers do it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from app.cli.main import main
from tests.acceptance.test_coco_val100 import FOUND, TRUTH

pytestmark = pytest.mark.sandbox
HEAD = """\
spec = 1
slug = "coco-val100"
zone = "Europe/Paris"
sensitivity = "open"
title = {fr = "Cent images", en = "A hundred images"}

[entry.tables.boxes]
file = "detections.json"
format = "coco"
case = "image_id"
rows = "many"
missing = "empty"

[entry.tables.boxes.columns]
x = {type = "number"}
y = {type = "number"}
width = {type = "number"}
height = {type = "number"}
score = {type = "number"}
category_id = {type = "label", labels = LABELS}

[cases]
id = "image_id"

[[metrics]]
id = "map"
use = "coco_ap"
table = "boxes"

[metrics.params]
x = "x"
y = "y"
width = "width"
height = "height"
class = "category_id"
score = "score"
crowd = "iscrowd"
area = "area"

[[phases]]
slug = "main"
opens = 2020-01-01T00:00:00Z
closes = 2099-01-01T00:00:00Z
quotas = {day = 50, total = 100}
metrics = ["map"]
splits = [{name = "all", visible = "live", share = 1.0}]
ranking = {metric = "map"}
precision = 3
"""
SCORED = 'outcome = "ok"\ncodes = ["W-ID-MISSING"]\ntolerance = 1e-9\n\n[values]\nmap = 0.5045806987249628\n'
REFUSED = 'outcome = "invalid"\ncodes = ["E-BBOX", "E-ID-UNKNOWN", "W-COCO-ITEMS", "W-ID-MISSING"]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    truth, found = json.loads(TRUTH.read_text()), json.loads(FOUND.read_text())
    for name in ("public", "reference", "pages", "examples/published", "examples/faulty"):
        (tmp_path / name).mkdir(parents=True)
    for language in ("fr", "en"):
        (tmp_path / f"pages/overview.{language}.md").write_text("COCO val2014\n")
    labels = json.dumps([str(category["id"]) for category in truth["categories"]])
    (tmp_path / "challenge.toml").write_text(HEAD.replace("LABELS", labels))
    cases = "image_id\n" + "".join(f"{number}\n" for number in sorted(image["id"] for image in truth["images"]))
    for name in ("public", "reference"):
        (tmp_path / name / "cases.csv").write_text(cases)
    (tmp_path / "public/sample_submission.json").write_text(json.dumps(found[:2]))
    shutil.copy(TRUTH, tmp_path / "reference/detections.json")
    shutil.copy(FOUND, tmp_path / "examples/published/detections.json")
    (tmp_path / "examples/published/expected.toml").write_text(SCORED)
    faulty = [found[0] | {"bbox": [1, 2, 3]}, found[1] | {"image_id": 5}]
    (tmp_path / "examples/faulty/detections.json").write_text(json.dumps(faulty))
    (tmp_path / "examples/faulty/expected.toml").write_text(REFUSED)
    return tmp_path


def test_a_challenge_in_cocos_form_is_checked_with_its_examples(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["challenge", "check", str(folder)])
    shown = capfd.readouterr()
    assert not ended.value.code, shown
    assert "Example faulty: invalid." in shown.out + shown.err
    assert "Example published: ok." in shown.out + shown.err
