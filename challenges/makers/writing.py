"""Files of the built-in challenges, written the same way each time: no clock, no platform, LF line ends."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

TOLERANCE = 1e-9


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]], delimiter: str = ",") -> str:
    """A CSV text with a header line."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


def zip_bytes(files: Mapping[str, bytes]) -> bytes:
    """A ZIP of stored files (pictures are compressed already), dated 1980, sorted by name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o644 << 16
            archive.writestr(info, files[name])
    return buffer.getvalue()


def expected_text(note: str, outcome: str, codes: Sequence[str] = (), values: Mapping[str, float] | None = None) -> str:
    """An expected.toml: a note, the outcome, the codes of all problems and warnings, and values to 12 digits."""
    listed = ", ".join(f'"{code}"' for code in codes)
    lines = [f"# {note}", f'outcome = "{outcome}"', f"codes = [{listed}]"]
    if values:
        lines += [f"tolerance = {TOLERANCE}", "", "[values]"]
        lines += [f'"{name}" = {value:#.12g}' for name, value in values.items()]
    return "\n".join(lines) + "\n"


def write_all(root: Path, files: Mapping[str, str | bytes]) -> None:
    """Write each file below `root`; text as UTF-8."""
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content.encode() if isinstance(content, str) else content)
