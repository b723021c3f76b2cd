"""The challenges that come with the program."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent

FOLDERS: dict[str, Path] = {
    "cytologia": _HERE / "cytologia",
    "myocardia": _HERE / "myocardia",
    "aid-oral": _HERE / "aid_oral",
    "breast-cancer": _HERE / "breast_cancer",
}


def builtin_folder(slug: str) -> Path:
    """The folder of a built-in challenge; KeyError naming those there are."""
    if slug not in FOLDERS:
        raise KeyError(f"There is no built-in challenge {slug!r}; there are {', '.join(FOLDERS)}.")
    return FOLDERS[slug]


def baseline_entry(slug: str) -> Path:
    """The baseline of a built-in challenge as one upload: the file or archive that its starter writes."""
    folder = builtin_folder(slug) / "examples" / "baseline"
    return next(path for path in sorted(folder.iterdir()) if path.name != "expected.toml")
