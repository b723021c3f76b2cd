"""Hostile entries of every format through real sandboxes: each gets its coded problem, within its time and memory."""

import importlib.util
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox_runner.contract import Finish, Limits
from sandbox_runner.local import run_files
from scoring.spec import ColumnSpec, Format, MetricUse, ScoringSpec, TableSpec, to_json
from tests.sandbox_runner.risk import check_files, job_files, spec
from tests.scoring.entries import gzipped, zipped

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed: sandbox tests not run"),
]

LIMITS = Limits(wall_s=60, cpu_s=60, memory_mb=1024, entry_mb=50)
ROWS = [line.split(",") for line in job_files()["entry"].decode().splitlines()[1:]]
LINES = "".join(f'{{"id": "{case}", "risk": {risk}}}\n' for case, risk in ROWS)
LABELS = [line.split(",") for line in job_files()["reference/risks"].decode().splitlines()[1:]]
SECOND = TableSpec("ages", "ages.csv", "id", ("id",), (ColumnSpec("age", "number"),))


def of_format(form: Format) -> ScoringSpec:
    """The challenge of risks in another format."""
    plain = spec()
    return replace(plain, tables=(replace(plain.tables[0], format=form, file=f"risks.{form}"),))


def scored(entry: bytes | Path, form: Format = "jsonl", limits: Limits = LIMITS) -> Finish:
    """The report of a `score` job on this entry of JSON lines (or Parquet)."""
    files: dict[str, bytes | Path] = {**job_files(), "entry": entry}
    files["spec"] = json.dumps(to_json(of_format(form))).encode()
    files["reference/risks"] = _reference(form)
    return run_files("score", files, limits=limits)


def _reference(form: Format) -> bytes:
    if form == "jsonl":
        return "".join(json.dumps({"id": case, "label": label}) + "\n" for case, label in LABELS).encode()
    from tests.scoring.parquets import parquet

    return parquet({"id": [case for case, _ in LABELS], "label": [label for _, label in LABELS]})


def test_json_lines_score_as_csv_does() -> None:
    lines, csv = scored(LINES.encode()), run_files("score", dict(job_files()), limits=LIMITS)
    assert (lines.outcome, lines.detail.issues) == ("ok", [])
    assert lines.values == csv.values


def second(cell: str) -> bytes:
    """The good lines with another risk on the second."""
    first, line, *others = LINES.splitlines()
    return "\n".join([first, line.partition('"risk": ')[0] + f'"risk": {cell}}}', *others]).encode()


HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "E-EMPTY"),
    "NaN": (second("NaN"), "E-NAN"),
    "overflow": (second("1e999"), "E-INF"),
    "text": (second('"0.5"'), "E-CELL-TEXT"),
    "depth": (second("[" * 300_000), "E-JSON-DEPTH"),
    "depth of objects": (second('{"a":' * 150_000), "E-JSON-DEPTH"),
    "endless number": (second("9" * 900_000), "E-INF"),
    "endless line": (LINES.encode() + b'{"id": "' + b"x" * 20_000_000, "E-FIELD-SIZE"),
    "key twice": (second('0.5, "risk": 0.6'), "E-JSON-DUP"),
    "million keys": (("{" + ", ".join(f'"{i}": {i}' for i in range(60_000)) + "}").encode(), "E-COL-COUNT"),
    "two million rows": (LINES.encode() + b'{"id": "p0", "risk": 1}\n' * 2_000_000, "E-ROWS"),
    "array": (b"[" * 900_000, "E-JSON-WHOLE"),
    "bomb": (gzipped(bytes(200 << 20)), "E-ARCHIVE-BOMB"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_json_lines(name: str) -> None:
    entry, code = HOSTILE[name]
    finish = scored(entry)
    assert (finish.outcome, finish.values, finish.blobs, finish.detail.message) == ("invalid", [], [], None)
    assert code in finish.detail.total


def test_a_file_of_a_gigabyte_is_refused_by_its_size(tmp_path: Path) -> None:
    large = tmp_path / "large"
    for head in (LINES.encode(), b"PAR1"):
        with large.open("wb") as file:
            file.write(head)
            file.truncate(1 << 30)
        finish = scored(large, "jsonl" if head != b"PAR1" else "parquet")
        assert finish.outcome == "invalid"
        assert "E-SIZE" in finish.detail.total
        assert finish.usage.memory_mb is not None
        assert finish.usage.memory_mb < 400


@pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="pyarrow is not installed: Parquet not run")
def test_parquet_is_scored_and_refused() -> None:
    from tests.scoring.parquets import parquet

    risks = [float(risk) for _, risk in ROWS]
    good = {"id": [case for case, _ in ROWS], "risk": risks}
    csv = run_files("score", dict(job_files()), limits=LIMITS)
    found = scored(parquet(good), "parquet")
    assert (found.outcome, found.detail.issues, found.values) == ("ok", [], csv.values)
    for wrong, code in (
        (parquet({**good, "risk": [float("nan"), *risks[1:]]}), "E-NAN"),
        (parquet({**good, "risk": [[1.0]] * len(ROWS)}), "E-COL-TYPE"),
        (parquet(good)[:-9], "E-PARQUET-DAMAGED"),
        (b"id,risk\n", "E-FORMAT"),
    ):
        finish = scored(wrong, "parquet")
        assert (finish.outcome, finish.values, list(finish.detail.total)) == ("invalid", [], [code])


def test_two_tables_of_which_one_is_missing() -> None:
    two = replace(spec(), tables=(*spec().tables, SECOND))
    good = job_files()["entry"]
    ages = b"id,age\n" + b"".join(b"%s,50\n" % case.encode() for case, _ in ROWS)
    for upload, expected in (
        (zipped({"risks.csv": good, "ages.csv": ages}), {}),
        (zipped({"risks.csv": good}), {"E-FILE-MISSING": 1}),
        (good, {"E-ARCHIVE-TABLES": 1}),
    ):
        files = {**check_files(job_files(entry=upload)), "spec": json.dumps(to_json(two)).encode()}
        finish = run_files("check", dict(files), limits=LIMITS)
        assert (finish.outcome, finish.detail.total) == ("invalid" if expected else "ok", expected)


@pytest.mark.slow
def test_a_million_detections() -> None:
    columns = tuple(ColumnSpec(name, "number") for name in ("x", "y", "width", "height", "score"))
    table = TableSpec(
        "boxes", "boxes.jsonl", "image", ("image",), columns, rows="many", missing="empty", format="jsonl"
    )
    challenge = replace(
        spec(), tables=(table,), cases=replace(spec().cases, id="image"), metrics=tuple[MetricUse, ...]()
    )
    images = [f"i{i}" for i in range(10_000)]
    line = '{{"image": "{}", "x": {}, "y": 2.5, "width": 10, "height": 20, "score": 0.5}}\n'
    entry = "".join(line.format(image, box) for image in images for box in range(100)).encode()
    files: dict[str, bytes | Path] = {
        "spec": json.dumps(to_json(challenge)).encode(),
        "cases": ("image\n" + "\n".join(images)).encode(),
        "entry": entry,
    }
    large = Limits(wall_s=250, cpu_s=120, memory_mb=2048, entry_mb=200)
    finish = run_files("check", files, limits=large)
    assert (finish.outcome, finish.detail.message, finish.detail.counts.get("rows")) == ("ok", None, 1_000_000)
