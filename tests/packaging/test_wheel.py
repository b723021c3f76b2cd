"""The wheel holds the rooms and nothing else, and installs into empty environments without the server's packages."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.packaging.locks import PROJECT, pins

MODULE = "arbitre.py"
ROOMS = ("app", "challenges", "migrations", "sandbox_runner", "scoring", "web")
SERVER_ONLY = ("alembic", "fastapi", "pandas", "psycopg", "sklearn", "sqlalchemy", "uvicorn")

# Imports every module below the rooms named on the command line, but for those that make sample data in the repository.
IMPORT_ALL = """
import importlib, importlib.util, json, pathlib, sys
imported = []
for room in sys.argv[1].split(","):
    top = pathlib.Path(importlib.util.find_spec(room).submodule_search_locations[0])
    for file in sorted(top.rglob("*.py")):
        parts = file.relative_to(top.parent).with_suffix("").parts
        if not {"__main__", "generate", "makers", "starter", "examples"} & set(parts):
            importlib.import_module(".".join(parts))
            imported.append(parts)
importlib.import_module("app.cli.main")
absent = [name for name in sys.argv[2].split(",") if importlib.util.find_spec(name) is None]
print(json.dumps([len(imported) > 20, absent, sorted(set(sys.argv[2].split(",")) & set(sys.modules))]))
"""


def pip(*arguments: str) -> None:
    """One pip command of this environment, with the user's own index or cache."""
    subprocess.run([sys.executable, "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check"], check=True)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the working tree."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder), str(PROJECT))
    return next(folder.glob("arbitre-*.whl"))


def environment(folder: Path, requirement: str) -> Path:
    """An empty environment with `requirement`, everything else at the locked versions. Returns its bin folder."""
    pinned = folder / "constraints.txt"
    pinned.write_text("".join(f"{pin.name}{pin.specifier}\n" for pin, _ in pins("requirements.lock").values()))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    place = ("--python", str(folder / "venv" / "bin" / "python"))
    pip(*place, "install", "--only-binary=:all:", "--constraint", str(pinned), requirement)
    return folder / "venv" / "bin"


def imports(programs: Path, rooms: str, packages: tuple[str, ...], cwd: Path) -> tuple[bool, list[str], list[str]]:
    """(much was imported, packages that are absent, packages that got imported) in that environment."""
    command = [str(programs / "python"), "-I", "-c", IMPORT_ALL, rooms, ",".join(packages)]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=cwd).stdout)
    return answer[0], answer[1], answer[2]


def test_the_wheel_holds_the_rooms_their_translations_and_the_licence(wheel: Path) -> None:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *ROOMS, MODULE]
    listed = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True).stdout.decode().split("\0")
    sources = {name for name in listed if name and (PROJECT / name).is_file()}
    compiled = {name.removesuffix(".po") + ".mo" for name in sources if name.endswith(".po")}
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in inside if ".dist-info/" not in name} == sources | compiled
    assert [name for name in inside if name.endswith("licenses/LICENSE")] != []


CHALLENGE = """
import importlib.util, pathlib, sys
folder = pathlib.Path(importlib.util.find_spec("challenges").submodule_search_locations[0]) / "breast_cancer"
print(folder)
"""
# What a participant does offline, in a process where nothing of a server can be imported by mistake.
NOTEBOOK = """
import json, sys
import arbitre
folder, name = sys.argv[1:]
good = arbitre.check(f"{folder}/public/sample_submission.csv", folder)
try:
    arbitre.submit(b"x", "none", server="http://127.0.0.1:9")
except arbitre.ArbitreError as error:
    refused = error.code
print(json.dumps([bool(good), refused, arbitre.__file__, sorted(set(name.split(",")) & set(sys.modules))]))
"""


@pytest.mark.slow
def test_bare_arbitre_is_client_and_scoring_without_a_server(wheel: Path, tmp_path: Path) -> None:
    programs = environment(tmp_path, str(wheel))
    absent = (*SERVER_ONLY, "docker", "cryptography")
    assert imports(programs, "scoring,challenges", absent, tmp_path) == (True, list(absent), [])
    asked = subprocess.run([programs / "arbitre", "--help"], capture_output=True, text=True, cwd=tmp_path)
    assert (asked.returncode, "submit" in asked.stdout, asked.stderr) == (0, True, "")

    python: list[str | Path] = [programs / "python", "-I", "-c"]
    folder = subprocess.run([*python, CHALLENGE], check=True, capture_output=True, text=True).stdout.strip()
    sample = Path(folder) / "public" / "sample_submission.csv"
    checked = subprocess.run(
        [programs / "arbitre", "check", folder, sample], capture_output=True, text=True, cwd=tmp_path
    )
    assert (checked.returncode, "has the right form" in checked.stdout, checked.stderr) == (0, True, "")
    used = subprocess.run(
        [*python, NOTEBOOK, folder, ",".join(absent)], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    module = programs.parent / "lib" / f"python3.{sys.version_info.minor}" / "site-packages" / "arbitre.py"
    assert json.loads(used.stdout.splitlines()[-1]) == [True, "E-NOT-REACHABLE", str(module), []]


@pytest.mark.slow
def test_the_runner_installs_without_a_server_or_a_database(wheel: Path, tmp_path: Path) -> None:
    programs = environment(tmp_path, f"{wheel}[runner]")
    rooms = "scoring,challenges,sandbox_runner"
    assert imports(programs, rooms, SERVER_ONLY, tmp_path) == (True, list(SERVER_ONLY), [])
    asked = subprocess.run([programs / "arbitre-runner", "--help"], capture_output=True, text=True, cwd=tmp_path)
    assert (asked.returncode, "doctor" in asked.stdout, asked.stderr) == (0, True, "")
