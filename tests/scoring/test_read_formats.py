"""Equal content gives equal arrays to the last bit, in every format; whatever is read is what a slow reader reads."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.read import Limits, ReadResult
from scoring.readers.cells import Numbers
from scoring.spec import Format, TableSpec
from scoring.tables import Table
from tests.scoring.entries import IDS, KIND, NOTE, SCORE, SIZE, boxes, index_of, one, read
from tests.scoring.formats import as_csv, as_jsonl, columns_of, oracle_csv, oracle_jsonl
from tests.scoring.parquets import parquet, pyarrow

NAMES = ("id", "score", "kind", "size", "note")
ONE = one(SCORE, KIND, SIZE, NOTE)
MANY = boxes(key=("image",))
SMALL = Limits(expanded_bytes=1_000_000, rows_per_case=50, rows_least=50)
TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r\n"), max_size=8)


def indexed(spec: TableSpec, form: Format) -> Any:
    return index_of(replace(spec, format=form))


def table_of(result: ReadResult) -> Table:
    assert result.entry is not None, result.issues.total
    (table,) = result.entry.tables.values()
    return table


def same(first: Table, other: Table) -> None:
    assert first.columns.keys() == other.columns.keys()
    pairs = [(first.case, other.case), (first.missing, other.missing)]
    pairs += [(first.columns[name], other.columns[name]) for name in first.columns]
    for left, right in pairs:
        assert left.dtype == right.dtype
        assert left.tobytes() == right.tobytes()


def row(case: str) -> st.SearchStrategy[dict[str, Any]]:
    parts = {"id": st.just(case), "score": st.floats(0, 1), "kind": st.sampled_from(KIND.labels)}
    return st.fixed_dictionaries({**parts, "size": st.integers(0, 10**18 - 1), "note": TEXT})


@settings(max_examples=150, deadline=None)
@given(st.tuples(*map(row, IDS)).flatmap(lambda rows: st.tuples(*[st.permutations(rows)] * 3)))
def test_equal_content_gives_equal_tables(orders: tuple[list[dict[str, Any]], ...]) -> None:
    first = table_of(read(as_csv(orders[0], NAMES), indexed(ONE, "csv")))
    same(first, table_of(read(as_jsonl(orders[1]), indexed(ONE, "jsonl"))))
    same(first, table_of(read(parquet(columns_of(orders[2], NAMES)), indexed(ONE, "parquet"))))
    assert [first.columns["score"][IDS.index(r["id"])] for r in orders[0]] == [r["score"] for r in orders[0]]


X = st.floats(-10, 10) | st.sampled_from([0.0, -0.0])
BOX = st.fixed_dictionaries({"image": st.sampled_from(IDS), "x": X, "kind": st.sampled_from(["LY", "MO"])})


@settings(max_examples=100, deadline=None)
@given(st.lists(BOX, min_size=1, max_size=12).flatmap(lambda rows: st.tuples(*[st.permutations(rows)] * 3)))
def test_equal_rows_without_keys_are_in_the_same_order(orders: tuple[list[dict[str, Any]], ...]) -> None:
    names = ("image", "x", "kind")
    first = table_of(read(as_csv(orders[0], names), indexed(MANY, "csv")))
    same(first, table_of(read(as_jsonl(orders[1]), indexed(MANY, "jsonl"))))
    same(first, table_of(read(parquet(columns_of(orders[2], names)), indexed(MANY, "parquet"))))


CELLS: dict[str, list[Any]] = {
    "id": [*IDS, "a", "A", " a", "zz", "", "7"],
    "score": [0.5, 1e-300, 1, 0, 1.5, -0.0, float("nan"), float("inf"), "0.5", "x", "", None, True],
    "kind": ["LY", "MO", "EO", "ly", "", "1", 1, None, True],
    "size": [0, 3, 2**62, 2.0, 2.5, -1, "3", "", None, 1e30],
    "note": ["", "x", "é", "e\u0301", 7, 0.5, None],
}
ANY_ROW = st.fixed_dictionaries({name: st.sampled_from(cells) for name, cells in CELLS.items()})


@settings(max_examples=250, deadline=None)
@given(st.lists(ANY_ROW, max_size=4), st.lists(st.booleans(), min_size=4, max_size=4))
def test_what_is_read_of_json_lines_is_what_a_slow_reader_reads(rows: list[dict[str, Any]], good: list[bool]) -> None:
    fine = {"score": 0.25, "kind": "MO", "size": 3, "note": "x"}
    rows = [{**r, "id": case, **(fine if ok else {})} for r, case, ok in zip(rows, IDS, good, strict=False)]
    raw = as_jsonl(rows)
    _agree(read(raw, indexed(ONE, "jsonl"), SMALL), oracle_jsonl(raw, ONE, IDS))


PIECES = [
    '{"id":', '"a"', '"b"', '"c"', '"d"', ',"score":', "0.5", '"0.5"', "1e-1", "NaN", ',"kind":', '"LY"', "1", "null",
    ',"size":', "2", "2.0", ',"note":', '""', '"\\ud800"', '"\\u0000"', "[", "]", "{", "}", "}\n", "\n", " ", "\r", ",",
    '{"id":"a","score":0.5,"kind":"LY","size":1,"note":""}\n', "\ufeff", '"id"', ":",
    '{"score":1,"id":"b","kind":"MO","size":2,"note":"é"}\n',
    '{"id":"c","score":0,"kind":"EO","size":3,"note":"x","more":[{}]}\n',
    '{"id":"d","size":4.0,"kind":"LY","score":0.125,"note":null}\n',
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_pieces_of_json_lines(pieces: list[str]) -> None:
    raw = "".join(pieces).encode()
    _agree(read(raw, indexed(ONE, "jsonl"), SMALL), oracle_jsonl(raw, ONE, IDS))


CSV_PIECES = [
    "id,score,kind,size,note\n", "a,0.5,LY,1,\n", "b,.5,MO,2.0,x\n", 'c,1,EO,3,"y"\n', "d,0,LY,04,z\n", "a,", "0.5,",
    '"', "\n", "\r", ",", " ", "1e-3", "nan", "note,id,score,kind,size\n", 'd,0,LY,4,"a\nb"\n', "\ufeff",
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(CSV_PIECES), max_size=12))
def test_pieces_of_csv(pieces: list[str]) -> None:
    raw = "".join(pieces).encode()
    _agree(read(raw, indexed(ONE, "csv"), SMALL), oracle_csv(raw, ONE, IDS))


@settings(max_examples=150, deadline=None)
@given(st.lists(ANY_ROW, min_size=1, max_size=4), st.booleans(), st.sampled_from(["none", "snappy", "zstd"]))
def test_parquet_and_json_lines_agree_on_any_cells(rows: list[dict[str, Any]], coded: bool, packing: str) -> None:
    columns: dict[str, Any] = {}
    for name in NAMES:
        cells = [r[name] for r in rows]
        kind = type(next((cell for cell in cells if cell is not None), ""))
        columns[name] = pyarrow.array([cell if type(cell) is kind else None for cell in cells])
    plain = [
        dict(zip(NAMES, cells, strict=True)) for cells in zip(*(c.to_pylist() for c in columns.values()), strict=True)
    ]
    if coded:
        columns = {n: c.dictionary_encode() if pyarrow.types.is_string(c.type) else c for n, c in columns.items()}
    lines = read(as_jsonl(plain), indexed(ONE, "jsonl"))
    found = read(parquet(columns, compression=packing), indexed(ONE, "parquet"))
    assert lines.issues.to_json() == _moved(found.issues.to_json())
    if lines.entry is not None:
        same(table_of(lines), table_of(found))


def _moved(issues: dict[str, Any]) -> dict[str, Any]:
    """NaN and infinity as JSON writes them."""
    written = {"nan": "NaN", "inf": "Infinity"}
    kept = [{**issue, "value": written.get(issue["value"], issue["value"])} for issue in issues["issues"]]
    return {**issues, "issues": kept}


def _agree(result: ReadResult, expected: dict[str, list[Any]] | None) -> None:
    assert result.issues.refused == (result.entry is None)
    if result.entry is None:
        return
    assert expected is not None, "the reader took what the slow reader refuses"
    table = table_of(result)
    assert {name: values.tolist() for name, values in table.columns.items()} == expected
    assert json.dumps(result.to_json())


def test_numbers_are_texts_where_somebody_looks() -> None:
    cells = Numbers(np.array([0.1, 1e300, -0.0]))
    assert (len(cells), cells[0], list(cells), list(cells[1:])) == (
        3,
        "0.1",
        ["0.1", "1e+300", "-0.0"],
        ["1e+300", "-0.0"],
    )
    assert list(Numbers(np.array([7, -7]))) == ["7", "-7"]
