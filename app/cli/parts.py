"""Commands that need more than the bare installation: found by name, loaded only when they are called.

A client command never imports the server, and `arbitre serve` without the server says what to install.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import typer

from app.cli.errors import Usage
from app.cli.options import told
from app.cli.output import wants_plain


@dataclass(frozen=True)
class Part:
    """A command, or a group of commands: the module whose `app` runs it, the extra it needs, one sentence of help."""

    name: str
    module: str
    extra: str
    needs: tuple[str, ...]
    help: str


_RUNNER = ("cryptography",)
_SERVER = ("sqlalchemy", "fastapi", "uvicorn", "alembic", "pydantic_settings")

PARTS = (
    Part("serve", "app.cli.serve", "server", _SERVER, "Start the server: web, worker and a local runner."),
    Part("demo", "app.cli.demo", "server", _SERVER, "Start the server with sample challenges and demo accounts."),
    Part("admin", "app.cli.admin", "server", _SERVER, "Make the first administrator; register runners."),
    Part("backup", "app.cli.backup", "server", _SERVER, "Write database, files and keys into one file."),
    Part("restore", "app.cli.restore", "server", _SERVER, "Bring an empty instance to the state of a backup."),
    Part("runner", "app.cli.runner", "runner", _RUNNER, "Start a runner that takes jobs from a server."),
    Part("doctor", "app.cli.doctor", "runner", _RUNNER, "Try one sandbox; name what stands in its way."),
)


def add_parts(app: typer.Typer, *, panel: str) -> None:
    """Give `app` a command for each part that hands all its arguments on to the part's own typer app."""
    settings = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    for part in PARTS:
        command = app.command(part.name, help=part.help, context_settings=settings, rich_help_panel=panel)
        command(_runs(part))


def need(command: str, *, extra: str, modules: Sequence[str]) -> None:
    """Errors: Usage naming the extra to install where one of its modules is not there."""
    missing = next((name for name in modules if find_spec(name) is None), None)
    if missing:
        raise Usage(
            f"`arbitre {command}` needs the extra `{extra}`, which is not installed here: {missing} is missing. "
            f"Install it: pip install 'arbitre[{extra}]'"
        )


def need_runner(command: str) -> None:
    """Errors: Usage where the runner, which scores in a sandbox, is not installed."""
    need(command, extra="runner", modules=_RUNNER)


def _runs(part: Part) -> Callable[[typer.Context], None]:
    @told
    def run(context: typer.Context) -> None:
        need(part.name, extra=part.extra, modules=part.needs)
        app: typer.Typer = importlib.import_module(part.module).app
        if "--plain" in context.args or wants_plain(sys.stdout):
            app.rich_markup_mode = None
        app(args=list(context.args), prog_name=f"arbitre {part.name}")

    return run
