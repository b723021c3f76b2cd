"""`arbitre doctor`: runs `arbitre-runner doctor`, a program of its own that this one never imports."""

from __future__ import annotations

import os

import typer

from app.cli.runner import SETTINGS
from app.cli.score import runner_command

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(context_settings=SETTINGS)
def doctor(context: typer.Context) -> None:
    """Do one real job in one real sandbox; where that fails, name the cause and the one fix."""
    command = [*runner_command(), "doctor", *context.args]
    os.execvp(command[0], command)  # noqa: S606 - our own program
