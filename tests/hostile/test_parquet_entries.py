"""Every hostile or clumsy Parquet file gets a clear coded problem: never a score. In process, and bombs in a child."""

import decimal
import os
import random
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scoring.messages import explain
from scoring.read import Limits
from scoring.spec import TableSpec
from tests.scoring.entries import KIND, NOTE, SCORE, SIZE, boxes, gzipped, index_of, one, read, told, zipped
from tests.scoring.parquets import parquet, pyarrow

ROOT = Path(__file__).parents[2]


def of_parquet(spec: TableSpec) -> TableSpec:
    return replace(spec, format="parquet")


ALL = index_of(of_parquet(one(SCORE, KIND, SIZE, NOTE)))
PADDED = index_of(of_parquet(one()), ids=("007", "12", "b", "c"))
KEYED = index_of(of_parquet(boxes()), ids=("a", "b"), rows={"boxes": {("1",): 0, ("2",): 1}})
GOOD: dict[str, Any] = {
    "id": ["a", "b", "c", "d"], "score": [0.1, 0.2, 0.3, 0.4], "kind": ["LY"] * 4, "size": [1, 2, 3, 4],
    "note": [""] * 4,
}  # fmt: skip
RAW = parquet(GOOD)


def coded(values: list[str | None]) -> Any:
    return pyarrow.array(values).dictionary_encode()


def typed(values: list[Any], form: Any) -> Any:
    return pyarrow.array(values, form)


Told = list[tuple[str, int | None, str | None, str | None]]

