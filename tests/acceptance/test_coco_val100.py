"""A hundred images of COCO val2014 with the detections that COCO's authors made up for them: read, scored, compared."""

import contextlib
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from scoring.cases import CaseIndex, read_attributes
from scoring.evaluation import evaluate, validate
from scoring.read import ReadResult, read_entry, read_reference
from scoring.spec import CasesSpec, ColumnSpec, MetricUse, RankingSpec, ResampleSpec, ScoringSpec, TableSpec
from tests.oracles.coco_oracle import SUMMARIES

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "coco_val100"
TRUTH, FOUND = FOLDER / "instances_val2014_100.json", FOLDER / "instances_val2014_fakebbox100_results.json"
if not TRUTH.exists():
    pytest.skip("the hundred images of COCO val2014 are not here", allow_module_level=True)

SIDES = ("x", "y", "width", "height")
PUBLISHED = (0.505, 0.697, 0.573, 0.586, 0.519, 0.501)  # as the authors' notebook prints them
PARAMS = {name: name for name in (*SIDES, "score", "area")} | {"class": "category_id", "crowd": "iscrowd"}


@pytest.fixture(scope="module")
def truth() -> Any:
    return json.loads(TRUTH.read_text())


@pytest.fixture(scope="module")
def spec(truth: Any) -> ScoringSpec:
    labels = tuple(str(category["id"]) for category in truth["categories"])
    columns = (ColumnSpec("category_id", "label", labels=labels), *(ColumnSpec(side, "number") for side in SIDES))
    table = TableSpec(
        name="boxes",
        file="detections.json",
        case="image_id",
        key=("image_id",),
        columns=(*columns, ColumnSpec("score", "number")),
        rows="many",
        missing="empty",
        format="coco",
    )
    return ScoringSpec(
        tables=(table,),
        cases=CasesSpec("image_id"),
        metrics=(MetricUse("map", "coco_ap", "boxes", PARAMS),),
        splits=(),
        ranking=RankingSpec("map", "ap", "higher"),
        resample=ResampleSpec(replicates=50),
    )


@pytest.fixture(scope="module")
def index(truth: Any, spec: ScoringSpec) -> CaseIndex:
    return CaseIndex(tuple(str(i) for i in sorted(image["id"] for image in truth["images"])), spec.tables)


@pytest.fixture(scope="module")
def expected(truth: Any) -> dict[str, float]:
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(TRUTH))
        run = COCOeval(coco, coco.loadRes(str(FOUND)), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    every = run.eval["precision"][:, :, :, 0, -1]
    each = {f"ap/{run.params.catIds[i]}": float(every[:, :, i].mean()) for i in range(every.shape[2])}
    found = dict(zip(SUMMARIES, run.stats.tolist(), strict=False)) | each
    return {name: value for name, value in found.items() if value != -1}


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_read_as_they_are_and_scored_as_by_their_authors(
    packed: Any, spec: ScoringSpec, index: CaseIndex, expected: dict[str, float]
) -> None:
    reference = read_reference({"boxes": io.BytesIO(TRUTH.read_bytes())}, index=index)
    entry = read_entry({"boxes": io.BytesIO(packed(FOUND.read_bytes()))}, index=index)
    assert counted(reference) == ({}, 839)
    assert counted(entry) == ({"W-ID-MISSING": 1}, 734)  # nothing was found in one image
    assert reference.entry is not None
    assert entry.entry is not None
    assert validate(spec=spec, index=index, entry=entry.entry) == []
    attributes = read_attributes(io.BytesIO(b"image_id\n"), index=index, cases=spec.cases, splits=(), seed=1)
    result = evaluate(
        spec=spec, index=index, attributes=attributes, reference=reference.entry, entry=entry.entry, seed=1
    )
    values = {value.output: value.value for value in result.values if value.value is not None}
    assert values == pytest.approx(expected, rel=0, abs=1e-9)
    assert values["ap"] == pytest.approx(0.5045806987249628, rel=0, abs=1e-12)
    assert tuple(round(values[name] or 0, 3) for name in SUMMARIES) == PUBLISHED
    assert [v.output for v in result.values if v.undefined != ("no-truth" if v.output not in values else None)] == []


def counted(read: ReadResult) -> tuple[dict[str, int], int]:
    """Issues by code, and rows."""
    return read.issues.total, read.counts["rows"]


def test_annotations_sent_as_an_entry_are_refused_with_what_they_are(index: CaseIndex) -> None:
    read = read_entry({"boxes": io.BytesIO(TRUTH.read_bytes())}, index=index)
    assert [(issue.code, issue.value) for issue in read.issues.errors] == [("E-COCO-TRUTH", "annotations")]
