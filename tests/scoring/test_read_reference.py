"""References are read by the same reader, under the organiser's rules."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scoring.cases import CaseIndex
from scoring.read import ReadResult, read_reference
from scoring.spec import ColumnSpec
from tests.scoring.entries import KIND, SCORE, boxes, index_of, one, told

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "cytologia" / "train.csv"


def reference(text: str, index: CaseIndex) -> ReadResult:
    return read_reference({index.tables[0].name: io.BytesIO(text.encode())}, index=index)


def test_columns_of_the_entry_are_typed_and_all_others_are_text() -> None:
    index = index_of(one(SCORE, KIND, missing="worst", duplicates="first"), ids=("a", "b"))
    result = reference("label,id,kind,age\n1,b,MO,07\n,a,LY,x\n", index)
    assert result.entry is not None
    table = result.entry.tables["scores"]
    assert {name: values.tolist() for name, values in table.columns.items()} == {
        "label": ["", "1"],
        "kind": [0, 1],
        "age": ["x", "07"],
    }
    assert table.columns["kind"].dtype == np.int32
    assert result.counts["extra_columns"] == 0


def test_every_case_needs_one_answer_whatever_entries_may_leave_out() -> None:
    index = index_of(one(missing="worst", duplicates="first"), ids=("a", "b"))
    result = reference("id,label\na,1\na,0\n", index)
    assert result.entry is None
    assert told(result) == [("E-ID-DUP", 3, "id", "a"), ("E-ID-MISSING", None, "id", "b")]


def test_cases_without_rows_where_rows_are_many() -> None:
    index = index_of(boxes(missing="refuse"), ids=("i", "j"), rows={"boxes": {("1",): 0, ("2",): 1}})
    result = reference("image,x,kind\nj,1,LY\nj,1,LY\n", index)
    assert result.entry is not None
    table = result.entry.tables["boxes"]
    assert table.case.tolist() == [1, 1]
    assert table.missing.tolist() == [True, False]
    keyed = reference("image,box,x,kind,Usage\nj,2,1,LY,Public\n", index)
    assert keyed.entry is not None
    assert keyed.entry.tables["boxes"].columns["box"].tolist() == ["2"]
    assert keyed.entry.tables["boxes"].columns["Usage"].tolist() == ["Public"]
    assert told(keyed) == [("W-ID-MISSING", None, "box", "1")]


def test_wrong_answers_of_the_organiser_have_the_same_codes() -> None:
    index = index_of(one(KIND), ids=("a", "b"))
    assert told(reference("id,kind\na,XX\nc,LY\n", index)) == [
        ("E-LABEL", 2, "kind", "XX"),
        ("E-ID-UNKNOWN", 3, "id", "c"),
        ("E-ID-MISSING", None, "id", "b"),
    ]
    assert told(reference("id,kind,note,note\na,LY,1,2\nb,LY,1,2\n", index)) == [("E-COL-DUP", 1, "note", None)]
    assert told(reference("kind\nLY\n", index)) == [("E-COL-MISSING", 1, "id", None)]


@pytest.mark.skipif(not DATA.exists(), reason="the published CytologIA labels are not beside this repository")
def test_the_published_boxes_of_cytologia() -> None:
    lines = DATA.read_text(encoding="utf-8").splitlines()
    names = list(dict.fromkeys(line.split(",")[0] for line in lines[1:]))
    labels = tuple(sorted({line.rsplit(",", 1)[1] for line in lines[1:]}))
    sides = tuple(ColumnSpec(name, "integer") for name in ("x1", "y1", "x2", "y2"))
    columns = (*sides, ColumnSpec("class", "label", labels=labels))
    spec = replace(boxes(key=("trustii_id",)), case="NAME", columns=columns)
    place = {name: i for i, name in enumerate(names)}
    known: dict[tuple[str, ...], int] = {(str(i),): place[line.split(",")[0]] for i, line in enumerate(lines[1:])}
    index = index_of(spec, ids=names, rows={"boxes": known})
    text = "\n".join(["trustii_id," + lines[0], *(f"{i},{line}" for i, line in enumerate(lines[1:]))])
    result = reference(text, index)
    assert result.entry is not None
    table = result.entry.tables["boxes"]
    assert len(table.case) == 52_748
    assert len(index.ids) == 48_417
    assert len(labels) == 23
    row = int(np.flatnonzero(table.columns["trustii_id"] == "1")[0])
    assert [table.columns[name][row].item() for name in ("x1", "y1", "x2", "y2")] == [92, 78, 272, 284]
    assert labels[table.columns["class"][row]] == "MO"
