"""Options that many commands share, declared once, and the frame every client command runs in."""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable
from typing import Annotated, ParamSpec

import typer

from app.cli.errors import FAULT, CliError, Fault
from app.cli.output import Output

P = ParamSpec("P")

Slug = Annotated[str, typer.Argument(metavar="SLUG", help="Short name of the challenge, as `challenge list` shows it.")]
Json = Annotated[bool, typer.Option("--json", help="Print the API document, one, on stdout; all else on stderr.")]
Plain = Annotated[bool, typer.Option("--plain", help="No colour, bars or boxes: one sentence per state.")]
ServerName = Annotated[
    str,
    typer.Option("--server", metavar="URL", help="Which server; else ARBITRE_SERVER, else the one you logged in to."),
]
PhaseName = Annotated[str, typer.Option("--phase", metavar="PHASE", help="Which phase; needed when several fit.")]


def told(command: Callable[P, None]) -> Callable[P, None]:
    """Run a command so that each of its failures ends in a sentence and an exit code of design 11.8."""

    @functools.wraps(command)
    def framed(*args: P.args, **kwargs: P.kwargs) -> None:
        out = Output(json=bool(kwargs.get("as_json")), plain=bool(kwargs.get("plain")))
        try:
            command(*args, **kwargs)
        except CliError as error:
            out.refuse(error)
            raise typer.Exit(error.exit_code) from None
        except BrokenPipeError:
            _quiet_stdout()
            raise typer.Exit(0) from None
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            out.refuse(_own_fault(error))
            raise typer.Exit(FAULT) from error

    return framed


def _own_fault(error: Exception) -> Fault:
    if os.environ.get("ARBITRE_DEBUG"):
        traceback.print_exception(error)
    return Fault(
        f"A fault in the arbitre program itself ({type(error).__name__}: {error}), not in your input. "
        "Run it again with ARBITRE_DEBUG=1 and report what it prints."
    )


def _quiet_stdout() -> None:
    """The reader went away (`| head`); without this Python would complain once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
