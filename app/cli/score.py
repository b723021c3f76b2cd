"""`arbitre score`: score an entry on this machine, in a sandbox, for whoever holds the reference."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.errors import Usage
from app.cli.options import Json, PhaseName, Plain, told
from app.cli.submit import read_file


def runner_command() -> list[str]:
    """How to start `arbitre-runner`: the script beside this Python, else the one on the path, else its module."""
    beside = Path(sys.executable).with_name("arbitre-runner")
    found = str(beside) if beside.is_file() else shutil.which("arbitre-runner")
    return [found] if found else [sys.executable, "-m", "sandbox_runner.cli"]


@told
def score(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A challenge folder with its reference.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The entry.")],
    phase: PhaseName = "",
    as_json: Json = False,
    plain: Plain = False,
) -> None:
    """Score an entry on this machine, as the server does. DIR holds the reference; it runs in a sandbox."""
    if not folder.is_dir():
        raise Usage(f"{folder} is not a folder. Scoring needs a challenge folder that holds the reference.")
    read_file(file)
    command = [*runner_command(), "score", str(folder), "--entry", str(file)]
    command += ["--phase", phase] if phase else []
    command += ["--json"] if as_json else []
    command += ["--plain"] if plain and not as_json else []
    # The runner is a program of its own (it may stand alone on a machine), so it is started, never imported.
    raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603
