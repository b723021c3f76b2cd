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
from app.cli.parts import need_runner
from app.cli.submit import read_file

Entry = Annotated[
    list[str], typer.Argument(metavar="FILE...", help="The entry; TABLE=FILE where it has several tables.")
]


def runner_command() -> list[str]:
    """How to start `arbitre-runner`: the script beside this Python, else the one on the path, else its module.

    The runner may stand alone on a machine, so it is a program of its own: started, never imported.
    """
    beside = Path(sys.executable).with_name("arbitre-runner")
    found = str(beside) if beside.is_file() else shutil.which("arbitre-runner")
    return [found] if found else [sys.executable, "-m", "sandbox_runner.cli"]


@told
def score(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A challenge folder with its reference.")],
    entry: Entry,
    phase: PhaseName = "",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the resamples.")] = 0,
    as_json: Json = False,
    plain: Plain = False,  # noqa: ARG001
) -> None:
    """Score an entry on this machine, as the server does. DIR holds the reference; it runs in a sandbox."""
    if not folder.is_dir():
        raise Usage(f"{folder} is not a folder. Scoring needs a challenge folder that holds the reference.")
    for given in entry:
        read_file(Path(given if Path(given).exists() else given.partition("=")[2] or given))
    need_runner("score")
    command = [*runner_command(), "score", str(folder), "--seed", str(seed)]
    command += [word for given in entry for word in ("--entry", given)]
    command += ["--phase", phase] if phase else []
    command += ["--json"] if as_json else []
    raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603
