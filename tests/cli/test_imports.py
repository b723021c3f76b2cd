"""A client stays a client: light to start, and nothing of the server behind it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.harness import Faulty, Run, as_json

ROOT = Path(__file__).resolve().parents[2]
SERVER = ("sqlalchemy", "fastapi", "starlette", "uvicorn", "alembic", "pydantic_settings", "jinja2", "docker")
SERVER_ROOMS = ("app.services", "app.db", "app.api", "app.http", "app.pages", "app.settings", "sandbox_runner")
PROBE = """
import json, sys
from app.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    print(json.dumps({"code": end.code, "modules": sorted(sys.modules)}), file=sys.stderr)
"""


def modules_after(*arguments: str) -> tuple[int, set[str]]:
    command = [sys.executable, "-c", PROBE, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    told = json.loads(done.stderr.splitlines()[-1])
    return int(told["code"] or 0), set(told["modules"])


def of(modules: set[str], names: tuple[str, ...]) -> set[str]:
    return {module for module in modules if any(module == name or module.startswith(f"{name}.") for name in names)}


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    (tmp_path / "reference.csv").write_text("id,y\n1,1\n2,0\n")
    (tmp_path / "predictions.csv").write_text("id,p\n1,0.9\n2,0.1\n")
    return ["--reference", str(tmp_path / "reference.csv"), "--predictions", str(tmp_path / "predictions.csv")]


def test_client_commands_load_nothing_of_the_server(home: Path, faulty: Faulty, files: list[str]) -> None:
    faulty.answer = lambda _: as_json([])
    at = ["--server", faulty.address]
    metric = ["metric", "auroc", *files, "--params", '{"label": "y", "score": "p", "positive": "1"}']
    for arguments in (["challenge", "list", *at], ["files", "blood", *at], ["logout", *at], metric):
        code, modules = modules_after(*arguments)
        assert (arguments[0], code, of(modules, SERVER + SERVER_ROOMS)) == (arguments[0], 0, set())


def test_help_loads_nothing_that_is_slow(home: Path) -> None:
    code, modules = modules_after("--help")
    assert (code, of(modules, ("numpy", "scipy", "httpx", "pydantic", "rich", "scoring", "challenges"))) == (0, set())


def test_commands_that_talk_to_a_server_do_not_load_the_scorer(home: Path, faulty: Faulty) -> None:
    faulty.answer = lambda _: as_json([])
    _, modules = modules_after("challenge", "list", "--server", faulty.address)
    assert of(modules, ("numpy", "scoring", "challenges")) == set()


WITHOUT = """
import sys
sys.modules[sys.argv.pop(1)] = None  # how Python marks a module that cannot be imported
from app.cli.main import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("command", "extra", "missing"),
    [
        ("serve", "server", "sqlalchemy"),
        ("demo", "server", "sqlalchemy"),
        ("admin", "server", "sqlalchemy"),
        ("backup", "server", "sqlalchemy"),
        ("restore", "server", "sqlalchemy"),
        ("runner", "runner", "cryptography"),
        ("doctor", "runner", "cryptography"),
    ],
)
def test_a_part_that_is_not_installed_names_its_extra(home: Path, command: str, extra: str, missing: str) -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT, missing, command], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        f"`arbitre {command}` needs the extra `{extra}`, which is not installed here: {missing} is missing. "
        f"Install it: pip install 'arbitre[{extra}]'\n",
    )


def test_the_version(run: Run) -> None:
    assert run("--version").out.startswith("arbitre ")
