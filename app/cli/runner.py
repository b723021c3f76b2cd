"""`arbitre runner`: becomes `arbitre-runner start`, a program of its own that this one never imports."""

from __future__ import annotations

import os

import typer

from app.cli.score import runner_command

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
SETTINGS = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command(context_settings=SETTINGS)
def start(context: typer.Context) -> None:
    """Take jobs from a server until stopped. All options are those of `arbitre-runner start`."""
    command = [*runner_command(), "start", *context.args]
    # In its place, not under it: signals and the exit code are then the runner's own.
    os.execvp(command[0], command)  # noqa: S606 - our own program
