"""What a hostile sandbox might write as its answer, against the trusted reader."""

import io
import json
import struct
import zipfile
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from sandbox_runner.answers import AnswerRefused, parse

GOOD = {"outcome": "ok", "values": [{"metric": "m", "output": "o", "slice": "all", "n_cases": 3, "n_clusters": 3}]}


def answer(head: Any, *blobs: tuple[str, bytes]) -> bytes:
    """Bytes as the child sends them."""
    sizes = {"blobs": [{"role": role, "size": len(blob)} for role, blob in blobs]} if blobs else {}
    raw = head if isinstance(head, bytes) else json.dumps({**head, **sizes}).encode()
    return struct.pack(">I", len(raw)) + raw + b"".join(blob for _, blob in blobs)


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def refusal(raw: bytes) -> str:
    with pytest.raises(AnswerRefused) as refused:
        parse(raw)
    return str(refused.value)


def value(**more: Any) -> dict[str, Any]:
    return {"outcome": "ok", "values": [{**GOOD["values"][0], **more}]}  # type: ignore[dict-item]


def test_a_good_answer_with_outputs() -> None:
    vectors, table = npz(a=np.zeros(5), b=np.ones(5)), npz(label=np.array(["x", "yy"]), n=np.int64(3))
    head, blobs = parse(answer(value(value=0.5), ("replicates", vectors), ("case_table", table)))
    assert (head.outcome, head.values[0].value, blobs) == ("ok", 0.5, {"replicates": vectors, "case_table": table})


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (answer(value(value=None)), "these parts are not as agreed: values.0"),
        (answer(value(value=1.0, undefined="why")), "these parts are not as agreed: values.0"),
        (answer(b'{"outcome": "ok", "values": NaN}'), "its head is not JSON"),
        (answer(json.dumps(value(value=float("inf"))).encode()), "its head is not JSON"),
        (answer(b'{"outcome": "ok", "cpu_s": 1e999}'), "these parts are not as agreed: cpu_s"),
        (answer(b"[" * 100_000), "its head is not JSON"),
        (answer(b'{"outcome": "ok", "counts": {"rows": ' + b"9" * 5000 + b"}}"), "its head is not JSON"),
        (answer({"outcome": "ok", "counts": {"rows": -1}}), "these parts are not as agreed: counts.rows"),
        (answer({"outcome": "ok", "surprise": 1}), "these parts are not as agreed: surprise"),
        (answer({"outcome": "time"}), "these parts are not as agreed: outcome"),
        (answer({"outcome": "ok", "message": "x" * 501}), "these parts are not as agreed: message"),
        (answer({"outcome": "invalid", "issues": [{"code": "<script>", "level": "error"}]}),
         "these parts are not as agreed: issues.0.code"),
        (answer({"outcome": "invalid", "issues": [{"code": "E-X", "level": "error"}] * 51}),
         "these parts are not as agreed: issues"),
        (answer({"outcome": "ok"}, ("replicates", npz(a=np.zeros(2)))) + b"x",
         "its outputs do not have the announced sizes"),
        (answer({"outcome": "ok"}, ("reference", b"")), "these parts are not as agreed: blobs.0.role"),
        (answer({"outcome": "ok"}, ("replicates", npz(a=np.zeros(2))), ("replicates", npz(a=np.zeros(2)))),
         "it holds an output twice"),
    ],
)  # fmt: skip
def test_heads_that_are_not_as_agreed(raw: bytes, complaint: str) -> None:
    assert refusal(raw) == complaint


def deflated() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(50 << 20))
    return buffer.getvalue()


def claims(shape: tuple[int, ...], dtype: str) -> bytes:
    """An array whose header announces more than is there."""
    one, buffer = io.BytesIO(), io.BytesIO()
    header = {"shape": shape, "fortran_order": False, "descr": dtype}
    np.lib.format.write_array_header_1_0(one, header)
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.npy", one.getvalue() + bytes(16))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("blob", "complaint"),
    [
        (b"no zip", "an output is no npz file"),
        (npz(a=np.zeros(2))[:-30], "an output is no npz file"),
        (deflated(), "an output expands beyond its size"),
        (npz(a=np.array([{}], dtype=object)), "an array is not of the agreed type or size"),
        (claims((10**12,), "<f8"), "an array is not of the agreed type or size"),
        (claims((1,), "|O"), "an array is not of the agreed type or size"),
        (npz(a=np.zeros(2), b=np.zeros(3)), "its replicates are not vectors of one length"),
        (npz(a=np.zeros((2, 2))), "its replicates are not vectors of one length"),
        (npz(a=np.zeros(2, dtype=int)), "an array is not of the agreed type or size"),
    ],
)
def test_outputs_that_are_no_plain_arrays(blob: bytes, complaint: str) -> None:
    assert refusal(answer({"outcome": "ok"}, ("replicates", blob))) == complaint


def listed(members: int) -> bytes:
    """An npz with this many members in its list, which all are the same nothing."""
    one = b"PK\1\2" + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    size = members * len(one)
    big = struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, members, members, size, 0)
    end = b"PK\6\6" + big + b"PK\6\7" + struct.pack("<IQI", 0, size, 1)
    return one * members + end + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 65535, 65535, 2**32 - 1, 2**32 - 1, 0)


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        (10_001, "an output holds more than 10,000 arrays"),
        (200_000, "the list of arrays in an output is too long"),
    ],
)
def test_a_long_list_of_arrays_is_not_read(members: int, complaint: str) -> None:
    assert refusal(answer({"outcome": "ok"}, ("case_table", listed(members)))) == complaint


def test_what_was_read_is_a_view_of_the_answer() -> None:
    table = npz(a=np.zeros(5))
    raw = bytearray(answer({"outcome": "ok"}, ("arrays", table)))
    _, blobs = parse(raw, arrays=True)
    view = blobs["arrays"]
    assert isinstance(view, memoryview)
    assert (view.obj is raw, bytes(view)) == (True, table)


@settings(max_examples=150, deadline=None)
@given(some.data())
def test_any_bytes_are_an_answer_or_refused(data: some.DataObject) -> None:
    raw = bytearray(answer(value(value=0.5), ("replicates", npz(a=np.zeros(5)))))
    for _ in range(data.draw(some.integers(1, 5))):
        raw[data.draw(some.integers(0, len(raw) - 1))] = data.draw(some.integers(0, 255))
    try:
        parse(bytes(raw))
    except AnswerRefused as refused:
        assert str(refused)
