"""Coverage-guided fuzzing of the readers: python -m tests.hostile.fuzz_readers TARGET FOLDER [options of libFuzzer]

FOLDER keeps the inputs that reached new code; `-max_total_time=3600` bounds a long run by hand. Each input must be read
without an exception, in two gigabytes of address space, and be either refused or what a slow reader makes of it.
Targets: csv, jsonl, coco, parquet, upload (archives of several tables), npz (the arrays between two sandboxes).
"""

import io
import json
import resource
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["scoring", "zipfile", "gzip", "csv"], enable_loader_override=False):
    import numpy as np

    from scoring.packing import pack, unpack
    from scoring.read import Limits, ReadResult, read_entry, read_reference, read_upload
    from scoring.spec import ColumnSpec
    from scoring.tables import Entry
    from tests.scoring.entries import IDS, KIND, NOTE, SCORE, SIZE, boxes, gzipped, index_of, one, zipped
    from tests.scoring.formats import as_csv, as_jsonl, columns_of, oracle_csv, oracle_jsonl

MEMORY = 2 << 30
LIMITS = Limits(expanded_bytes=1_000_000, rows_per_case=20, rows_least=20, record_characters=20_000, columns=50)
SPEC = one(SCORE, KIND, SIZE, NOTE)
NAMES = ("id", "score", "kind", "size", "note")
ROWS: list[dict[str, str | float | int]] = [
    {"id": c, "score": i / 8, "kind": "MO", "size": i, "note": "é" * i} for i, c in enumerate(IDS)
]
INDEX = index_of(SPEC)
TABLES = index_of(one(), boxes(key=("image",)))
KINDS = ColumnSpec("category_id", "label", labels=("1", "2"))
SIDES = tuple(ColumnSpec(name, "number") for name in ("x", "y", "width", "height", "score"))
RESULTS = replace(one(KINDS, *SIDES, missing="empty"), case="image_id", key=("image_id",), rows="many", format="coco")
COCO = index_of(RESULTS, ids=("1", "2"))
RESULT = {"image_id": 1, "category_id": 2, "bbox": [0.5, 1, 20, 30.25], "score": 0.75}
TRUTH = {
    "images": [{"id": 1}, {"id": 2}],
    "annotations": [{**RESULT, "id": 7, "iscrowd": 0, "area": 600.5}],
    "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
}
BOXES = "image,x,kind\na,1,LY\na,2.5,MO\nd,-1,EO\n"


def sound(result: ReadResult) -> Entry | None:
    """The entry, if there is one, without nan and inf."""
    assert result.issues.refused == (result.entry is None)
    assert len(result.to_json()["issues"]) <= 50
    for table in result.entry.tables.values() if result.entry else ():
        for values in table.columns.values():
            assert values.dtype.kind != "f" or np.isfinite(values).all()
    return result.entry


def agree(entry: Entry | None, expected: Mapping[str, list[object]] | None) -> None:
    """What was read is what the slow reader reads."""
    if entry is not None:
        assert expected is not None, "read, though the slow reader refuses it"
        assert {name: values.tolist() for name, values in entry.tables["scores"].columns.items()} == dict(expected)


def fuzz_csv(data: bytes) -> None:
    """CSV, packed or not; the slow reader reads what is not packed."""
    entry = sound(read_entry({"scores": io.BytesIO(data)}, index=INDEX, limits=LIMITS))
    if not data.startswith((b"PK", b"\x1f\x8b")):
        agree(entry, oracle_csv(data, SPEC, IDS))


def fuzz_jsonl(data: bytes) -> None:
    """JSON lines, packed or not."""
    index = index_of(replace(SPEC, format="jsonl"))
    entry = sound(read_entry({"scores": io.BytesIO(data)}, index=index, limits=LIMITS))
    if not data.startswith((b"PK", b"\x1f\x8b")):
        agree(entry, oracle_jsonl(data, SPEC, IDS))


def fuzz_coco(data: bytes) -> None:
    """A list of boxes; and the same bytes as a reference."""
    for read in (read_entry, read_reference):
        sound(read({"scores": io.BytesIO(data)}, index=COCO, limits=LIMITS))


def fuzz_parquet(data: bytes) -> None:
    """Parquet. What native code cannot allocate is the end of a sandbox, told as such, and no fault."""
    try:
        index = index_of(replace(SPEC, format="parquet"))
        sound(read_entry({"scores": io.BytesIO(data)}, index=index, limits=LIMITS))
    except MemoryError:
        return


def fuzz_upload(data: bytes) -> None:
    """Archives of several tables."""
    sound(read_upload(io.BytesIO(data), index=TABLES, limits=LIMITS))


def fuzz_npz(data: bytes) -> None:
    """What the trusted side takes from a sandbox that a hostile file may have taken over."""
    try:
        entry = unpack(data, INDEX)
    except ValueError:
        return
    again = unpack(pack(entry), INDEX)
    scores = entry.tables["scores"].columns["score"]
    assert np.isfinite(scores).all()
    assert again.tables["scores"].columns["score"].tobytes() == scores.tobytes()


def seeds() -> dict[str, list[bytes]]:
    """Good files of each target, to start from."""
    plain, lines, tables = as_csv(ROWS, NAMES), as_jsonl(ROWS), {"predictions.csv": as_csv(ROWS, NAMES[:2])}
    tables["boxes.csv"] = BOXES.encode()
    found = {
        "csv": [plain, gzipped(plain), zipped({"a": plain}), plain.replace(b",", b";")],
        "jsonl": [lines, gzipped(lines), b"[" + lines + b"]"],
        "coco": [json.dumps(document).encode() for document in ([RESULT], [], TRUTH)],
        "upload": [zipped(tables), gzipped(_tar(tables)), _tar(tables)],
    }
    entry = read_entry({"scores": io.BytesIO(plain)}, index=INDEX).entry
    return {**found, "npz": [pack(entry)] if entry else []}


def _tar(files: Mapping[str, bytes]) -> bytes:
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def _parquets() -> list[bytes]:
    from tests.scoring.parquets import parquet

    columns = columns_of(ROWS, NAMES)
    forms = ({"compression": "none"}, {"use_dictionary": False, "compression": "none"}, {"compression": "zstd"})
    return [parquet(columns, **form) for form in forms]


TARGETS: dict[str, Callable[[bytes], None]] = {
    "csv": fuzz_csv, "jsonl": fuzz_jsonl, "coco": fuzz_coco, "parquet": fuzz_parquet, "upload": fuzz_upload,
    "npz": fuzz_npz,
}  # fmt: skip


def main() -> None:
    """Fuzz one target until libFuzzer's own options end it; the exit code is not 0 where an input was a fault."""
    target, folder = sys.argv[1], Path(sys.argv[2])
    for number, seed in enumerate(_parquets() if target == "parquet" else seeds()[target]):
        (folder / f"seed{number}").write_bytes(seed)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    options = ["-rss_limit_mb=0", "-malloc_limit_mb=0", f"-artifact_prefix={folder}/fault-", *sys.argv[3:]]
    atheris.Setup([sys.argv[0], str(folder), *options], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
