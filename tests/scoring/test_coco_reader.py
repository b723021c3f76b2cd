"""Files in COCO's form: what is read, and all that can be wrong with one, told at once by position in the list."""

import io
import json
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.cases import CaseIndex
from scoring.read import Limits, ReadResult, read_entry, read_reference
from scoring.readers.coco_items import Cells
from scoring.spec import ColumnSpec, Missing, TableSpec
from tests.scoring.entries import gzipped, told, zipped

SIDES = ("x", "y", "width", "height")
IDS = ("1", "2", "3")
GOOD: dict[str, Any] = {"image_id": 1, "category_id": 7, "bbox": [1, 2.5, 3e1, 4], "score": 0.9}


def index_of(missing: Missing = "empty", ids: Sequence[str] = IDS) -> CaseIndex:
    columns = (ColumnSpec("category_id", "label", labels=("7", "8")), *(ColumnSpec(side, "number") for side in SIDES))
    table = TableSpec(
        name="boxes",
        file="boxes.json",
        case="image_id",
        key=("image_id",),
        columns=(*columns, ColumnSpec("score", "probability")),
        rows="many",
        missing=missing,
        format="coco",
    )
    return CaseIndex(tuple(ids), (table,))


def read(data: bytes | str | list[Any], *, limits: Limits | None = None, missing: Missing = "empty") -> ReadResult:
    text = json.dumps(data) if isinstance(data, list) else data
    raw = text.encode() if isinstance(text, str) else text
    return read_entry({"boxes": io.BytesIO(raw)}, index=index_of(missing), limits=limits)


def wrong(**changed: Any) -> dict[str, Any]:
    return GOOD | changed


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name != key}


def codes(result: ReadResult) -> dict[str, int]:
    return {code: count for code, count in result.issues.total.items() if code.startswith("E-")}


def test_results_become_columns_in_the_order_of_the_cases_and_of_the_list() -> None:
    result = read([wrong(image_id=3, score=0.2), GOOD, wrong(image_id="1", category_id="8", bbox=[0, 0, 1, 1])])
    assert result.issues.total == {"W-ID-MISSING": 1}
    assert result.entry is not None
    table = result.entry.tables["boxes"]
    assert table.case.tolist() == [0, 0, 2]
    assert {name: values.tolist() for name, values in table.columns.items()} == {
        "category_id": [0, 1, 0],
        "x": [1, 0, 1],
        "y": [2.5, 0, 2.5],
        "width": [30, 1, 30],
        "height": [4, 1, 4],
        "score": [0.9, 0.9, 0.2],
    }
    assert result.counts == {"rows": 3, "missing": 1, "duplicates": 0, "extra_columns": 0}


@pytest.mark.parametrize("text", ["[]", " [ ] \n", "\ufeff[]"])
def test_nothing_found_anywhere_is_an_answer(text: str) -> None:
    result = read(text)
    assert result.entry is not None
    assert result.entry.tables["boxes"].missing.all()
    assert result.issues.total == ({"W-BOM": 1} if text[0] == "\ufeff" else {}) | {"W-ID-MISSING": 3}
    assert codes(read(text, missing="refuse")) == {"E-ID-MISSING": 3}


@pytest.mark.parametrize("pack", [gzipped, lambda data: zipped({"x/boxes.json": data})])
def test_packed(pack: Any) -> None:
    assert read(pack(json.dumps([GOOD]).encode())).counts["rows"] == 1


@pytest.mark.parametrize(
    ("text", "code", "value"),
    [
        ("", "E-EMPTY", None),
        ("  \n", "E-EMPTY", None),
        ("{}", "E-COCO", "{}"),
        ('{"image_id": 1}', "E-COCO", '{"image_id": 1}'),
        ("image_id,category_id\n", "E-COCO", "image_id,category_id\\n"),
        ("12", "E-COCO", "12"),
        ('{"images": [], "annotations": []}', "E-COCO-TRUTH", "images"),
        ("[] x", "E-COCO-END", "x"),
        ("[][]", "E-COCO-END", "[]"),
        ("[{]", "E-COCO-JSON", "{]"),
        ("[", "E-COCO-JSON", "-"),
        ("[" * 100_000, "E-COCO-DEPTH", None),
        ('[{"image_id": ' + '{"a":' * 100_000, "E-COCO-DEPTH", None),
        ("[1" + "0" * 2_000_000, "E-FIELD-SIZE", None),
        (b"[\xff]", "E-UTF8", "[\\xff]"),
        (b"\xff\xfe[\0]\0", "E-ENCODING", None),
        (b"[\0]\0", "E-ENCODING", None),
        (b"PAR1....", "E-FORMAT", None),
    ],
)
def test_what_is_no_list_is_refused_in_one_sentence(text: str | bytes, code: str, value: str | None) -> None:
    result = read(text)
    assert [(issue.code, issue.value) for issue in result.issues.errors] == [(code, value)]
    assert result.entry is None


