"""Whether a generator gives the files of the repository, and reading what it gave."""

from __future__ import annotations

import csv
import io
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image

PARTS = ("public", "reference", "examples")


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def expected(root: Path, name: str) -> dict[str, Any]:
    """The expected.toml of an example."""
    return tomllib.loads((root / "examples" / name / "expected.toml").read_text(encoding="utf-8"))


def number(value: float, language: str) -> str:
    """A value as pages write it: three decimals."""
    text = f"{value:.3f}"
    return text.replace(".", ",") if language == "fr" else text


def assert_committed(generate: ModuleType, made: Path) -> None:
    """The folder `made` holds what the generator's own folder holds: the same bytes, pictures by their pixels."""
    here: Path = generate.HERE
    files = {path.relative_to(made).as_posix(): path for path in made.rglob("*") if path.is_file()}
    for name, path in files.items():
        if name.endswith(".zip"):
            assert_same_members(path.read_bytes(), (here / name).read_bytes())
        else:
            assert path.read_bytes() == (here / name).read_bytes(), name
    kept = (path for part in PARTS for path in (here / part).rglob("*") if path.is_file())
    assert {path.relative_to(here).as_posix() for path in kept} == set(files)


def assert_same_members(first: bytes, second: bytes) -> None:
    """Pixels, not bytes, of pictures: another build of the JPEG library may pack them otherwise."""
    with zipfile.ZipFile(io.BytesIO(first)) as one, zipfile.ZipFile(io.BytesIO(second)) as other:
        assert one.namelist() == other.namelist()
        for name in one.namelist():
            if not name.endswith(".jpg"):
                assert one.read(name) == other.read(name), name
                continue
            pixels = [np.asarray(Image.open(io.BytesIO(z.read(name)))).astype(int) for z in (one, other)]
            assert np.abs(pixels[0] - pixels[1]).max() <= 2, name


def assert_bare_pictures(path: Path, *, names: set[str], size: tuple[int, int], mode: str) -> None:
    """A ZIP of exactly these JPEG files, of one size, without EXIF, comments or embedded profiles."""
    with zipfile.ZipFile(path) as opened:
        assert {name.removesuffix(".jpg") for name in opened.namelist()} == names
        for name in opened.namelist():
            with Image.open(io.BytesIO(opened.read(name))) as picture:
                assert (picture.format, picture.size, picture.mode) == ("JPEG", size, mode)
                assert set(picture.info) == {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
                assert not picture.getexif()
