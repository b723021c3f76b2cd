"""Entries to arrays: order, rules for missing and repeated ids, several tables, limits."""

import io
import random
from dataclasses import replace

import numpy as np
import pytest

from scoring.issues import Issue
from scoring.read import Limits, read_entry
from scoring.spec import ColumnSpec
from scoring.tables import Table
from tests.scoring.entries import GOOD, KIND, NOTE, SCORE, SIZE, boxes, index_of, one, read, told

COUNTS = {"rows": 4, "missing": 0, "duplicates": 0, "extra_columns": 0}


def table_of(data: bytes | str, *args: object) -> Table:
    result = read(data, *args)  # type: ignore[arg-type]
    assert result.entry is not None, result.issues.total
    (table,) = result.entry.tables.values()
    return table


def test_one_row_per_case_in_the_order_of_the_index() -> None:
    table = table_of("score,id\n.4,d\n1e-1,a\n+.2,b\n 0.3 ,c\n")
    assert table.case.tolist() == [0, 1, 2, 3]
    assert table.columns["score"].tolist() == [0.1, 0.2, 0.3, 0.4]
    assert table.missing.tolist() == [False] * 4
    assert read(GOOD).counts == COUNTS


def test_types_of_columns() -> None:
    table = table_of("id,score,kind,size,note\na,1,EO,2.0,é\nb,0,LY,0,\nc,0.5,MO,00017,x y\nd,1e-9,EO,1,7\n",
                     index_of(one(SCORE, KIND, SIZE, NOTE)))  # fmt: skip
    assert {name: values.dtype.kind for name, values in table.columns.items()} == {
        "score": "f", "kind": "i", "size": "i", "note": "U",
    }  # fmt: skip
    assert table.columns["score"].tolist() == [1.0, 0.0, 0.5, 1e-9]
    assert table.columns["kind"].tolist() == [2, 0, 1, 2]
    assert table.columns["kind"].dtype == np.int32
    assert table.columns["size"].tolist() == [2, 0, 17, 1]
    assert table.columns["note"].tolist() == ["é", "", "x y", "7"]


def test_arrays_cannot_be_written() -> None:
    table = table_of(GOOD)
    for values in (table.case, table.missing, table.columns["score"]):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 0


def test_bounds_of_a_column_are_allowed_themselves() -> None:
    spec = one(ColumnSpec("score", "number", low=-1.5, high=2))
    table = table_of(GOOD.replace(b"0.1", b"-1.5").replace(b"0.2", b"2"), index_of(spec))
    assert table.columns["score"].tolist() == [-1.5, 2.0, 0.3, 0.4]
    result = read(GOOD.replace(b"0.1", b"-1.6"), index_of(spec))
    assert result.issues.errors == (
        Issue("E-RANGE", "error", "scores", 2, "score", "-1.6", {"low": "-1.5", "high": "2"}),
    )


@pytest.mark.parametrize("rule", ["worst", "empty"])
def test_missing_ids_where_they_are_allowed(rule: str) -> None:
    spec = one(SCORE, KIND, SIZE, NOTE, missing=rule)  # type: ignore[arg-type]
    result = read("id,score,kind,size,note\nc,0.5,MO,3,x\na,0.25,LY,4,y\n", index_of(spec))
    assert result.entry is not None
    table = result.entry.tables["scores"]
    assert table.missing.tolist() == [False, True, False, True]
    assert table.columns["score"].tolist()[::2] == [0.25, 0.5]
    assert np.isnan(table.columns["score"][1::2]).all()
    assert table.columns["kind"].tolist() == [0, -1, 1, -1]
    assert table.columns["size"].tolist()[::2] == [4.0, 3.0]
    assert table.columns["size"].dtype == np.float64
    assert table.columns["note"].tolist() == ["y", "", "x", ""]
    assert result.counts == {"rows": 2, "missing": 2, "duplicates": 0, "extra_columns": 0}
    (warning,) = result.issues.warnings
    assert (warning.code, warning.value) == ("W-ID-MISSING", "b, d")
    assert warning.fields == {"count": 2, "rule": rule}


def test_type_does_not_depend_on_what_happens_to_be_missing() -> None:
    spec = one(SIZE, missing="worst")
    whole = table_of("id,size\na,1\nb,2\nc,3\nd,4\n", index_of(spec))
    assert whole.columns["size"].dtype == np.float64


