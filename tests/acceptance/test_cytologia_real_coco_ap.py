"""COCO AP of the published boxes of CytologIA, read as a participant's file is, against pycocotools.

Of the first 800 images, since pycocotools takes a minute for all 48,417. These were compared once by hand: the shifted
boxes have AP 0.2780309963139326 by both, and no value of theirs differs by more than 2e-16.
"""

import io
import math

import numpy as np
import pytest

from challenges.makers.cytologia_score import Row as Cell
from scoring.cases import CaseIndex, read_attributes, read_case_index
from scoring.evaluation import evaluate
from scoring.read import read_entry, read_reference
from scoring.spec import CasesSpec, ColumnSpec, MetricUse, RankingSpec, ResampleSpec, ScoringSpec, TableSpec
from tests.acceptance.cytologia_slow import DERIVED, PUBLISHED, SIDES, Row, as_csv, published_rows
from tests.oracles.coco_oracle import oracle_of_rows

if not PUBLISHED.exists():
    pytest.skip("the published boxes of CytologIA are not here", allow_module_level=True)

IMAGES = 800


@pytest.fixture(scope="module")
def truth() -> list[Row]:
    rows = published_rows()
    names = set(list(dict.fromkeys(row["NAME"] for row in rows))[:IMAGES])
    return [row for row in rows if row["NAME"] in names]


@pytest.fixture(scope="module")
def spec(truth: list[Row]) -> ScoringSpec:
    label = ColumnSpec("class", "label", labels=tuple(sorted({row["class"] for row in truth})))
    boxes = TableSpec(
        name="boxes",
        file="predictions.csv",
        case="NAME",
        key=("trustii_id",),
        columns=(*(ColumnSpec(side, "number") for side in SIDES), label),
        rows="many",
        missing="worst",
        duplicates="first",
    )
    params = {name: name for name in (*SIDES, "class")}
    return ScoringSpec(
        tables=(boxes,),
        cases=CasesSpec("NAME"),
        metrics=(MetricUse("map", "coco_ap", "boxes", params),),
        splits=(),
        ranking=RankingSpec("map", "ap", "higher"),
        resample=ResampleSpec(replicates=20),
    )


@pytest.fixture(scope="module")
def index(truth: list[Row], spec: ScoringSpec) -> CaseIndex:
    return read_case_index(io.BytesIO(as_csv(truth, ("trustii_id", "NAME"))), tables=spec.tables, cases=spec.cases)


def cells(rows: list[Row]) -> list[Cell]:
    sides = np.array([[float(row[side]) for side in SIDES] for row in rows]).tolist()
    return [
        Cell(row["trustii_id"], row["NAME"], x1, y1, x2, y2, row["class"])
        for row, (x1, y1, x2, y2) in zip(rows, sides, strict=True)
    ]


@pytest.mark.parametrize("name", ["shifted boxes", "missing images", "duplicates"])
def test_every_value_is_that_of_pycocotools(name: str, truth: list[Row], spec: ScoringSpec, index: CaseIndex) -> None:
    predictions = DERIVED[name](truth)
    reference = read_reference({"boxes": io.BytesIO(as_csv(truth))}, index=index)
    entry = read_entry({"boxes": io.BytesIO(as_csv(predictions))}, index=index)
    assert reference.entry is not None
    assert entry.entry is not None
    attributes = read_attributes(io.BytesIO(b"NAME\n"), index=index, cases=spec.cases, splits=(), seed=1)
    result = evaluate(
        spec=spec, index=index, attributes=attributes, reference=reference.entry, entry=entry.entry, seed=1
    )
    expected = oracle_of_rows(cells(truth), cells(predictions))
    found = {value.output: math.nan if value.value is None else value.value for value in result.values}
    assert found == pytest.approx(expected, rel=0, abs=1e-9, nan_ok=True)
