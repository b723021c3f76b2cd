"""The npz between two sandboxes: what the reader makes passes, what it cannot have made is refused."""

import io
import random
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