WRONG: dict[str, tuple[dict[str, Any], Told]] = {
    "missing id": ({"id": ["a", "b", "d", "d"]}, [("E-ID-DUP", 4, "id", "d"), ("E-ID-MISSING", None, "id", "c")]),
    "null id": ({"id": ["a", "b", "c", None]}, [("E-CELL-EMPTY", 4, "id", ""), ("E-ID-MISSING", None, "id", "d")]),
    "ids as numbers": ({"id": [1, 2, 3, 4]}, [("E-ID-UNKNOWN", i, "id", str(i)) for i in range(1, 5)]
                       + [("E-ID-MISSING", None, "id", case) for case in "abcd"]),
    "NaN": ({"score": [0.1, float("nan"), 0.3, 0.4]}, [("E-NAN", 2, "score", "nan")]),
    "infinity": ({"score": [0.1, 0.2, -float("inf"), 0.4]}, [("E-INF", 3, "score", "-inf")]),
    "null": ({"score": [0.1, None, 0.3, 0.4]}, [("E-CELL-EMPTY", 2, "score", "")]),
    "nulls only": ({"score": typed([None] * 4, pyarrow.null())}, [("E-CELL-EMPTY", 1, "score", "")]),
    "out of range": ({"score": [0.1, 0.2, 1.5, 0.4]}, [("E-RANGE", 3, "score", "1.5")]),
    "percent": ({"score": [10.0, 20.0, 30.0, 40.0]}, [("E-PERCENT", 1, "score", "10.0")]),
    "texts for numbers": ({"score": ["0.1", "0.2", "0.3", "x"]}, [("E-CELL-TEXT", 1, "score", '"0.1"')]),
    "truth values": ({"score": [True, False, True, True]}, [("E-CELL-BOOL", 1, "score", "true")]),
    "truth values for labels": ({"kind": [True] * 4}, [("E-CELL-BOOL", 1, "kind", "true")]),
    "class numbers": ({"kind": [0, 1, 2, 0]}, [("E-LABEL-INDEX", 1, "kind", "0")]),
    "unknown category": ({"kind": coded(["LY", "XX", "MO", "EO"])}, [("E-LABEL", 2, "kind", "XX")]),
    "empty category": ({"kind": coded(["LY", None, "MO", "EO"])}, [("E-CELL-EMPTY", 2, "kind", "")]),
    "parts of a whole": ({"size": [1.0, 2.5, 3.0, 4.0]}, [("E-INTEGER", 2, "size", "2.5")]),
    "huge whole number": ({"size": typed([1, 2**63, 3, 4], pyarrow.uint64())}, [("E-RANGE", 2, "size", str(2**63))]),
    "huge whole number with sign": ({"size": [1, -(2**62), 3, 4]}, [("E-RANGE", 2, "size", str(-(2**62)))]),
    "NUL in a text": ({"note": ["", "x\0", "", ""]}, [("E-NUL", 2, "note", "x\\x00")]),
    "lists": ({"score": [[0.1], [0.2], [0.3], [0.4]]}, [("E-COL-TYPE", None, "score", None)]),
    "objects": ({"score": [{"p": 0.1}] * 4}, [("E-COL-TYPE", None, "score", None)]),
    "maps": ({"note": typed([[("a", 1)]] * 4, pyarrow.map_(pyarrow.string(), pyarrow.int8()))},
             [("E-COL-TYPE", None, "note", None)]),
    "lists as ids": ({"id": [["a"], ["b"], ["c"], ["d"]]}, [("E-COL-TYPE", None, "id", None)]),
    "bytes": ({"note": [b"x"] * 4}, [("E-COL-TYPE", None, "note", None)]),
    "dates": ({"score": typed([1, 2, 3, 4], pyarrow.timestamp("us"))}, [("E-COL-TYPE", None, "score", None)]),
    "name in capitals": ({"Score": GOOD["score"], "score": None}, [("E-COL-HEADER", None, "score", "Score")]),
    "missing column": ({"score": None}, [("E-COL-MISSING", None, "score", None)]),
    "index of pandas": ({"__index_level_0__": [0, 1, 2, 3]}, [("W-COL-EXTRA", None, "__index_level_0__", None)]),
    "nested extra": ({"score.x": [[[1]]] * 4}, [("W-COL-EXTRA", None, "score.x", None)]),
    "no rows": ({name: [] for name in GOOD}, [("E-EMPTY-ROWS", None, None, None)]),
    # what is right
    "categories": ({"id": coded(["a", "b", "c", "d"]), "kind": coded(["LY", "MO", "LY", "EO"])}, []),
    "small types": ({"score": typed([0, 1, 0, 1], pyarrow.int8()), "size": typed([1, 2, 3, 4], pyarrow.uint16())}, []),
    "halves and singles": ({"score": typed([0.5, 0.25, 0, 1], pyarrow.float32())}, []),
    "decimals": ({"score": [decimal.Decimal("0.5")] * 4}, []),
    "large strings": ({"note": typed(["é", "", "x", "y"], pyarrow.large_string())}, []),
    "null texts": ({"note": ["x", None, "y", None]}, []),
    "whole numbers as floats": ({"size": [1.0, 2.0, 3.0, 4.0]}, []),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_hostile_columns(name: str) -> None:
    changed, expected = WRONG[name]
    columns = {column: values for column, values in {**GOOD, **changed}.items() if values is not None}
    result = read(parquet(columns), ALL)
    assert told(result) == expected
    assert (result.entry is None) == any(code.startswith("E-") for code, *_ in expected)
    for issue in result.issues.to_json()["issues"]:
        words = explain(issue)
        assert "?" not in words.text + words.fix
        assert "None" not in words.text + words.fix


def with_footer(length: int) -> bytes:
    return RAW[:-8] + struct.pack("<I", length) + b"PAR1"


BYTES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "E-EMPTY"),
    "CSV": (b"id,score\na,1\n", "E-FORMAT"),
    "JSON lines": (b'{"id": "a"}\n', "E-FORMAT"),
    "magic alone": (b"PAR1", "E-PARQUET-DAMAGED"),
    "magic twice": (b"PAR1PAR1", "E-PARQUET-DAMAGED"),
    "no footer": (b"PAR1" + bytes(100) + b"PAR1", "E-PARQUET-DAMAGED"),
    "cut off": (RAW[:-20], "E-PARQUET-DAMAGED"),
    "first half": (RAW[: len(RAW) // 2], "E-PARQUET-DAMAGED"),
    "footer longer than the file": (with_footer(2**31), "E-PARQUET-DAMAGED"),
    "footer of everything": (with_footer(len(RAW) - 12), "E-PARQUET-DAMAGED"),
    "footer of zeros": (b"PAR1" + bytes(1000) + struct.pack("<I", 500) + b"PAR1", "E-PARQUET-DAMAGED"),
    # a list (type 9) that says it has 2^31 elements: compact thrift, field 2 of the footer
    "thrift bomb": (b"PAR1" + b"\x15\x02\x19\xfc\xff\xff\xff\xff\x07" + bytes(20) + struct.pack("<I", 29) + b"PAR1",
                    "E-PARQUET-DAMAGED"),
    "thrift text of two gigabytes": (b"PAR1\x15\x02\x19\x1c\x48\xff\xff\xff\xff\x07" + bytes(20)
                                     + struct.pack("<I", 30) + b"PAR1", "E-PARQUET-DAMAGED"),
    "thrift depth": (b"PAR1" + b"\x1c" * 100_000 + struct.pack("<I", 100_000) + b"PAR1", "E-PARQUET-DAMAGED"),
    "encrypted footer": (b"PARE" + RAW[4:-4] + b"PARE", "E-PARQUET-ENCRYPTED"),
    "gz in gz": (gzipped(gzipped(RAW)), "E-ARCHIVE-NESTED"),
    "zip of two": (zipped({"a": RAW, "b": RAW}), "E-ARCHIVE"),
    "large by its footer": (parquet({**GOOD, "note": ["x" * 300_000] * 4}, use_dictionary=False), "E-SIZE"),
    "large dictionary": (parquet({**GOOD, "note": ["x" * 300_000] * 4}), "E-SIZE"),
}  # fmt: skip


@pytest.mark.parametrize("name", BYTES)
def test_hostile_bytes(name: str) -> None:
    raw, code = BYTES[name]
    result = read(raw, ALL, Limits(expanded_bytes=1_000_000))
    assert result.entry is None
    assert list(result.issues.total) == [code]


def test_packed_files_are_read() -> None:
    for raw in (RAW, gzipped(RAW), zipped({"p.parquet": RAW})):
        assert told(read(raw, ALL)) == []


def test_column_twice() -> None:
    table = pyarrow.table([*GOOD.values(), GOOD["score"]], names=[*GOOD, "score"])
    assert told(read(parquet(table), ALL)) == [("E-COL-DUP", None, "score", None)]


def test_ids_as_numbers_are_their_text() -> None:
    ids = index_of(of_parquet(one(SCORE, KIND, SIZE, NOTE)), ids=("1", "2", "3", "4"))
    assert told(read(parquet({**GOOD, "id": [4, 3, 2, 1]}), ids)) == []
    padded = read(parquet({"id": [7, 12, None, None], "score": [0.5] * 4}), PADDED)
    assert told(padded)[0] == ("E-ID-ZEROS", 1, "id", "7")
    keyed = {"box": [1, 2], "image": ["b", "b"], "x": [0.0, 1.0], "kind": ["LY", "MO"]}
    assert told(read(parquet(keyed), KEYED)) == [("E-KEY-CASE", 1, "image", "b")]


def test_text_that_is_not_utf8() -> None:
    bad = pyarrow.array([b"a", b"\xff\xfe", b"c", b"d"]).view(pyarrow.string())
    assert told(read(parquet({**GOOD, "note": bad}), ALL)) == [("E-UTF8", 2, "note", "\\xff\\xfe")]


def test_more_rows_than_expected_are_not_read() -> None:
    rows = 3_000_000
    raw = parquet({"id": coded(["a"] * 1).take(np.zeros(rows, int)), "score": np.zeros(rows)})
    assert len(raw) < 100_000
    result = read(raw, index_of(of_parquet(one())))
    assert result.issues.total["E-ROWS"] == 1
    assert result.counts["rows"] == 1_008


def test_damage_anywhere_is_no_crash_and_no_nan() -> None:
    chance = random.Random(3)
    for packed in (RAW, parquet(GOOD, compression="none", use_dictionary=False), parquet(GOOD, compression="zstd")):
        for _ in range(150):
            raw = bytearray(packed)
            for _ in range(chance.randint(1, 4)):
                raw[chance.randrange(len(raw))] = chance.randrange(256)
            result = read(bytes(raw), ALL, Limits(expanded_bytes=10_000_000))
            assert result.issues.refused == (result.entry is None)
            if result.entry is not None:
                assert np.isfinite(result.entry.tables["scores"].columns["score"]).all()


def test_a_machine_without_pyarrow_says_so_and_blames_no_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ImportError, match=r"needs pyarrow\. Install it: pip install 'arbitre\[parquet\]'"):
        read(RAW, ALL)


