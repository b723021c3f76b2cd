"""Small challenges and entry files for tests of the reader."""

import gzip
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from scoring.cases import CaseIndex
from scoring.read import Limits, ReadResult, read_entry
from scoring.spec import ColumnSpec, Duplicates, Missing, TableSpec

SCORE = ColumnSpec("score", "probability")
KIND = ColumnSpec("kind", "label", labels=("LY", "MO", "EO"))
SIZE = ColumnSpec("size", "integer", low=0)
NOTE = ColumnSpec("note", "text")
IDS = ("a", "b", "c", "d")
GOOD = b"id,score\na,0.1\nb,0.2\nc,0.3\nd,0.4\n"


def one(*columns: ColumnSpec, missing: Missing = "refuse", duplicates: Duplicates = "refuse") -> TableSpec:
    """One row per case, case column `id`."""
    return TableSpec(
        name="scores",
        file="predictions.csv",
        case="id",
        key=("id",),
        columns=columns or (SCORE,),
        missing=missing,
        duplicates=duplicates,
    )


def boxes(key: tuple[str, ...] = ("box",), missing: Missing = "empty", duplicates: Duplicates = "refuse") -> TableSpec:
    """Many rows per case, case column `image`."""
    columns = (ColumnSpec("x", "number"), KIND)
    spec = replace(one(*columns, missing=missing, duplicates=duplicates), case="image", key=key, rows="many")
    return replace(spec, name="boxes", file="boxes.csv")


def index_of(
    *tables: TableSpec, ids: Sequence[str] = IDS, rows: Mapping[str, Mapping[Any, int]] | None = None
) -> CaseIndex:
    """An index of these cases; `rows` as in `CaseIndex`."""
    return CaseIndex(ids=tuple(ids), tables=tables or (one(),), rows=rows or {})


def read(data: bytes | str, index: CaseIndex | None = None, limits: Limits | None = None) -> ReadResult:
    """Read one file as the only table of the index."""
    index = index or index_of()
    raw = data.encode() if isinstance(data, str) else data
    return read_entry({index.tables[0].name: io.BytesIO(raw)}, index=index, limits=limits)


def told(result: ReadResult) -> list[tuple[str, int | None, str | None, str | None]]:
    """(code, line, column, value) of the errors kept, then of the warnings."""
    kept = result.issues.errors + result.issues.warnings
    return [(issue.code, issue.line, issue.column, issue.value) for issue in kept]


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A ZIP with these files, deflated."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def gzipped(data: bytes) -> bytes:
    """One gzip member."""
    return gzip.compress(data, mtime=0)
