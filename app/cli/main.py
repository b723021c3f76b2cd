"""The command `arbitre`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from app.cli import (
    boards,
    challenges,
    check,
    competitions,
    files,
    folder_check,
    join,
    login,
    metric,
    score,
    submissions,
    submit,
)
from app.cli.output import wants_plain
from app.cli.parts import add_parts

PARTICIPANTS, ORGANISERS, OPERATORS = "Take part", "Organise", "Run a server"


def build(*, plain: bool) -> typer.Typer:
    """All commands. `plain`: help without boxes and colour."""
    app = typer.Typer(
        name="arbitre",
        help="Data challenges for health AI: submit predictions, see scores with intervals, run a server.",
        epilog="Exit codes: 0 ok, 1 invalid input, 2 usage, 3 not reachable, 4 not allowed, 5 platform fault.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None if plain else "rich",
    )
    app.callback()(_root)
    for name, command in _TAKE_PART.items():
        app.command(name, rich_help_panel=PARTICIPANTS)(command)
    app.add_typer(_challenge_group(plain), name="challenge", rich_help_panel=ORGANISERS)
    app.add_typer(competitions.group(plain=plain), name="competitions", rich_help_panel=PARTICIPANTS)
    for name, command in _ORGANISE.items():
        app.command(name, rich_help_panel=ORGANISERS)(command)
    add_parts(app, panel=OPERATORS)
    return app


_TAKE_PART: dict[str, Callable[..., None]] = {
    "login": login.login,
    "logout": login.logout,
    "join": join.join,
    "files": files.files,
    "download": files.download,
    "check": check.check,
    "submit": submit.submit,
    "submissions": submissions.submissions,
    "submission": submissions.submission,
    "leaderboard": boards.leaderboard,
}
_ORGANISE: dict[str, Callable[..., None]] = {"score": score.score, "metric": metric.metric}


def _challenge_group(plain: bool) -> typer.Typer:
    group = typer.Typer(
        help="List challenges; check, push, publish and close your own.",
        no_args_is_help=True,
        rich_markup_mode=None if plain else "rich",
    )
    group.command("list")(challenges.list_)
    group.command("check")(folder_check.check_folder)
    group.command("push")(challenges.push)
    group.command("publish")(challenges.publish)
    group.command("close")(challenges.close)
    group.command("unfreeze")(challenges.unfreeze)
    return group


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import PackageNotFoundError, version

        name = "not installed, run from its folder"
        with contextlib.suppress(PackageNotFoundError):
            name = version("arbitre")
        typer.echo(f"arbitre {name}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options before any command."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; ends in SystemExit with an exit code of design 11.8."""
    given = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    plain = "--plain" in given or wants_plain(sys.stdout)
    build(plain=plain)(args=given, prog_name="arbitre")


if __name__ == "__main__":
    main()