@pytest.mark.parametrize(
    ("item", "code", "column", "value"),
    [
        (5, "E-COCO-ITEM", None, "5"),
        (None, "E-COCO-ITEM", None, "null"),
        ([[1], "a"], "E-COCO-ITEM", None, '[[…], "a"]'),
        (wrong(bbox=[1, 2, 3]), "E-BBOX", "bbox", "[1, 2, 3]"),
        (wrong(bbox={"x": 1}), "E-BBOX", "bbox", "{…}"),
        (wrong(bbox=[1, 2, 3, 4, 5, 6, 7, 8, 9]), "E-BBOX", "bbox", "[1, 2, 3, 4, 5, 6, 7, 8, …]"),
        (wrong(bbox=[1, 2, "3", 4]), "E-CELL-TEXT", "width", '"3"'),
        (wrong(bbox=[1, 2, [3], 4]), "E-CELL-NESTED", "width", "[3]"),
        (wrong(bbox=[1, 2, None, 4]), "E-CELL-EMPTY", "width", ""),
        (wrong(bbox=[1, 2, True, 4]), "E-CELL-BOOL", "width", "true"),
        (wrong(bbox=[1, 2, -3, 4]), "E-BOX-SIZE", "width", "width=-3"),
        (wrong(bbox=[1, 2, 3, 0.0]), "E-BOX-SIZE", "height", "height=0.0"),
        (wrong(bbox=[float("nan"), 2, 3, 4]), "E-NAN", "x", "NaN"),
        (wrong(bbox=[1, float("-inf"), 3, 4]), "E-INF", "y", "-Infinity"),
        (wrong(score=2), "E-RANGE", "score", "2"),
        (wrong(category_id=9), "E-LABEL", "category_id", "9"),
        (wrong(category_id=1.5), "E-LABEL", "category_id", "1.5"),
        (wrong(image_id=4), "E-ID-UNKNOWN", "image_id", "4"),
        (wrong(image_id=1.0), "E-ID-ZEROS", "image_id", "1.0"),
        (wrong(image_id=True), "E-CELL-BOOL", "image_id", "true"),
        (wrong(image_id="\ud800"), "E-SURROGATE", "image_id", "\\ud800"),
        (wrong(image_id="\0"), "E-NUL", "image_id", "\\x00"),
        (without("bbox"), "E-KEY-MISSING", "bbox", "image_id, category_id, score"),
        (without("image_id"), "E-KEY-MISSING", "image_id", "category_id, bbox, score"),
        (without("score"), "E-KEY-MISSING", "score", "image_id, category_id, bbox"),
    ],
)
def test_what_is_wrong_with_one_box_is_told_with_its_position(
    item: Any, code: str, column: str | None, value: str
) -> None:
    result = read([GOOD, item, GOOD])
    assert [part for part in told(result) if part[0].startswith("E-")] == [(code, 2, column, value)]
    assert result.issues.total["W-COCO-ITEMS"] == 1


def test_numbers_too_large_are_told_and_not_made() -> None:
    huge = json.dumps([GOOD]).replace("0.9", "9" * 10_000)
    assert codes(read(huge)) == {"E-INF": 1}


def test_keys_that_repeat_or_are_not_expected() -> None:
    twice = json.dumps([GOOD]).replace('"score"', '"score": 1, "score"')
    assert told(read(twice))[0] == ("E-JSON-DUP", 1, "score", "score")
    extra = read([wrong(id=1, segmentation=[[1, 2]]), wrong(id=2), wrong(image_id=2), wrong(image_id=3)])
    assert told(extra) == [("W-COL-EXTRA", 1, "id", None), ("W-COL-EXTRA", 1, "segmentation", None)]
    assert extra.counts["extra_columns"] == 2


def test_all_problems_are_told_at_once_and_counted() -> None:
    items = [
        wrong(score=3),
        wrong(bbox=[1]),
        wrong(image_id=9),
        GOOD,
        wrong(category_id=1),
        7,
        wrong(bbox=[0, 0, 0, 1]),
    ]
    expected = {"E-RANGE": 1, "E-BBOX": 1, "E-ID-UNKNOWN": 1, "E-LABEL": 1, "E-COCO-ITEM": 1, "E-BOX-SIZE": 1}
    assert codes(read(items)) == expected
    assert codes(read(json.dumps(items)[:-1] + ", {")) == expected | {"E-COCO-JSON": 1}
    many = read([wrong(score=-1) if i % 2 else GOOD for i in range(500)])
    assert (len(many.issues.errors), codes(many)) == (50, {"E-RANGE": 250})


def test_a_file_cut_anywhere_says_so_and_never_is_half_read() -> None:
    whole = json.dumps([GOOD, wrong(image_id=2), wrong(image_id=3)])
    for end in range(1, len(whole)):
        result = read(whole[:end])
        assert codes(result) == {"E-COCO-JSON": 1}, whole[:end]


def test_what_takes_long_elsewhere_does_not_here() -> None:
    assert read(" " * 20_000_000 + "[]").entry is not None
    keys = ", ".join(f'"{i}": 0' for i in range(60_000))
    assert codes(read(f'[{{{keys}, "1": 0}}]'))["E-JSON-DUP"] == 1


