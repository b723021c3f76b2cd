"""The spec of a phase as plain JSON, there and back."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from scoring.spec import (
    CasesSpec,
    ColumnSpec,
    MetricUse,
    RankingSpec,
    ResampleSpec,
    ScoringSpec,
    SplitSpec,
    essentials,
    from_json,
    to_json,
)
from tests.scoring.entries import KIND, SCORE, boxes, one

SPEC = ScoringSpec(
    tables=(one(SCORE, KIND, missing="worst"), boxes()),
    cases=CasesSpec(id="id", cluster="patient", subgroups=("sex", "age"), split="Usage"),
    metrics=(MetricUse(id="main", use="auroc", table="scores", params={"label": "y", "positive": "1"}, version="1"),),
    splits=(SplitSpec("public", "live", share=0.3), SplitSpec("private", "after_close", share=0.7)),
    ranking=RankingSpec(metric="main", output="auroc", direction="higher", ties="bayes"),
    resample=ResampleSpec(replicates=200),
)


def test_there_and_back() -> None:
    document = to_json(SPEC)
    assert from_json(json.loads(json.dumps(document))) == SPEC
    assert to_json(from_json(document)) == document


def test_a_key_with_a_default_that_nobody_sets_is_not_essential() -> None:
    known = essentials(SPEC)
    assert [key for key in ("rows", "format", "combine") if key in known["tables"][0]] == []
    assert known["resample"] == {"replicates": 200}
    assert from_json(json.loads(json.dumps(known))) == SPEC


def test_every_key_is_written_out() -> None:
    assert to_json(SPEC)["tables"][1] == {
        "name": "boxes",
        "file": "boxes.csv",
        "case": "image",
        "key": ["box"],
        "columns": [
            {"name": "x", "type": "number", "low": None, "high": None, "labels": []},
            {"name": "kind", "type": "label", "low": None, "high": None, "labels": ["LY", "MO", "EO"]},
        ],
        "rows": "many",
        "missing": "empty",
        "duplicates": "refuse",
        "format": "csv",
        "combine": None,
    }


def test_defaults_may_be_left_out() -> None:
    document = to_json(SPEC)
    del document["resample"], document["cases"]["site"], document["metrics"][0]["version"]
    assert from_json(document) == replace(SPEC, resample=ResampleSpec())


def test_whole_numbers_where_numbers_are_meant() -> None:
    document = to_json(SPEC)
    document["tables"][0]["columns"][0]["high"] = 1
    read = from_json(document).tables[0].columns[0]
    assert read == ColumnSpec("score", "probability", high=1.0)
    assert isinstance(read.high, float)


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "spec: unknown key more": lambda d: d.update(more=1),
    "spec: missing key cases": lambda d: d.pop("cases"),
    "spec.tables[0].rows: expected one of one, many, found 'two'": lambda d: d["tables"][0].update(rows="two"),
    "spec.resample.replicates: expected a whole number, found True": lambda d: d["resample"].update(replicates=True),
    "spec.splits[0].share: expected a number, found 'x'": lambda d: d["splits"][0].update(share="x"),
    "spec.metrics[0].params: expected an object, found []": lambda d: d["metrics"][0].update(params=[]),
    "spec.tables: expected a list, found {}": lambda d: d.update(tables={}),
    "spec.cases.id: expected a text, found None": lambda d: d["cases"].update(id=None),
}


@pytest.mark.parametrize("told", CHANGES)
def test_what_is_wrong_is_named_by_its_key(told: str) -> None:
    document = to_json(SPEC)
    CHANGES[told](document)
    with pytest.raises(ValueError) as caught:
        from_json(document)
    assert str(caught.value) == told


def test_what_is_no_object_at_all() -> None:
    with pytest.raises(ValueError, match="expected an object"):
        from_json([])


def test_what_tells_rows_apart() -> None:
    assert one().row_key == ()
    assert boxes(key=("image",)).row_key == ()
    assert boxes(key=("box",)).row_key == ("box",)
    assert boxes(key=("image", "box")).row_key == ("image", "box")