def test_metadata_of_a_column_that_end_the_process() -> None:
    """Found by the fuzzer: an exception that pyarrow 26.0.1 does not hand over."""
    result = read((ROOT / "tests/hostile/histogram.parquet").read_bytes(), ALL)
    assert "E-PARQUET-DAMAGED" in result.issues.total


BOMB = """
import io, resource, sys
sys.path.insert(0, {root!r})
import numpy, pyarrow, pyarrow.compute, pyarrow.parquet
from tests.hostile.test_parquet_entries import ALL
from scoring.read import read_entry
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
try:
    result = read_entry({{"scores": io.BytesIO(sys.stdin.buffer.read())}}, index=ALL)
    print(sorted(result.issues.total))
except MemoryError:
    print("MemoryError")
"""


def in_two_gigabytes(raw: bytes) -> str:
    """What comes of reading this with the address space that a phase gives by default."""
    program = [sys.executable, "-c", BOMB.format(root=str(ROOT))]
    alone = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(program, input=raw, capture_output=True, timeout=120, check=False, env=alone)
    assert done.returncode == 0, done.stderr[-500:]
    return done.stdout.decode().strip()


def test_bombs_stay_in_their_memory() -> None:
    long = {**GOOD, "note": pyarrow.array(["x" * 1_000_000]).dictionary_encode().take(np.zeros(4, int))}
    rows = 2_000_000
    zeros = np.zeros(rows, int)
    many = {name: pyarrow.array(values[:1]).dictionary_encode().take(zeros) for name, values in GOOD.items()}
    many["note"] = pyarrow.array(["x" * 100_000]).dictionary_encode().take(zeros)
    assert in_two_gigabytes(parquet(long)) == "[]"
    assert in_two_gigabytes(parquet(many, write_batch_size=1 << 16)) == ("['E-FIELD-SIZE', 'E-ID-DUP', 'E-ROWS']")