def test_first_of_repeated_ids() -> None:
    result = read(GOOD + b"b,0.9\na,0.8\nb,0.7\n", index_of(one(duplicates="first")))
    assert result.entry is not None
    assert result.entry.tables["scores"].columns["score"].tolist() == [0.1, 0.2, 0.3, 0.4]
    assert result.counts["duplicates"] == 3
    assert told(result) == [("W-ID-DUP", 6, "id", "b")]
    assert result.issues.total == {"W-ID-DUP": 3}


def test_repeated_ids_name_the_first_line() -> None:
    (issue,) = read(GOOD + b"b,0.9\n").issues.errors
    assert issue.fields == {"first": 3}


def test_faults_in_rows_that_would_not_count_are_told() -> None:
    assert told(read(GOOD + b"b,x\n", index_of(one(duplicates="first"))))[0] == ("E-NUMBER", 6, "score", "x")


def test_many_rows_with_known_keys_follow_cases_csv() -> None:
    index = index_of(boxes(), ids=("i", "j", "k"), rows={"boxes": {("7",): 1, ("3",): 0, ("5",): 1}})
    table = table_of("image,box,kind,x\nj,5,EO,5\nj,7,MO,7\ni,3,LY,3\n", index)
    assert table.case.tolist() == [0, 1, 1]
    assert table.columns["box"].tolist() == ["3", "7", "5"]
    assert table.columns["x"].tolist() == [3.0, 7.0, 5.0]
    assert table.missing.tolist() == [False, False, True]


def test_many_rows_with_known_keys_miss_keys() -> None:
    rows = {"boxes": {("7",): 1, ("3",): 0, ("5",): 1}}
    data = "image,box,kind,x\nj,5,EO,5\n"
    refused = read(data, index_of(boxes(missing="refuse"), ids=("i", "j"), rows=rows))
    assert told(refused) == [("E-ID-MISSING", None, "box", "7"), ("E-ID-MISSING", None, "box", "3")]
    allowed = read(data, index_of(boxes(missing="worst"), ids=("i", "j"), rows=rows))
    assert told(allowed) == [("W-ID-MISSING", None, "box", "7, 3")]
    assert allowed.counts["missing"] == 2
    assert allowed.entry is not None
    assert allowed.entry.tables["boxes"].missing.tolist() == [True, False]


def test_key_that_holds_the_case() -> None:
    spec = boxes(key=("image", "box"))
    rows = {"boxes": {("i", "1"): 0, ("j", "1"): 1}}
    table = table_of("image,box,kind,x\nj,1,EO,5\ni,1,LY,4\n", index_of(spec, ids=("i", "j"), rows=rows))
    assert table.columns["x"].tolist() == [4.0, 5.0]
    wrong = read("image,box,kind,x\nj,2,EO,5\ni,01,LY,4\n", index_of(spec, ids=("i", "j"), rows=rows))
    assert told(wrong)[:2] == [("E-ID-UNKNOWN", 2, "image, box", "j / 2"), ("E-ID-ZEROS", 3, "image, box", "i / 01")]


def test_many_rows_with_own_keys_are_sorted_by_key() -> None:
    spec = boxes(key=("image", "box"))
    table = table_of("image,box,kind,x\nj,b,EO,5\nj,a,LY,4\ni,z,MO,3\n", index_of(spec, ids=("i", "j")))
    assert table.columns["box"].tolist() == ["z", "a", "b"]
    twice = read("image,box,kind,x\nj,b,EO,5\nj,b,LY,4\n", index_of(spec, ids=("i", "j")))
    assert told(twice) == [("E-ID-DUP", 3, "image, box", "j / b"), ("W-ID-MISSING", None, "image", "i")]


def test_many_rows_without_keys_are_sorted_by_content_and_never_repeat() -> None:
    spec = boxes(key=("image",))
    table = table_of("image,kind,x\nj,EO,5\nj,EO,5\nj,EO,1\ni,LY,2\n", index_of(spec, ids=("i", "j")))
    assert table.case.tolist() == [0, 1, 1, 1]
    assert table.columns["x"].tolist() == [2.0, 1.0, 5.0, 5.0]


def test_cap_of_rows_without_known_keys() -> None:
    spec, limits = boxes(key=("image",)), Limits(rows_per_case=2, rows_least=5)
    data = "image,kind,x\n" + "i,LY,1\n" * 6
    assert read(data[:-7], index_of(spec, ids=("i",)), limits).entry is not None
    assert told(read(data, index_of(spec, ids=("i",)), limits)) == [("E-ROWS", 7, None, None)]


