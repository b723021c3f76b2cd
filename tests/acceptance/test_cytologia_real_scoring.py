"""The 52,748 published boxes of CytologIA, read and scored as a participant's file is, against plain loops."""

import io
import random
from dataclasses import replace

import numpy as np
import pytest

from scoring.cases import CaseIndex, read_attributes, read_case_index
from scoring.evaluation import evaluate, plan_of
from scoring.metrics.cytologia import cytologia
from scoring.notes import NO_CLUSTER
from scoring.read import ReadResult, read_entry, read_reference
from scoring.spec import CasesSpec, ColumnSpec, MetricUse, RankingSpec, ResampleSpec, ScoringSpec, TableSpec
from scoring.tables import Entry, Table
from tests.acceptance.cytologia_slow import (
    DERIVED,
    PUBLISHED,
    SIDES,
    Row,
    as_csv,
    published_rows,
    slow_f1,
    slow_score,
)

if not PUBLISHED.exists():
    pytest.skip("the published boxes of CytologIA are not here", allow_module_level=True)

CELLS, IMAGES = 52_748, 48_417


@pytest.fixture(scope="module")
def truth() -> list[Row]:
    return published_rows()


@pytest.fixture(scope="module")
def spec(truth: list[Row]) -> ScoringSpec:
    labels = tuple(sorted({row["class"] for row in truth}))
    sides = tuple(ColumnSpec(side, "number") for side in SIDES)
    boxes = TableSpec(
        name="boxes",
        file="predictions.csv",
        case="NAME",
        key=("trustii_id",),
        columns=(*sides, ColumnSpec("class", "label", labels=labels)),
        rows="many",
        missing="worst",
        duplicates="first",
    )
    return ScoringSpec(
        tables=(boxes,),
        cases=CasesSpec("NAME"),
        metrics=(MetricUse("score", "cytologia", "boxes"),),
        splits=(),
        ranking=RankingSpec("score", "score", "higher"),
        resample=ResampleSpec(replicates=20),
    )


@pytest.fixture(scope="module")
def index(truth: list[Row], spec: ScoringSpec) -> CaseIndex:
    made = read_case_index(io.BytesIO(as_csv(truth, ("trustii_id", "NAME"))), tables=spec.tables, cases=spec.cases)
    assert len(made.ids) == IMAGES
    return made


@pytest.fixture(scope="module")
def reference(truth: list[Row], index: CaseIndex) -> Entry:
    read = read_reference({"boxes": io.BytesIO(as_csv(truth))}, index=index)
    assert read.issues.total == {}
    assert read.counts["rows"] == CELLS
    assert read.entry is not None
    return read.entry


def answered(predictions: list[Row], index: CaseIndex) -> ReadResult:
    """The predictions as a file in random order, read; of an id sent twice the first row still comes first."""
    rank: dict[str, float] = {}
    draw = random.Random(1)
    for row in predictions:
        rank.setdefault(row["trustii_id"], draw.random())
    shuffled = sorted(predictions, key=lambda row: rank[row["trustii_id"]])
    return read_entry({"boxes": io.BytesIO(as_csv(shuffled))}, index=index)


@pytest.mark.parametrize("name", DERIVED)
def test_the_score_is_that_of_plain_loops(
    name: str, truth: list[Row], spec: ScoringSpec, index: CaseIndex, reference: Entry
) -> None:
    predictions = DERIVED[name](truth)
    expected = slow_score(truth, predictions)
    read = answered(predictions, index)
    assert read.entry is not None
    seen = len({row["trustii_id"] for row in predictions})
    assert (read.counts["rows"], read.counts["duplicates"]) == (len(predictions), len(predictions) - seen)
    assert read.counts["missing"] == CELLS - seen
    attributes = read_attributes(io.BytesIO(b"NAME\n"), index=index, cases=spec.cases, splits=(), seed=1)
    result = evaluate(spec=spec, index=index, attributes=attributes, reference=reference, entry=read.entry, seed=1)
    found = {value.output: value.value for value in result.values}
    assert found == pytest.approx(expected, rel=0, abs=1e-12)
    assert {value.interval for value in result.values} <= {"bca", "none:bias", "none:no-spread", "none:undefined"}
    assert {(value.n_cases, value.n_clusters) for value in result.values} == {(IMAGES, IMAGES)}
    assert result.notes == (NO_CLUSTER,)


def test_what_the_metric_rewards(truth: list[Row]) -> None:
    """Known since the challenge: one constant box with the right classes scores as high as the finalists did."""
    assert 0.93 < slow_score(truth, DERIVED["median box"](truth))["score"] < 0.94


def test_a_thousand_resamples_of_images_equal_the_score_of_the_repeated_images(
    truth: list[Row], spec: ScoringSpec, index: CaseIndex, reference: Entry
) -> None:
    read = answered(DERIVED["missing images"](truth), index)
    assert read.entry is not None
    labels = list(spec.tables[0].columns[-1].labels)
    params = {side: side for side in SIDES} | {"class": "class", "labels": labels}
    true, given = (_as_text(entry.tables["boxes"], labels) for entry in (reference, read.entry))
    made = cytologia.tabulate(true, given, params)
    attributes = read_attributes(io.BytesIO(b"NAME\n"), index=index, cases=spec.cases, splits=(), seed=1)
    plan = plan_of(spec=replace(spec, resample=ResampleSpec(replicates=1000)), attributes=attributes, seed=1)
    weights = plan.counts[:, attributes.cluster]
    values = cytologia.aggregate(made, weights)
    assert values.shape == (1000, 3 + len(labels))
    assert not np.isnan(values).any()
    boxes = made.rows["boxes"]
    names = [*labels, "None"]
    for b in (0, 999):
        times = weights[b][boxes.case].tolist()
        rows = zip(boxes.columns["label"].tolist(), boxes.columns["answer"].tolist(), times, strict=True)
        pairs = [(names[label], names[answer]) for label, answer, n in rows for _ in range(n)]
        each = slow_f1(pairs)
        giou = sum(g * n for g, n in zip(boxes.columns["giou"].tolist(), times, strict=True)) / sum(times)
        macro = sum(each.values()) / len(each)
        assert values[b, :3].tolist() == pytest.approx([0.2 * giou + 0.8 * macro, giou, macro], rel=0, abs=1e-12)


def _as_text(table: Table, labels: list[str]) -> Table:
    return replace(table, columns={**table.columns, "class": np.array([*labels, ""])[table.columns["class"]]})
