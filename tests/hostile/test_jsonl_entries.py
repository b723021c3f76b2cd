"""Every hostile or clumsy file of JSON lines gets a clear coded problem: never a crash, never a score. In process."""

import codecs
import json
import tracemalloc
from dataclasses import replace

import pytest

from scoring.cases import CaseIndex
from scoring.messages import explain
from scoring.read import Limits
from scoring.readers.limits import Limits as ReaderLimits
from scoring.spec import TableSpec
from tests.scoring.entries import KIND, NOTE, SCORE, SIZE, boxes, gzipped, index_of, one, read, told, zipped


def lined(spec: TableSpec) -> TableSpec:
    return replace(spec, format="jsonl")


PLAIN, LABELS, SIZES, NOTES = (index_of(lined(one(column))) for column in (SCORE, KIND, SIZE, NOTE))
PADDED = index_of(lined(one()), ids=("007", "123", "b", "c"))
IMAGES = index_of(lined(one()), ids=("img_01.jpg", "b", "c", "d"))
KEYED = index_of(lined(boxes()), ids=("a", "b"), rows={"boxes": {("1",): 0, ("2",): 1}})

GOOD = '{"id": "a", "score": 0.1}\n{"id": "b", "score": 0.2}\n{"id": "c", "score": 0.3}\n{"id": "d", "score": 0.4}\n'
KINDS = GOOD.replace("score", "kind")
for _number, _label in (("0.1", '"LY"'), ("0.2", '"MO"'), ("0.3", '"EO"'), ("0.4", '"LY"')):
    KINDS = KINDS.replace(_number, _label)
WHOLE = GOOD.replace("score", "size").replace("0.", "")
TEXTS = KINDS.replace("kind", "note")

Told = list[tuple[str, int | None, str | None, str | None]]


def second(cell: str, good: str = GOOD, old: str = "0.2") -> str:
    """The good file with another cell on its second line."""
    return good.replace(old, cell)


