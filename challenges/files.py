"""The files of a folder on disk: without noise, without links, under names that can be kept anywhere."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from challenges import later
from challenges.layout import is_noise, is_placed
from challenges.problems import Problem, shown
from challenges.words import WordRefused, check_path

_TEXT_BYTES = 1_000_000


def list_files(root: Path) -> tuple[dict[str, Path], list[Problem]]:
    """Path inside the folder (NFC, sorted) → file on disk; and a problem for each file that cannot be taken."""
    files: dict[str, Path] = {}
    problems: list[Problem] = []
    for path in _walk(root):
        name = unicodedata.normalize("NFC", path.relative_to(root).as_posix())
        if is_noise(name):
            continue
        problem = _refusal(name, path)
        problems += [problem] if problem else []
        if problem is None:
            files[name] = path
    return dict(sorted(files.items())), problems


def _walk(root: Path) -> Iterator[Path]:
    """Everything but real folders; links to folders are not entered."""
    for folder, inner, names in os.walk(root, followlinks=False):
        here = Path(folder)
        yield from (here / name for name in names)
        yield from (here / name for name in inner if (here / name).is_symlink())


def _refusal(name: str, path: Path) -> Problem | None:
    if path.is_symlink() or not path.is_file():
        return Problem("F-LINK", file=name)
    try:
        check_path(name)
    except WordRefused as refused:
        return Problem("F-PATH", file=shown(name), found=refused.found or shown(name))
    code = later.file_code(name)
    if code:
        return Problem(code, file=name)
    if not is_placed(name):
        return Problem("F-PLACE", file=name, expected="public/, reference/, pages/, documents/, examples/, starter/")
    return None


def text_problem(name: str, path: Path) -> Problem | None:
    """Why a page or document cannot be shown as text; None if it can."""
    size = path.stat().st_size
    if size > _TEXT_BYTES:
        return Problem("F-TOO-BIG", file=name, expected=f"{_TEXT_BYTES:,} bytes", found=f"{size:,} bytes")
    raw = path.read_bytes()
    try:
        blank = not raw.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return Problem("F-ENCODING", file=name, line=line, found=f"0x{raw[error.start]:02x}")
    return Problem("F-EMPTY", file=name) if blank else None
