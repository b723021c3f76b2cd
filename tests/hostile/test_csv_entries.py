"""Every hostile or clumsy CSV file gets a clear coded problem: never a crash, never a score. In process."""

import codecs
import unicodedata

import pytest

from scoring.issues import IssueLog
from scoring.messages import MESSAGES, explain
from scoring.read import ReadResult
from tests.scoring.entries import GOOD, KIND, NOTE, SCORE, SIZE, boxes, gzipped, index_of, one, read, told, zipped

LABELS = index_of(one(KIND))
SIZES = index_of(one(SIZE))
PADDED = index_of(ids=("007", "123", "b", "c"))
IMAGES = index_of(ids=("img_01.jpg", "img_02.jpg", "b", "c"))
LONG = index_of(ids=("1234567890123456", "b", "c", "d"))
KEYED = index_of(boxes(), ids=("a", "b"), rows={"boxes": {("1",): 0, ("2",): 1}})

Told = list[tuple[str, int | None, str | None, str | None]]

CASES: dict[str, tuple[object, bytes | str, Told]] = {
    # ids: missing, twice, unknown
    "missing id": (None, "id,score\na,.1\nb,.2\nd,.4\n", [("E-ID-MISSING", None, "id", "c")]),
    "duplicate id": (None, GOOD + b"b,0.5\n", [("E-ID-DUP", 6, "id", "b")]),
    "unknown id": (None, GOOD + b"zz,0.5\n", [("E-ID-UNKNOWN", 6, "id", "zz")]),
    "empty id": (None, GOOD + b",0.5\n", [("E-CELL-EMPTY", 6, "id", "")]),
    "zeros lost": (PADDED, "id,score\n7,.1\n123.0,.1\nb,.1\nc,.1\n",
                   [("E-ID-ZEROS", 2, "id", "7"), ("E-ID-ZEROS", 3, "id", "123.0")]),
    "long id as a number": (LONG, 'id,score\n"1,2E+15",.1\nb,.1\nc,.1\nd,.1\n',
                            [("E-ID-SCIENTIFIC", 2, "id", "1,2E+15"),
                             ("E-ID-MISSING", None, "id", "1234567890123456")]),
    "case, spaces and ending of ids": (IMAGES, "id,score\nIMG_01.jpg,.1\nimg_02,.1\n b,.1\nc,.1\n",
                                       [("E-ID-FORM", 2, "id", "IMG_01.jpg"), ("E-ID-FORM", 3, "id", "img_02"),
                                        ("E-ID-FORM", 4, "id", " b")]),
    "zero-width character in an id": (None, GOOD.replace(b"a,", "a\u200b,".encode()),
                                      [("E-ID-FORM", 2, "id", "a\\u200b")]),
    "control character in an id": (None, GOOD.replace(b"a,", b"a\x07,"), [("E-ID-FORM", 2, "id", "a\\x07")]),
    "line break in an id": (None, GOOD.replace(b"a,", b'"a\n",') + b"e,1\n",
                            [("E-ID-FORM", 2, "id", "a\\n"), ("E-ID-UNKNOWN", 7, "id", "e")]),
    "key of another case": (KEYED, "box,image,x,kind\n1,b,0,LY\n2,b,0,LY\n", [("E-KEY-CASE", 2, "image", "b")]),
    "unknown key": (KEYED, "box,image,x,kind\n1,a,0,LY\n02,b,0,LY\n", [("E-ID-ZEROS", 3, "box", "02")]),
    # delimiters and decimals
    "semicolons": (None, GOOD.replace(b",", b";"), [("E-DELIM", 1, None, None)]),
    "tabs": (None, GOOD.replace(b",", b"\t"), [("E-DELIM", 1, None, None)]),
    "decimal comma in quotes": (None, GOOD.replace(b"0.2", b'"0,2"'), [("E-DECIMAL-COMMA", 3, "score", "0,2")]),
    "decimal comma without quotes": (None, GOOD.replace(b"0.2", b"0,2"), [("E-DECIMAL-COMMA", 3, "score", "0,2")]),
    "French Excel": (None, GOOD.replace(b",", b";").replace(b".", b","),
                     [("E-DELIM", 1, None, None), ("E-DECIMAL-COMMA", 2, "score", "0,1")]),
    "sep line": (None, b"sep=;\r\n" + GOOD.replace(b",", b";"),
                 [("E-SEP-LINE", 1, None, "sep=;"), ("E-DELIM", 2, None, None)]),
    "number in Excel's scientific form": (None, GOOD.replace(b"0.2", b'"1,2E+15"'),
                                          [("E-DECIMAL-COMMA", 3, "score", "1,2E+15")]),
    # encodings
    "byte-order mark": (None, codecs.BOM_UTF8 + GOOD, [("W-BOM", 1, None, None)]),
    "UTF-16 little": (None, codecs.BOM_UTF16_LE + GOOD.decode().encode("utf-16-le"),
                      [("E-ENCODING", None, None, None)]),
    "UTF-16 big": (None, codecs.BOM_UTF16_BE + GOOD.decode().encode("utf-16-be"), [("E-ENCODING", None, None, None)]),
    "UTF-16 without mark": (None, GOOD.decode().encode("utf-16-le"), [("E-ENCODING", None, None, None)]),
    "UTF-32": (None, GOOD.decode().encode("utf-32"), [("E-ENCODING", None, None, None)]),
    "Latin-1": (index_of(one(SCORE, NOTE)), "id,score,note\na,0,é\nb,0,\nc,0,x\nd,0,ü\n".encode("latin-1"),
                [("E-UTF8", 2, None, "a,0,\\xe9"), ("E-UTF8", 5, None, "d,0,\\xfc")]),
    "NUL bytes": (None, GOOD.replace(b"0.2", b"0\x00.2"), [("E-NUL", 3, None, "b,0\\x00.2")]),
    "CR-only line ends": (None, GOOD.replace(b"\n", b"\r"), []),
    "CRLF line ends": (None, GOOD.replace(b"\n", b"\r\n"), []),
    "no line end at the end": (None, GOOD[:-1], []),
    "blank lines": (None, GOOD.replace(b"\n", b"\n\n") + b"\n,\n,\n", []),
    # numbers
    "nan": (None, GOOD.replace(b"0.2", b"NaN"), [("E-NAN", 3, "score", "NaN")]),
    "NA": (None, GOOD.replace(b"0.2", b"NA"), [("E-NAN", 3, "score", "NA")]),
    "inf": (None, GOOD.replace(b"0.2", b"-inf"), [("E-INF", 3, "score", "-inf")]),
    "1e999": (None, GOOD.replace(b"0.2", b"1e999"), [("E-INF", 3, "score", "1e999")]),
    "1_0": (None, GOOD.replace(b"0.2", b"1_0"), [("E-NUMBER", 3, "score", "1_0")]),
    "full-width digits": (None, GOOD.replace(b"0.2", "０.２".encode()), [("E-NUMBER", 3, "score", "０.２")]),
    "hexadecimal": (None, GOOD.replace(b"0.2", b"0x1p-2"), [("E-NUMBER", 3, "score", "0x1p-2")]),
    "text": (None, GOOD.replace(b"0.2", b"=1+1"), [("E-NUMBER", 3, "score", "=1+1")]),
    "empty cell": (None, GOOD.replace(b"0.2", b""), [("E-CELL-EMPTY", 3, "score", "")]),
    "blank cell": (None, GOOD.replace(b"0.2", b"  "), [("E-CELL-EMPTY", 3, "score", "  ")]),
    "out of range": (None, GOOD.replace(b"0.2", b"-0.2"), [("E-RANGE", 3, "score", "-0.2")]),
    "one above 1": (None, GOOD.replace(b"0.2", b"1.2"), [("E-RANGE", 3, "score", "1.2")]),
    "percent": (None, GOOD.replace(b"0.", b"1"), [("E-PERCENT", 2, "score", "11")]),
    "percent sign": (None, GOOD.replace(b"0.2", b"93,5 %".join([b'"', b'"'])), [("E-PERCENT", 3, "score", "93,5 %")]),
    "part of a whole": (SIZES, "id,size\na,1\nb,1.5\nc,2.0\nd,3\n", [("E-INTEGER", 3, "size", "1.5")]),
    "huge whole number": (SIZES, f"id,size\na,1\nb,{10**18}\nc,2\nd,3\n", [("E-RANGE", 3, "size", str(10**18))]),
    "endless whole number": (SIZES, f"id,size\na,1\nb,{'9' * 400}\nc,2\nd,3\n", [("E-INF", 3, "size", "9" * 79 + "…")]),
    "below the lowest": (SIZES, "id,size\na,1\nb,-1\nc,2\nd,3\n", [("E-RANGE", 3, "size", "-1")]),
    # labels
    "unknown label": (LABELS, "id,kind\na,LY\nb,XX\nc,MO\nd,EO\n", [("E-LABEL", 3, "kind", "XX")]),
    "label in small letters": (LABELS, "id,kind\na,LY\nb,mo\nc,MO \nd,EO\n",
                               [("E-LABEL-FORM", 3, "kind", "mo"), ("E-LABEL-FORM", 4, "kind", "MO ")]),
    "class index": (LABELS, "id,kind\na,LY\nb,1\nc,2.0\nd,EO\n",
                    [("E-LABEL-INDEX", 3, "kind", "1"), ("E-LABEL-INDEX", 4, "kind", "2.0")]),
    "no label": (LABELS, "id,kind\na,LY\nb,\nc,MO\nd,EO\n", [("E-CELL-EMPTY", 3, "kind", "")]),
    # columns
    "missing column": (None, "id\na\nb\nc\nd\n", [("E-COL-MISSING", 1, "score", None)]),
    "wrong column": (None, GOOD.replace(b"score", b"prob"),
                     [("E-COL-MISSING", 1, "score", None), ("W-COL-EXTRA", 1, "prob", None)]),
    "no id column": (None, GOOD.replace(b"id,", b"case,"),
                     [("E-COL-MISSING", 1, "id", None), ("W-COL-EXTRA", 1, "case", None)]),
    "column twice": (None, "id,score,score\na,0,1\nb,0,1\nc,0,1\nd,0,1\n", [("E-COL-DUP", 1, "score", None)]),
    "header in capitals": (None, GOOD.replace(b"id,score", b"ID,Score"),
                           [("E-COL-HEADER", 1, "id", "ID"), ("E-COL-HEADER", 1, "score", "Score")]),
    "header with spaces": (None, GOOD.replace(b"id,", b"id, "), [("E-COL-HEADER", 1, "score", " score")]),
    "header with a hidden character": (None, GOOD.replace(b"id,", "\u200bid,".encode()),
                                       [("E-COL-HEADER", 1, "id", "\\u200bid")]),
    "no header": (None, GOOD.partition(b"\n")[2], [("E-HEADER", 1, None, "a, 0.1")]),
    "index column of pandas": (None, "Unnamed: 0,id,score\n0,a,.1\n1,b,.1\n2,c,.1\n3,d,.1\n",
                               [("W-COL-EXTRA", 1, "Unnamed: 0", None)]),
    "unnamed column": (None, ",id,score\n0,a,.1\n1,b,.1\n2,c,.1\n3,d,.1\n", [("W-COL-UNNAMED", 1, None, None)]),
    "too many columns": (None, ",".join(map(str, range(3000))) + "\n", [("E-COL-COUNT", 1, None, None)]),
    # rows
    "empty file": (None, b"", [("E-EMPTY", None, None, None)]),
    "only line ends": (None, b"\r\n\n \n", [("E-EMPTY", None, None, None)]),
    "header only": (None, b"id,score\n", [("E-EMPTY-ROWS", None, None, None)]),
    "short row": (None, GOOD.replace(b"b,0.2", b"b"), [("E-ROW-LENGTH", 3, None, "b")]),
    "long row": (None, GOOD.replace(b"b,0.2", b"b,0.2,x,"), [("E-ROW-LENGTH", 3, None, "b, 0.2, x, ")]),
    "unclosed quote": (None, GOOD.replace(b"b,0.2", b'b,"0.2'), [("E-QUOTE", 3, None, None)]),
    "unclosed quote, long file": (None, GOOD + b'd,"0.2\n' + b"x,0.1\n" * 50_000, [("E-QUOTE", 6, None, None)]),
    "quote closed too early": (None, GOOD.replace(b"b,0.2", b'b,"0"2'), [("E-QUOTE", 3, None, None)]),
    "giant cell": (None, GOOD.replace(b"0.2", b"2" * 200_000), [("E-FIELD-SIZE", 3, None, None)]),
    "giant line": (None, GOOD.replace(b"0.2", b"2" * 2_000_000), [("E-FIELD-SIZE", 3, None, None)]),
    "giant header": (None, b"x" * 2_000_000, [("E-FIELD-SIZE", 1, None, None)]),
    "giant record of many lines": (None, GOOD + b"d" + b',"1\n"' * 400_000, [("E-QUOTE", 6, None, None)]),
    "too many rows": (None, GOOD + b"zz,0.1\n" * 1_500,
                      [("E-ID-UNKNOWN", line, "id", "zz") for line in range(6, 55)] + [("E-ROWS", 1_010, None, None)]),
    # archives
    "zip of one": (None, zipped({"folder/p.csv": GOOD, "__MACOSX/._p.csv": b"x", "folder/.DS_Store": b"y"}), []),
    "gzip": (None, gzipped(GOOD), []),
    "gzip in members": (None, gzipped(GOOD[:20]) + gzipped(GOOD[20:]) + b"\0" * 700, []),
    "zip of two": (None, zipped({"a.csv": GOOD, "b.csv": GOOD}), [("E-ARCHIVE", None, None, None)]),
    "zip of none": (None, zipped({}), [("E-ARCHIVE", None, None, None)]),
    "zip in zip": (None, zipped({"a.zip": zipped({"a.csv": GOOD})}), [("E-ARCHIVE-NESTED", None, None, None)]),
    "gz in gz": (None, gzipped(gzipped(GOOD)), [("E-ARCHIVE-NESTED", None, None, None)]),
    "zip in gz": (None, gzipped(zipped({"a.csv": GOOD})), [("E-ARCHIVE-NESTED", None, None, None)]),
    "gzip cut off": (None, gzipped(GOOD)[:-12], [("E-ARCHIVE-DAMAGED", None, None, None)]),
    "gzip with a wrong checksum": (None, gzipped(GOOD)[:-8] + b"\0" * 8, [("E-ARCHIVE-DAMAGED", None, None, None)]),
    "gzip with litter behind": (None, gzipped(GOOD) + b"litter", [("E-ARCHIVE-DAMAGED", None, None, None)]),
    "zip cut off": (None, zipped({"a.csv": GOOD})[:-30], [("E-ARCHIVE-DAMAGED", None, None, None)]),
    "workbook": (None, zipped({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"}),
                 [("E-WORKBOOK", None, None, None)]),
    "Parquet": (None, b"PAR1" + bytes(50), [("E-FORMAT", None, None, None)]),
    "tar in gz": (None, gzipped(b"a.csv".ljust(257, b"\0") + b"ustar" + bytes(250)), [("E-FORMAT", None, None, None)]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_hostile_file(name: str) -> None:
    index, data, expected = CASES[name]
    result = read(data, index)  # type: ignore[arg-type]
    assert told(result) == expected
    assert (result.entry is None) == any(code.startswith("E-") for code, *_ in expected)
    _each_is_explained(result)


def _each_is_explained(result: ReadResult) -> None:
    """Every issue has a sentence and a fix in which each placeholder was filled."""
    for issue in result.issues.to_json()["issues"]:
        words = explain(issue)
        assert issue["code"] in MESSAGES
        assert words.text.endswith(".")
        assert words.fix
        assert "?" not in words.text + words.fix
        assert "None" not in words.text + words.fix


def test_ids_are_compared_after_nfc() -> None:
    composed, decomposed = "Amélie", unicodedata.normalize("NFD", "Amélie")
    assert composed != decomposed
    result = read(f"id,score\n{decomposed},0.5\nb,0.25\n", index_of(ids=(composed, "b")))
    assert result.entry is not None
    assert result.entry.tables["scores"].columns["score"].tolist() == [0.5, 0.25]


def test_labels_are_compared_after_nfc() -> None:
    spec = one(KIND.__class__("kind", "label", labels=("Sézary", "LY")))
    text = unicodedata.normalize("NFD", "id,kind\na,Sézary\nb,LY\n")
    result = read(text, index_of(spec, ids=("a", "b")))
    assert result.entry is not None
    assert result.entry.tables["scores"].columns["kind"].tolist() == [0, 1]


def test_all_problems_at_once() -> None:
    data = b"ID;score;extra\na;0,1;x\nb;nan;x\nzz;1;x\nb;0.2;x\nc\n"
    result = read(codecs.BOM_UTF8 + data)
    assert result.entry is None
    assert result.issues.total == {
        "W-BOM": 1,
        "E-DELIM": 1,
        "E-COL-HEADER": 1,
        "W-COL-EXTRA": 1,
        "E-ROW-LENGTH": 1,
        "E-DECIMAL-COMMA": 1,
        "E-NAN": 1,
        "E-ID-UNKNOWN": 1,
        "E-ID-DUP": 1,
        "E-ID-MISSING": 1,
    }
    assert result.counts == {"rows": 5, "missing": 1, "duplicates": 1, "extra_columns": 1}


def test_a_flood_of_one_problem_hides_no_other() -> None:
    ids = [f"c{i}" for i in range(3_000)]
    rows = [f"{case},{'x' if i < 2_000 else 0.5}" for i, case in enumerate(ids)]
    result = read("id,score\n" + "\n".join(rows[:-1]) + "\n", index_of(ids=ids))
    assert result.issues.total == {"E-NUMBER": 2_000, "E-ID-MISSING": 1}
    assert len(result.issues.errors) == 50
    assert [issue.code for issue in result.issues.errors].count("E-ID-MISSING") == 1
    assert [issue.line for issue in result.issues.errors[:49]] == list(range(2, 51))


def test_a_fault_of_the_whole_column_is_one_issue() -> None:
    ids = [f"c{i}" for i in range(3_000)]
    result = read("id,score\n" + "".join(f'{case},"0,{i}"\n' for i, case in enumerate(ids)), index_of(ids=ids))
    assert told(result) == [("E-DECIMAL-COMMA", 2, "score", "0,0")]
    assert result.issues.total == {"E-DECIMAL-COMMA": 3_000}
    words = explain(result.issues.errors[0].to_json())
    assert words.text == "“0,0” is written with a decimal comma. The same holds for 3000 lines of this column."


def test_nothing_but_the_code_names_the_cell() -> None:
    log = IssueLog()
    log.add("E-NUMBER", value="x" * 500 + "\x1b[31m", line=1)
    assert log.errors[0].value == "x" * 79 + "…"
    assert len(log.errors[0].value) == 80
