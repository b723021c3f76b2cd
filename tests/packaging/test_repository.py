"""What must not stand in any committed file: addresses of package registries, and paths of somebody's machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
REGISTRY = re.compile(
    r"--(extra-)?index-url|://[\w.:-]+/(simple|packages)\b|pypi\.org|pythonhosted\.org|registry\.npmjs|"
    r"docker\.io/|ghcr\.io/|quay\.io/|\"resolved\": *\"http",
)
MACHINE = re.compile(r"(?<![\w.])/(work|root|farm|opt/(wheels|pypi))/|/home/(?!you\b)\w+|/Users/\w+")


def committed() -> list[Path]:
    """Files in git that are text, this test excepted."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True).stdout.decode()
    files = [PROJECT / name for name in listed.split("\0") if name]
    return [
        file for file in files if file.is_file() and file != Path(__file__) and b"\0" not in file.read_bytes()[:8192]
    ]


def hits(pattern: re.Pattern[str]) -> list[str]:
    """`file:line: text` of every match."""
    return [
        f"{file.relative_to(PROJECT)}:{number}: {line.strip()[:100]}"
        for file in committed()
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_committed_file_names_a_registry_address() -> None:
    assert hits(REGISTRY) == []


def test_no_committed_file_names_a_path_of_a_machine() -> None:
    assert hits(MACHINE) == []


def test_no_committed_file_is_large() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True).stdout.decode()
    sizes = {name: (PROJECT / name).stat().st_size for name in listed.split("\0") if name and (PROJECT / name).exists()}
    assert {name: size for name, size in sizes.items() if size > 2**20} == {}