def test_far_more_boxes_than_expected() -> None:
    limits = Limits(rows_per_case=1, rows_least=5)
    assert codes(read([GOOD] * 6, limits=limits)) == {"E-ROWS": 1}
    assert codes(read([GOOD] * 5, limits=limits)) == {}


def test_a_window_that_ends_anywhere_reads_the_same() -> None:
    items = [wrong(image_id=i % 3 + 1, bbox=[i, i / 7, 1 + i / 3, 2]) for i in range(20_000)]
    result = read(json.dumps(items, indent=1), limits=Limits(rows_least=30_000))
    assert result.entry is not None
    x = result.entry.tables["boxes"].columns["x"]
    assert sorted(x.tolist()) == list(range(20_000))


def test_packed_cells_are_those_that_went_in() -> None:
    cells = Cells()
    for i in range(10_000):
        cells.append(str(i))
    assert len(cells) == 10_000
    assert list(cells) == [str(i) for i in range(10_000)]
    assert [cells[0], cells[5000], cells[-1]] == ["0", "5000", "9999"]


def truth(**changed: Any) -> dict[str, Any]:
    boxes = [{"id": 5, "image_id": 1, "category_id": 8, "bbox": [1, 2, 3, 4], "area": 6.5, "iscrowd": 1}]
    boxes += [{"id": 6, "image_id": 3, "category_id": 7, "bbox": [0, 0, 9, 9], "segmentation": [[0, 0, 9, 9]]}]
    images = [{"id": int(i), "file_name": "a" * 1000} for i in IDS * 100]
    return {"info": {"year": 1}, "images": images, "annotations": boxes, "categories": [{"id": 7}]} | changed


def test_a_file_of_annotations_is_a_reference() -> None:
    result = read_reference({"boxes": io.BytesIO(json.dumps(truth()).encode())}, index=index_of())
    assert result.issues.total == {"W-ID-MISSING": 1}
    assert result.entry is not None
    table = result.entry.tables["boxes"]
    assert table.case.tolist() == [0, 2]
    assert {name: values.tolist() for name, values in table.columns.items()} == {
        "category_id": [1, 0],
        "x": [1, 0],
        "y": [2, 0],
        "width": [3, 9],
        "height": [4, 9],
        "iscrowd": ["1", "0"],
        "area": ["6.5", ""],
    }


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ([GOOD], "E-COCO-ANNOTATIONS"),
        ({"images": []}, "E-COCO-ANNOTATIONS"),
        (truth(annotations={}), "E-COCO-ANNOTATIONS"),
        (truth(annotations=[{"image_id": 1, "category_id": 7}]), "E-KEY-MISSING"),
        (truth(annotations=[{"image_id": 1, "category_id": 7, "bbox": [1, 1, 0, 1]}]), "E-BOX-SIZE"),
        (truth(annotations=[{"image_id": 8, "category_id": 7, "bbox": [1, 1, 1, 1]}]), "E-ID-UNKNOWN"),
    ],
)
def test_a_reference_that_is_none(document: Any, code: str) -> None:
    result = read_reference({"boxes": io.BytesIO(json.dumps(document).encode())}, index=index_of())
    assert codes(result) == {code: 1}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.binary(max_size=60), st.integers(0, 2**32 - 1))
def test_no_bytes_raise(noise: bytes, seed: int) -> None:
    draw = random.Random(seed)
    whole = json.dumps([GOOD, wrong(image_id=2)]).encode()
    at = draw.randrange(len(whole))
    for data in (noise, b"[" + noise, whole[:at] + noise + whole[at + len(noise) :]):
        result = read(data)
        assert (result.entry is None) == result.issues.refused


_MANY = """
import resource, sys, numpy
resource.setrlimit(resource.RLIMIT_AS, (240 << 20, 240 << 20))
from scoring.read import read_entry
from tests.scoring.test_coco_reader import index_of
ids = [str(i) for i in range(1_000)]
with open(sys.argv[1], "rb") as file:
    print(read_entry({"boxes": file}, index=index_of(ids=ids)).to_json())
"""


def test_a_hundred_thousand_boxes_are_read_in_little_memory(tmp_path: Path) -> None:
    """A million took 475 MiB of addresses, of which 130 are Python and numpy, and 27 s on two busy cores."""
    draw, path = np.random.default_rng(0), tmp_path / "boxes.json"
    boxes = np.round(draw.uniform(1, 640, (100_000, 4)), 2).tolist()
    path.write_text(json.dumps([wrong(image_id=i % 1_000, bbox=box, score=0.5) for i, box in enumerate(boxes)]))
    run = subprocess.run([sys.executable, "-c", _MANY, str(path)], capture_output=True, text=True, check=False)
    counts = {"rows": 100_000, "missing": 0, "duplicates": 0, "extra_columns": 0}
    assert (run.returncode, run.stdout.strip()) == (0, str({"issues": [], "total": {}, "counts": counts})), run.stderr