def test_several_tables() -> None:
    index = index_of(one(), boxes(key=("image",)))
    files = {"scores": io.BytesIO(GOOD), "boxes": io.BytesIO(b"image,x,kind\na,1,LY\n")}
    result = read_entry(files, index=index)
    assert result.entry is not None
    assert sorted(result.entry.tables) == ["boxes", "scores"]
    assert result.counts == {"rows": 5, "missing": 3, "duplicates": 0, "extra_columns": 0}
    alone = read_entry({"scores": io.BytesIO(GOOD)}, index=index)
    assert told(alone) == [("E-FILE-MISSING", None, None, "boxes.csv")]
    with pytest.raises(KeyError, match="no table 'other'"):
        read_entry({"other": io.BytesIO(GOOD)}, index=index)


def test_keys_of_rows_that_would_take_too_much_memory() -> None:
    spec = boxes(key=("image", "box"))
    result = read(f"image,box,kind,x\ni,{'b' * 5_000},EO,5\n", index_of(spec, ids=("i",)), Limits(text_bytes=19_999))
    assert told(result) == [("E-FIELD-SIZE", 2, "box", "b" * 79 + "…")]


def test_text_that_would_take_too_much_memory() -> None:
    spec = one(NOTE)
    data = f"id,note\na,{'x' * 1_000}\nb,\nc,\nd,\n"
    assert read(data, index_of(spec), Limits(text_bytes=16_000)).entry is not None
    result = read(data, index_of(spec), Limits(text_bytes=15_999))
    assert told(result) == [("E-FIELD-SIZE", 2, "note", "x" * 79 + "…")]


def test_all_text_of_an_entry_shares_one_memory() -> None:
    spec = one(NOTE, replace(NOTE, name="more"))
    data = f"id,note,more\na,{'x' * 1_000},{'y' * 1_000}\nb,,\nc,,\nd,,\n"
    assert read(data, index_of(spec), Limits(text_bytes=32_000)).entry is not None
    assert told(read(data, index_of(spec), Limits(text_bytes=31_999))) == [("E-FIELD-SIZE", 2, "more", "y" * 79 + "…")]
    tables = (spec, replace(spec, name="again", file="again.csv"))
    files = {table.name: io.BytesIO(data.encode()) for table in tables}
    result = read_entry(files, index=index_of(*tables), limits=Limits(text_bytes=63_999))
    (issue,) = result.issues.errors
    assert (issue.code, issue.table, issue.column) == ("E-FIELD-SIZE", "again", "more")


def test_quoted_line_breaks_keep_line_numbers_right() -> None:
    data = 'id,note\r\na,"one\r\ntwo"\r\nb,"x\ny\nz"\r\nzz,\r\nc,1\r\nd,"a, ""b"""\r\n'
    assert told(read(data, index_of(one(NOTE)))) == [("E-ID-UNKNOWN", 7, "id", "zz")]
    table = table_of(data.replace("zz,\r\n", ""), index_of(one(NOTE)))
    assert table.columns["note"].tolist() == ["one\r\ntwo", "x\ny\nz", "1", 'a, "b"']


def test_line_numbers_far_down_a_large_file() -> None:
    ids = [f"case_{i:05d}" for i in range(30_000)]
    lines = [f"{case},0.5" for case in ids]
    lines[20_000] = f'{ids[20_000]},"0.5"'
    lines[25_000] = f"{ids[25_000]},oops"
    result = read("id,score\n" + "\n".join(lines), index_of(ids=ids))
    assert told(result) == [("E-NUMBER", 25_002, "score", "oops")]


def test_any_order_of_rows_gives_the_same_arrays() -> None:
    shuffle = random.Random(1)
    ids = [f"case_{i:05d}" for i in range(10_000)]
    rows = [f"{case},{shuffle.random():.6f}\n" for case in ids]
    first = table_of("id,score\n" + "".join(rows), index_of(ids=ids))
    shuffle.shuffle(rows)
    again = table_of("id,score\n" + "".join(rows), index_of(ids=ids))
    assert first.columns["score"].tobytes() == again.columns["score"].tobytes()


def test_numbers_are_read_to_the_last_digit() -> None:
    table = table_of("id,score\na,0.1234567890123456789\nb,3e-310\nc,0.30000000000000004\nd,1e-400\n")
    assert table.columns["score"].tolist() == [0.1234567890123456789, 3e-310, 0.30000000000000004, 0.0]
