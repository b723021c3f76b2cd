"""Properties of the reader: no bytes make it raise, and the order of rows never matters."""

import csv
import io
import math
import re
import string

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.issues import IssueLog, shown
from scoring.messages import MESSAGES, explain
from scoring.read import Limits, ReadResult
from scoring.readers.cells import read_column
from scoring.readers.faults import Faults
from scoring.spec import ColumnSpec
from tests.scoring.entries import KIND, NOTE, SCORE, SIZE, boxes, gzipped, index_of, one, read, zipped

ONE = index_of(one(SCORE, KIND, SIZE, NOTE))
MANY = index_of(boxes(key=("image",)))
SMALL = Limits(expanded_bytes=100_000, rows_per_case=3, rows_least=20, record_characters=2_000)
ALPHABET = "abcd,;\t\"'\n\r \u00e9\u200b\ufeff\0.0123456789eE+-_%NaninfidscorekmLYMO\uff11"
PIECES = st.sampled_from(
    [
        "id,score,kind,size,note\n",
        "a,",
        "b,",
        "0.5,",
        "LY,",
        "1,",
        "x\n",
        "\n",
        '"',
        ";",
        "\r",
        "\ufeff",
        "nan,",
        "0,9",
        "\0",
    ]
)
GRAMMAR = re.compile(r"[ \t]*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t]*")


def check(result: ReadResult) -> None:
    kept = result.issues.to_json()["issues"]
    assert result.issues.refused == (result.entry is None)
    assert len(kept) <= 50
    assert sum(result.issues.total.values()) >= len(kept)
    for issue in kept:
        message = MESSAGES[issue["code"]]
        filled = {name for name, part in {**issue, **issue["fields"]}.items() if part is not None}
        assert set(re.findall(r"%\((\w+)\)", message.template + message.fix)) <= filled
        assert explain(issue).text
        assert issue["value"] is None or (len(issue["value"]) <= 80 and issue["value"].isprintable())
    if result.entry is not None:
        for table in result.entry.tables.values():
            for values in table.columns.values():
                assert len(values) == len(table.case)
                assert values.dtype.kind != "f" or np.isfinite(values).all()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    check(read(data, ONE, SMALL))
    check(read(data, MANY, SMALL))


@settings(max_examples=300, deadline=None)
@given(st.text(ALPHABET, max_size=300))
def test_any_text_after_a_header(text: str) -> None:
    data = ("id,score,kind,size,note\n" + text).encode()
    for packed in (data, gzipped(data), zipped({"a": data})):
        check(read(packed, ONE, SMALL))


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=40), st.sampled_from(["utf-8", "utf-16", "utf-32", "cp1252"]))
def test_any_pieces_of_a_file(pieces: list[str], encoding: str) -> None:
    check(read("".join(pieces).encode(encoding, "replace"), ONE, SMALL))


@settings(max_examples=150, deadline=None)
@given(st.permutations(range(4)), st.lists(st.floats(0, 1), min_size=4, max_size=4), st.text(max_size=20))
def test_order_of_rows_never_matters(order: list[int], scores: list[float], note: str) -> None:
    note = note.replace("\0", "").encode("utf-8", "ignore").decode()
    rows = [[case, repr(score), "LY", "1", note] for case, score in zip("abcd", scores, strict=True)]
    tables = [read(_written(["id", "score", "kind", "size", "note"], rows), ONE)]
    tables.append(read(_written(["id", "score", "kind", "size", "note"], [rows[i] for i in order]), ONE))
    first, again = (result.entry.tables["scores"] for result in tables if result.entry is not None)
    assert first.columns["score"].tolist() == scores
    for name, values in first.columns.items():
        assert values.dtype == again.columns[name].dtype
        assert values.tobytes() == again.columns[name].tobytes()


CELL = st.tuples(st.sampled_from("abcd"), st.sampled_from(["1", "1.0", "2", "-0"]), st.sampled_from(["LY", "MO"]))


@settings(max_examples=150, deadline=None)
@given(st.lists(CELL, min_size=1, max_size=12).flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_order_of_many_rows_never_matters(both: tuple[list[tuple[str, ...]], list[tuple[str, ...]]]) -> None:
    tables = [read(_written(["image", "x", "kind"], rows), MANY).entry for rows in both]
    assert tables[0] is not None
    assert tables[1] is not None
    first, again = (entry.tables["boxes"] for entry in tables if entry is not None)
    assert first.case.tobytes() == again.case.tobytes()
    assert first.missing.tobytes() == again.missing.tobytes()
    for name, values in first.columns.items():
        assert values.tobytes() == again.columns[name].tobytes()


def _written(header: list[str], rows: list[list[str]] | list[tuple[str, ...]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([header, *rows])
    return buffer.getvalue()


@settings(max_examples=600, deadline=None)
@given(st.text(string.digits + ".eE+- \t,_nxi\uff11", max_size=12))
def test_a_cell_is_a_number_exactly_where_the_grammar_says_so(cell: str) -> None:
    log = IssueLog()
    faults = Faults(log, table="t", column="x")
    values = read_column(ColumnSpec("x", "number"), [cell], [2], faults, text_bytes=100)
    number = GRAMMAR.fullmatch(cell) is not None and math.isfinite(float(cell))
    assert (values is not None) == number
    assert log.refused == (not number)
    if values is not None:
        assert values.tolist() == [float(cell)]


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=120))
def test_shown_values_are_short_and_visible(text: str) -> None:
    assert len(shown(text)) <= 80
    assert shown(text).isprintable()
    if text.isprintable() and len(text) <= 80:
        assert shown(text) == text
