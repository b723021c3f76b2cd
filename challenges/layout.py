"""What a path inside a challenge folder means: which files are noise, and which store keeps the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from challenges.words import check_path

Store = Literal["public", "reference", "hidden"]

SPEC_FILE = "challenge.toml"
CASES_FILE = "public/cases.csv"
SAMPLE_FILE = "public/sample_submission.csv"
SAMPLE_ARCHIVE = "public/sample_submission.zip"  # where an entry has several tables
_ENDINGS = {"csv": ".csv", "jsonl": ".jsonl", "coco": ".json", "parquet": ".parquet"}
METRIC_FILE = "metric.py"
LANGUAGES = ("fr", "en")
PAGES = ("overview", "data", "evaluation", "rules")

_NOISE_FOLDERS = {"__MACOSX", "__pycache__", ".git", ".ipynb_checkpoints"}
_NOISE_FILES = {".DS_Store", "Thumbs.db", "desktop.ini"}
_FOLDERS = {"pages", "documents", "public", "reference", "inputs", "samples", "examples", "starter"}
_FILES = {SPEC_FILE, METRIC_FILE, "generate.py", "README.md"}


def sample_file(formats: Sequence[str]) -> str:
    """Where the sample submission stands, by the format of each table of an entry."""
    return SAMPLE_ARCHIVE if len(formats) != 1 else f"public/sample_submission{_ENDINGS[formats[0]]}"


def is_noise(path: str) -> bool:
    """Files that desktops, Python and git leave behind; they are never part of a challenge."""
    *folders, name = path.split("/")
    return bool(_NOISE_FOLDERS.intersection(folders)) or name in _NOISE_FILES or name.startswith("._")


def is_placed(path: str) -> bool:
    """Whether the path stands where the layout of a challenge folder has a place for it."""
    top, slash, _ = path.partition("/")
    return top in _FOLDERS if slash else path in _FILES


def store_of(path: str) -> Store:
    """Which store keeps a file: `reference` and `hidden` are secret, `public` may be shown.

    Examples are secret because `perfect` is the labels; so is `generate.py`, which could make the labels again.
    Anything that has no place in the layout is secret too. Errors: ValueError for a path that leaves the folder.
    """
    top = check_path(path).partition("/")[0]
    if top == "inputs":
        return "hidden"
    if top in {"reference", "examples", METRIC_FILE, "generate.py"} or not is_placed(path):
        return "reference"
    return "public"