CASES: dict[str, tuple[CaseIndex, bytes | str, Told]] = {
    # ids
    "missing id": (PLAIN, GOOD.replace('{"id": "c", "score": 0.3}\n', ""), [("E-ID-MISSING", None, "id", "c")]),
    "duplicate id": (PLAIN, GOOD + '{"id": "b", "score": 0}', [("E-ID-DUP", 5, "id", "b")]),
    "unknown id": (PLAIN, GOOD + '{"id": "zz", "score": 0}', [("E-ID-UNKNOWN", 5, "id", "zz")]),
    "empty id": (PLAIN, GOOD + '{"id": "", "score": 0}', [("E-CELL-EMPTY", 5, "id", "")]),
    "null id": (PLAIN, GOOD + '{"id": null, "score": 0}', [("E-CELL-EMPTY", 5, "id", "")]),
    "zeros lost in numbers": (PADDED, GOOD.replace('"a"', "7").replace('"d"', "123.0"),
                              [("E-ID-ZEROS", 1, "id", "7"), ("E-ID-ZEROS", 4, "id", "123.0")]),
    "ending of an id": (IMAGES, GOOD.replace('"a"', '"IMG_01"'), [("E-ID-FORM", 1, "id", "IMG_01")]),
    "zero-width character in an id": (PLAIN, GOOD.replace('"a"', '"a\\u200b"'), [("E-ID-FORM", 1, "id", "a\\u200b")]),
    "truth value as id": (PLAIN, GOOD.replace('"a"', "true"),
                          [("E-CELL-BOOL", 1, "id", "true"), ("E-ID-MISSING", None, "id", "a")]),
    "list as id": (PLAIN, GOOD.replace('"a"', '["a"]'),
                   [("E-CELL-NESTED", 1, "id", "[…]"), ("E-ID-MISSING", None, "id", "a")]),
    "key of another case": (KEYED, '{"box": 1, "image": "b", "x": 0, "kind": "LY"}\n'
                                   '{"box": "2", "image": "b", "x": 0, "kind": "LY"}\n',
                            [("E-KEY-CASE", 1, "image", "b")]),
    # numbers
    "NaN": (PLAIN, second("NaN"), [("E-NAN", 2, "score", "NaN")]),
    "Infinity": (PLAIN, second("-Infinity"), [("E-INF", 2, "score", "-Infinity")]),
    "1e999": (PLAIN, second("1e999"), [("E-INF", 2, "score", "1e999")]),
    "number as text": (PLAIN, second('"0.2"'), [("E-CELL-TEXT", 2, "score", '"0.2"')]),
    "NaN as text": (PLAIN, second('"nan"'), [("E-CELL-TEXT", 2, "score", '"nan"')]),
    "all numbers as texts": (PLAIN, GOOD.replace("0.", '"0.').replace("}", '"}'),
                             [("E-CELL-TEXT", 1, "score", '"0.1"')]),
    "truth value": (PLAIN, second("true"), [("E-CELL-BOOL", 2, "score", "true")]),
    "null": (PLAIN, second("null"), [("E-CELL-EMPTY", 2, "score", "")]),
    "list": (PLAIN, second("[0.2]"), [("E-CELL-NESTED", 2, "score", "[…]")]),
    "object": (PLAIN, second('{"score": 0.2, "score": 1}'), [("E-CELL-NESTED", 2, "score", "{…}")]),
    "out of range": (PLAIN, second("-0.2"), [("E-RANGE", 2, "score", "-0.2")]),
    "percent": (PLAIN, GOOD.replace("0.", "1"), [("E-PERCENT", 1, "score", "11")]),
    "part of a whole": (SIZES, WHOLE.replace("2}", "2.5}"), [("E-INTEGER", 2, "size", "2.5")]),
    "endless whole number": (SIZES, WHOLE.replace("2}", "9" * 5_000 + "}"), [("E-INF", 2, "size", "9" * 79 + "…")]),
    "whole number beyond floats": (SIZES, WHOLE.replace("2}", "9" * 30 + "}"), [("E-RANGE", 2, "size", "9" * 30)]),
    "full-width digits": (PLAIN, second("０.２"), [("E-JSON", 2, None, '{"id": "b", "score": ０.２}'),
                                                 ]),
    "1_0": (PLAIN, second("1_0"), [("E-JSON", 2, None, '{"id": "b", "score": 1_0}')]),
    "leading plus": (PLAIN, second("+0.2"), [("E-JSON", 2, None, '{"id": "b", "score": +0.2}')]),
    # labels and texts
    "unknown label": (LABELS, second('"XX"', KINDS, '"MO"'), [("E-LABEL", 2, "kind", "XX")]),
    "label in small letters": (LABELS, second('"mo"', KINDS, '"MO"'), [("E-LABEL-FORM", 2, "kind", "mo")]),
    "class index": (LABELS, second("1", KINDS, '"MO"'), [("E-LABEL-INDEX", 2, "kind", "1")]),
    "no label": (LABELS, second("null", KINDS, '"MO"'), [("E-CELL-EMPTY", 2, "kind", "")]),
    "truth value as label": (LABELS, second("true", KINDS, '"MO"'), [("E-CELL-BOOL", 2, "kind", "true")]),
    "lone surrogate": (NOTES, second('"x\\ud800y"', TEXTS, '"MO"'), [("E-SURROGATE", 2, "note", "x\\ud800y")]),
    "NUL in a text": (NOTES, second('"x\\u0000"', TEXTS, '"MO"'), [("E-NUL", 2, "note", "x\\x00")]),
    "list as text": (NOTES, second("[]", TEXTS, '"MO"'), [("E-CELL-NESTED", 2, "note", "[…]")]),
    "pair of surrogates": (NOTES, second('"\\ud83d\\ude00"', TEXTS, '"MO"'), []),
    # keys
    "key missing everywhere": (PLAIN, GOOD.replace("score", "prob"),
                               [("E-COL-MISSING", 1, "score", None), ("W-COL-EXTRA", 1, "prob", None)]),
    "key missing once": (PLAIN, second("0.2", GOOD.replace('{"id": "b", "score"', '{"id": "b", "prob"')),
                         [("E-KEY-MISSING", 2, "score", ""), ("W-COL-EXTRA", 2, "prob", None)]),
    "id missing once": (PLAIN, GOOD.replace('{"id": "b", ', "{"),
                        [("E-KEY-MISSING", 2, "id", ""), ("E-ID-MISSING", None, "id", "b")]),
    "id missing everywhere": (PLAIN, second("nan", GOOD.replace('"id"', '"case"'), "9") + "\n",
                              [("E-COL-MISSING", 1, "id", None), ("W-COL-EXTRA", 1, "case", None)]),
    "extra keys": (PLAIN, GOOD.replace('"score"', '"note": [[]], "score"'), [("W-COL-EXTRA", 1, "note", None)]),
    "empty key": (PLAIN, GOOD.replace('"score"', '"": 1, "score"'), [("W-COL-UNNAMED", 1, None, None)]),
    "key in capitals": (PLAIN, GOOD.replace("score", "Score"), [("E-COL-HEADER", 1, "score", "Score")]),
    "key in capitals once": (PLAIN, GOOD.replace('"b", "score', '"b", "Score'),
                             [("E-COL-HEADER", 2, "score", "Score")]),
    "key with a space": (PLAIN, GOOD.replace("score", "score "), [("E-COL-HEADER", 1, "score", "score ")]),
    "twin of a key": (PLAIN, GOOD.replace('"score"', '"Score": 1, "score"'), [("W-COL-EXTRA", 1, "Score", None)]),
    "key twice": (PLAIN, second('0.2, "score": 0.9'), [("E-JSON-DUP", 2, "score", None)]),
    "id twice": (PLAIN, GOOD.replace('{"id": "b"', '{"id": "b", "id": "c"'), [("E-JSON-DUP", 2, "id", None)]),
    "key twice by an escape": (PLAIN, second('0.2, "scor\\u0065": 0.9'), [("E-JSON-DUP", 2, "score", None)]),
    "too many keys": (PLAIN, json.dumps({str(i): i for i in range(3_000)}), [("E-COL-COUNT", 1, None, None)]),
    # lines
    "empty file": (PLAIN, b"", [("E-EMPTY", None, None, None)]),
    "only line ends": (PLAIN, b"\r\n\n \t\n", [("E-EMPTY", None, None, None)]),
    "blank lines": (PLAIN, "\n" + GOOD.replace("\n", "\r\n \n"), []),
    "no line end at the end": (PLAIN, GOOD[:-1], []),
    "not JSON": (PLAIN, GOOD + "oops", [("E-JSON", 5, None, "oops")]),
    "truncated last line": (PLAIN, GOOD[:-10], [("E-JSON", 4, None, '{"id": "d", "sco')]),
    "Python instead of JSON": (PLAIN, GOOD.replace('"', "'"), [("E-JSON", 1, None, "{'id': 'a', 'score': 0.1}")]),
    "two objects on a line": (PLAIN, GOOD.replace("}\n", "} ", 1),
                              [("E-JSON", 1, None, '{"id": "a", "score": 0.1} {"id": "b", "score": 0.2}')]),
    "comma at the end": (PLAIN, GOOD.replace("}\n", "},\n", 1), [("E-JSON", 1, None, '{"id": "a", "score": 0.1},')]),
    "a number for a row": (PLAIN, GOOD + "7", [("E-JSON-OBJECT", 5, None, "7")]),
    "a list for a row": (PLAIN, GOOD + '["e", 1]', [("E-JSON-OBJECT", 5, None, '["e", 1]')]),
    "an empty object": (PLAIN, GOOD + "{}",
                        [("E-KEY-MISSING", 5, "id", "")]),
    "JSON array": (PLAIN, "[" + GOOD.replace("}\n", "},\n") + "]", [("E-JSON-WHOLE", 1, None, None)]),
    "JSON over many lines": (PLAIN, json.dumps({"id": ["a"], "score": [1]}, indent=1),
                             [("E-JSON-WHOLE", 1, None, None)]),
    "CSV": (PLAIN, "id,score\na,0.1\n", [("E-FORMAT", None, None, None)]),
    "CSV with semicolons": (PLAIN, '"id";"score"\na;0.1\n', [("E-FORMAT", None, None, None)]),
    "Parquet": (PLAIN, b"PAR1" + bytes(50), [("E-FORMAT", None, None, None)]),
    "depth": (PLAIN, GOOD + '{"id":' * 100_000, [("E-JSON-DEPTH", 5, None, '{"id":' * 13 + "{…")]),
    "depth of lists": (PLAIN, GOOD + '{"id":' + "[" * 100_000,
                       [("E-JSON-DEPTH", 5, None, '{"id":' + "[" * 73 + "…")]),
    "giant line": (PLAIN, GOOD + '{"id": "' + "x" * 2_000_000, [("E-FIELD-SIZE", 5, None, None)]),
    "too many rows": (PLAIN, GOOD + '{"id": "a", "score": 1}\n' * 1_500,
                      [("E-ID-DUP", line, "id", "a") for line in range(5, 54)] + [("E-ROWS", 1_009, None, None)]),
    # encodings
    "byte-order mark": (PLAIN, codecs.BOM_UTF8 + GOOD.encode(), [("W-BOM", 1, None, None)]),
    "UTF-16": (PLAIN, GOOD.encode("utf-16"), [("E-ENCODING", None, None, None)]),
    "Latin-1": (NOTES, second('"é"', TEXTS, '"MO"').encode("latin-1"),
                [("E-UTF8", 2, None, '"id": "b", "note": "\\xe9"}')]),
    "NUL byte": (PLAIN, GOOD.replace("0.2", "0.\0" "2"), [("E-NUL", 2, None, '{"id": "b", "score": 0.\\x002}')]),
    # archives
    "gzip": (PLAIN, gzipped(GOOD.encode()), []),
    "zip of one": (PLAIN, zipped({"p.jsonl": GOOD.encode()}), []),
    "gz in gz": (PLAIN, gzipped(gzipped(GOOD.encode())), [("E-ARCHIVE-NESTED", None, None, None)]),
    "gzip cut off": (PLAIN, gzipped(GOOD.encode())[:-12], [("E-ARCHIVE-DAMAGED", None, None, None)]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_hostile_file(name: str) -> None:
    index, data, expected = CASES[name]
    result = read(data, index)
    assert told(result) == expected
    assert (result.entry is None) == any(code.startswith("E-") for code, *_ in expected)
    for issue in result.issues.to_json()["issues"]:
        words = explain(issue)
        assert words.text.endswith(".")
        assert "?" not in words.text + words.fix
        assert "None" not in words.text + words.fix


def test_sentences_say_what_the_file_is_instead() -> None:
    (csv,) = read("id,score\na,1\n", PLAIN).issues.errors
    assert explain(csv.to_json()).text == "This is a file of another format (CSV), not JSON lines."
    (other,) = read(GOOD, index_of()).issues.errors
    assert explain(other.to_json()).text == "This is a file of another format (JSON), not CSV."


def test_all_problems_at_once() -> None:
    data = (
        '{"ID": "a", "score": "0.1", "more": 1}\n'
        '{"ID": "b", "score": NaN}\n{"ID": "zz", "score": -2}\n{"ID": "b", "score": 0.5}\n{"ID": "c"}\n[1]\n'
    )
    assert read(codecs.BOM_UTF8 + data.encode(), PLAIN).issues.total == {
        "W-BOM": 1, "E-COL-HEADER": 1, "W-COL-EXTRA": 1, "E-CELL-TEXT": 1, "E-NAN": 1, "E-RANGE": 1,
        "E-ID-UNKNOWN": 1, "E-ID-DUP": 1, "E-KEY-MISSING": 1, "E-JSON-OBJECT": 1,
    }  # fmt: skip


def test_any_order_of_lines_and_keys() -> None:
    turned = "".join(
        json.dumps(dict(reversed(json.loads(line).items()))) + "\n" for line in reversed(GOOD.splitlines())
    )
    first, again = (read(data, PLAIN).entry for data in (GOOD, turned))
    assert first is not None
    assert again is not None
    assert first.tables["scores"].columns["score"].tobytes() == again.tables["scores"].columns["score"].tobytes()


def test_a_thousand_shapes_of_objects_cost_no_memory() -> None:
    data = "".join(
        f'{{"id": "x{i}", "score": 0.5, "k{i}": {i}}}\n' for i in range(4_000)
    ).encode()  # fmt: skip
    index = index_of(lined(one()), ids=[f"x{i}" for i in range(4_000)])
    tracemalloc.start()
    result = read(data, index, Limits(columns=100_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.entry is not None
    assert result.issues.total == {"W-COL-EXTRA": 4_000}
    assert peak < 10_000_000
    assert read(data, index, ReaderLimits(columns=50)).issues.total["E-COL-COUNT"] == 1
