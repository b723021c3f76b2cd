"""The npz between two sandboxes: what the reader makes passes, what it cannot have made is refused."""

import io
import random
import tracemalloc
import zipfile
from collections.abc import Callable

import numpy as np
import pytest

from scoring.casetable import pack_arrays
from scoring.packing import pack, unpack
from scoring.tables import Array, Entry
from tests.scoring.entries import KIND, NOTE, SCORE, SIZE, boxes, index_of, one, read

INDEX = index_of(one(SCORE, KIND, SIZE, NOTE, missing="worst"), ids=("a", "b", "c"))
MANY = index_of(boxes(), ids=("i", "j"), rows={"boxes": {("7",): 1, ("3",): 0}})
FILE = "id,score,kind,size,note\na,0.5,LY,3,é\nc,0.25,EO,4,\n"


def entry_of(data: str = FILE, index=INDEX) -> Entry:  # type: ignore[no-untyped-def]
    entry = read(data, index).entry
    assert entry is not None
    return entry


def same(first: Entry, again: Entry) -> bool:
    assert first.tables.keys() == again.tables.keys()
    for name, table in first.tables.items():
        other = again.tables[name]
        pairs = [(table.case, other.case), (table.missing, other.missing)]
        assert table.columns.keys() == other.columns.keys()
        pairs += [(table.columns[column], other.columns[column]) for column in table.columns]
        for left, right in pairs:
            assert left.dtype == right.dtype
            assert left.tobytes() == right.tobytes()
            assert not right.flags.writeable
    return True


def test_there_and_back() -> None:
    assert same(entry_of(), unpack(pack(entry_of()), INDEX))
    many = entry_of("box,image,x,kind\n7,j,-1.5,LY\n", MANY)
    assert same(many, unpack(pack(many), MANY))
    assert pack(entry_of()) == pack(entry_of())


def arrays() -> dict[str, Array]:
    with np.load(io.BytesIO(pack(entry_of())), allow_pickle=False) as archive:
        return {name: archive[name].copy() for name in archive.files}


Change = Callable[[dict[str, Array]], object]
# columns in order of their names: 0 kind, 1 note, 2 score, 3 size
CHANGES: dict[str, Change] = {
    "a column is not there": lambda a: a.pop("0.column1"),
    "an array too many": lambda a: a.update(more=np.zeros(1)),
    "other length": lambda a: a.update({"0.column2": np.zeros(2)}),
    "other shape": lambda a: a.update({"0.column2": np.zeros((3, 1))}),
    "other type": lambda a: a.update({"0.column2": np.zeros(3, dtype=np.float32)}),
    "inf": lambda a: a["0.column2"].__setitem__(0, np.inf),
    "nan that is not missing": lambda a: a["0.column2"].__setitem__(0, np.nan),
    "number that is missing": lambda a: a["0.column2"].__setitem__(1, 0.5),
    "out of range": lambda a: a["0.column2"].__setitem__(0, 1.5),
    "label beyond the last": lambda a: a["0.column0"].__setitem__(0, 3),
    "label before the first": lambda a: a["0.column0"].__setitem__(0, -1),
    "label of a missing case": lambda a: a["0.column0"].__setitem__(1, 0),
    "cases out of order": lambda a: a["0.case"].__setitem__(0, 1),
    "text that is none": lambda a: a["0.column1"].view(np.uint32).__setitem__(0, 0xFFFFFFFF),
    "text of other bytes": lambda a: a.update({"0.column1": np.array([b"x"] * 3)}),
    "flags that are neither": lambda a: a["0.missing"].view(np.uint8).__setitem__(0, 7),
}


@pytest.mark.parametrize("name", CHANGES)
def test_arrays_that_the_reader_cannot_have_made(name: str) -> None:
    changed = arrays()
    CHANGES[name](changed)
    with pytest.raises(ValueError, match=r"^The arrays of the entry cannot be used: .*\.$"):
        unpack(pack_arrays(changed), INDEX)


@pytest.mark.parametrize("case", [[1, 0], [-1, 0], [0, 2]])
def test_rows_of_no_case_or_out_of_order(case: list[int]) -> None:
    made = entry_of("box,image,x,kind\n7,j,-1.5,LY\n3,i,1,LY\n", MANY)
    with np.load(io.BytesIO(pack(made)), allow_pickle=False) as archive:
        changed = {name: archive[name] for name in archive.files}
    with pytest.raises(ValueError, match="in table boxes"):
        unpack(pack_arrays({**changed, "0.case": np.array(case)}), MANY)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"0.column0": ["7", "7"]}, "a row stands twice"),
        ({"0.column0": ["3", "9"]}, "a row is not expected"),
        ({"0.column0": ["7", "3"]}, "a row is not expected"),  # each at the other's case
        ({}, None),
    ],
)
def test_keys_of_rows_that_the_reader_cannot_have_made(change: dict[str, list[str]], told: str | None) -> None:
    made = entry_of("box,image,x,kind\n7,j,-1.5,LY\n3,i,1,LY\n", MANY)
    with np.load(io.BytesIO(pack(made)), allow_pickle=False) as archive:
        held = {name: archive[name] for name in archive.files}
    assert held["0.column0"].tolist() == ["3", "7"]
    payload = pack_arrays(held | {name: np.array(values) for name, values in change.items()})
    if told is None:
        assert same(made, unpack(payload, MANY))
        return
    with pytest.raises(ValueError, match=f"in table boxes, {told}"):
        unpack(payload, MANY)


def test_want_of_memory_is_no_fault_of_the_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: bytes) -> Array:
        raise MemoryError

    monkeypatch.setattr("scoring.packing._array", full)
    with pytest.raises(MemoryError):
        unpack(pack(entry_of()), INDEX)


