"""The client on Windows and macOS, as far as Linux can show it: no POSIX-only import on its path, places and bytes."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.harness import ROOT, Faulty, as_json

# What Windows has not, and macOS has not either where it is Linux's own.
MODULES = ("fcntl", "pwd", "grp", "resource", "termios", "tty", "pty", "posix", "syslog", "spwd", "crypt")
SIGNALS = ("SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGCHLD", "SIGPIPE", "SIGWINCH", "pthread_sigmask")
OS = (
    "fork",
    "geteuid",
    "getuid",
    "setuid",
    "chown",
    "pipe2",
    "O_NOFOLLOW",
    "O_DIRECTORY",
    "O_CLOEXEC",
    "sched_getaffinity",
)
# Runs one command where these are absent. What the standard library took before stays with it.
ELSEWHERE = f"""
import asyncio, getpass, json, os, pathlib, platform, shutil, signal, subprocess, sys, tempfile, zipfile, zoneinfo
import typer, typer.rich_utils, rich.console, rich.progress, rich.table, httpx, numpy, pydantic.fields
for name in {MODULES!r}:
    sys.modules[name] = None
for name in {SIGNALS!r}:
    vars(signal).pop(name, None)
for name in {OS!r}:
    vars(os).pop(name, None)
sys.platform = os.environ["TEST_PLATFORM"]
import arbitre
from app.cli.main import main
main(sys.argv[1:])
"""
OFFLINE = (
    "--help",
    "competitions --help",
    "check challenges/breast_cancer challenges/breast_cancer/public/sample_submission.csv",
)


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    """An environment with nothing but a home and what Windows sets."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return kept | {"HOME": str(tmp_path), "APPDATA": str(tmp_path / "Roaming"), "LOCALAPPDATA": str(tmp_path / "Local")}


def on(platform: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = environment | {"TEST_PLATFORM": platform}
    return subprocess.run(
        [sys.executable, "-c", ELSEWHERE, *arguments],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_commands_run_without_what_only_linux_has(
    platform: str, surroundings: dict[str, str], faulty: Faulty, tmp_path: Path
) -> None:
    for line in OFFLINE:
        done = on(platform, *line.split(), **surroundings)
        assert (done.returncode, done.stderr) == (0, ""), line
    faulty.answer = lambda _: as_json({"name": "Ada", "email": "ada@example.org"})
    logged_in = on(platform, "login", "--server", faulty.address, "--token", "t", **surroundings)
    place = {"win32": tmp_path / "Roaming", "darwin": tmp_path / ".config"}[platform] / "arbitre" / "config.toml"
    assert (logged_in.returncode, logged_in.stdout) == (
        0,
        f"Logged in to {faulty.address} as Ada. The token is kept in {place}, readable by you alone.\n",
    )
    assert place.is_file()


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_a_large_file_goes_in_pieces_there_too(
    platform: str, surroundings: dict[str, str], faulty: Faulty, tmp_path: Path
) -> None:
    path = tmp_path / "large.csv"
    path.write_bytes(b"\r\n\x1a\n" * 2_500_000)
    arrived = bytearray()

    def answer(request: object) -> object:
        method, address = request.method, request.path  # type: ignore[attr-defined]
        if method == "PATCH":
            arrived.extend(request.body)  # type: ignore[attr-defined]
            return 204, {"Upload-Offset": str(len(arrived))}, b""
        if address == "/api/v1/uploads":
            states.append(sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.json")))
            return 201, {"Location": "/api/v1/uploads/abc"}, b""
        if method == "POST":
            states.append(sorted(str(p.parent.relative_to(tmp_path)) for p in tmp_path.rglob("*.json")))
            return as_json({"number": 1, "sha256": digest, "state": "queued", "new": True, "quota": None}, 202)
        return as_json({"slug": "blood", "phases": [{"slug": "main", "window": "open"}]})

    import hashlib

    states: list[list[str]] = []
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    faulty.answer = answer  # type: ignore[assignment]
    done = on(platform, "submit", "blood", "-f", str(path), "--server", faulty.address, "--json", **surroundings)
    assert (done.returncode, json.loads(done.stdout)["number"]) == (0, 1)
    assert hashlib.sha256(arrived).hexdigest() == digest
    kept = {"win32": "Local/arbitre/uploads", "darwin": ".cache/arbitre/uploads"}[platform]
    assert states == [[], [kept]]


def test_names_that_windows_keeps_are_not_written_there(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom app.cli.downloads import place\nfrom app.cli.errors import Fault\n"
        "sys.platform, bad = 'win32', []\n"
        "for name in sys.argv[2:]:\n"
        "    try: place(Path(sys.argv[1]), name)\n"
        "    except Fault: bad.append(name)\n"
        "print(bad)"
    )
    names = ["CON", "nul.csv", "public/com1.txt", "a.", "b ", "c:d", "e\\f", "console.csv", "public/cases.csv"]
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), *names], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == (f"{names[:7]}\n", "")


def client_modules() -> list[Path]:
    """Every module that the bare installation runs: the client, the scorer, the folder's checks."""
    from app.cli.parts import PARTS

    ours = {ROOT / (part.module.replace(".", "/") + ".py") for part in PARTS}
    rooms = [path for room in ("scoring", "challenges") for path in (ROOT / room).rglob("*.py")]
    server = {"serve", "web", "instance", "supervisor"}
    client = [path for path in (ROOT / "app" / "cli").glob("*.py") if path not in ours and path.stem not in server]
    return [ROOT / "arbitre.py", *client, *rooms]


def test_no_module_of_the_client_names_what_only_linux_has() -> None:
    found = []
    for path in client_modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [f"{path.name}: {name}" for name in names if name.partition(".")[0] in MODULES]
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                bad = {"signal": SIGNALS, "os": OS}.get(node.value.id, ())
                found += [f"{path.name}: {node.value.id}.{node.attr}"] if node.attr in bad else []
    assert found == []