def test_pickles_are_never_loaded() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, **{**arrays(), "0.column1": np.array([{}, {}, {}], dtype=object)})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="cannot be used"):
        unpack(buffer.getvalue(), INDEX)


def test_compressed_arrays_are_not_expanded() -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{**arrays(), "0.column2": np.zeros(10_000_000)})  # type: ignore[arg-type]
    assert len(buffer.getvalue()) < 100_000
    with pytest.raises(ValueError, match="they are compressed"):
        unpack(buffer.getvalue(), INDEX)


def test_a_shape_that_is_not_there_allocates_nothing() -> None:
    raw = pack(entry_of()).replace(b"'shape': (3,)", b"'shape': (9,)")
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(pack(entry_of()))) as old, zipfile.ZipFile(buffer, "w") as new:
        for info in old.infolist():
            new.writestr(info.filename, old.read(info).replace(b"'shape': (3,), }", b"'shape': (10**15,), }"[:16]))
    with pytest.raises(ValueError, match="cannot be used"):
        unpack(buffer.getvalue(), INDEX)
    with pytest.raises(ValueError, match="cannot be used"):
        unpack(raw, INDEX)


def test_any_damage_is_a_value_error_or_harmless() -> None:
    bits, packed = random.Random(1), pack(entry_of())
    for _ in range(1_500):
        raw = bytearray(packed)
        for _ in range(bits.randint(1, 4)):
            raw[bits.randrange(len(raw))] = bits.randrange(256)
        try:
            made = unpack(bytes(raw), INDEX)
        except ValueError:
            continue
        scores = made.tables["scores"].columns["score"]
        assert scores.shape == (3,)
        assert np.isfinite(scores[[0, 2]]).all()


def with_member(name: str, raw: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    """The packed entry with other bytes as one of its arrays."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(pack(entry_of()))) as old, zipfile.ZipFile(buffer, "w", method) as new:
        for info in old.infolist():
            new.writestr(info.filename, raw if info.filename == name else old.read(info))
    return buffer.getvalue()


def npy(header: str, data: bytes = bytes(24), version: bytes = b"\1\0") -> bytes:
    """One array of this header, whatever it says."""
    width = 2 if version == b"\1\0" else 4
    return b"\x93NUMPY" + version + len(header).to_bytes(width, "little") + header.encode() + data


def header(descr: str = "'<f8'", fortran: str = "False", shape: str = "(3,)") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n"


ARRAYS: dict[str, bytes] = {
    "object": npy(header("'|O'")),
    "pickle behind an object": npy(header("'|O'"), b"cposix\nsystem\n(S'true'\ntR."),
    "negative shape": npy(header(shape="(-3,)")),
    "shape beyond memory": npy(header(shape="(10**15,)")),
    "shape of a thousand dimensions": npy(header(shape=f"({'1,' * 1_000})")),
    "shape that overflows": npy(header(shape=f"({2**63},)")),
    "no dimension": npy(header(shape="()"), bytes(8)),
    "two dimensions": npy(header(shape="(3, 1)")),
    "truth for a length": npy(header(shape="(True,)"), bytes(8)),
    "by column": npy(header(fortran="True")),
    "big-endian": npy(header("'>f8'")),
    "width of a half": npy(header("'<f2'"), bytes(6)),
    "void": npy(header("'|V8'")),
    "no width": npy(header("'|V0'"), b""),
    "records": npy(header("[('a', '<f8')]")),
    "nested array": npy(header("('<f8', (1,))")),
    "dates": npy(header("'<M8[s]'")),
    "longer than it says": npy(header(), bytes(32)),
    "shorter than it says": npy(header(), bytes(16)),
    "program as a header": npy("__import__('os').system('true')\n"),
    "deep header": npy("(" * 9_000 + ")" * 900 + "\n"),
    "huge header": npy(header() + " " * 60_000),
    "header beyond the file": b"\x93NUMPY\1\0\xff\xff{",
    "format 2.0": npy(header(), version=b"\2\0"),
    "format 3.0": npy(header(), version=b"\3\0"),
    "no array": b"PK\5\6" + bytes(18),
    "nothing": b"",
}


@pytest.mark.parametrize("name", ARRAYS)
def test_hostile_arrays_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^The arrays of the entry cannot be used: "):
        unpack(with_member("0.column2.npy", ARRAYS[name]), INDEX)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_nothing_is_unpacked(method: int) -> None:
    with pytest.raises(ValueError, match="they are compressed"):
        unpack(with_member("0.column2.npy", npy(header(), bytes(24)), method), INDEX)


def test_members_that_overlap_or_stand_twice() -> None:
    raw = pack(entry_of())
    start = raw.index(b"PK\1\2")
    offsets = [i for i in range(start, len(raw)) if raw.startswith(b"PK\1\2", i)]
    overlapping = bytearray(raw)
    for at in offsets:
        overlapping[at + 42 : at + 46] = bytes(4)  # all members begin where the first one does
    twice = with_member("0.column2.npy", npy(header())).replace(b"0.column1.npy", b"0.column2.npy")
    for wrong in (bytes(overlapping), twice):
        with pytest.raises(ValueError, match="cannot be used"):
            unpack(wrong, INDEX)


def test_sizes_beyond_the_payload_are_never_allocated() -> None:
    raw = bytearray(pack(entry_of()))
    at = raw.rindex(b"PK\1\2")
    raw[at + 20 : at + 28] = (2**32 - 2).to_bytes(4, "little") * 2
    tracemalloc.start()
    with pytest.raises(ValueError, match="their sizes are not those of the payload"):
        unpack(bytes(raw), INDEX)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
