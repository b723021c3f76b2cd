"""`arbitre admin`: what an operator does on the server's own machine."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from app.cli.errors import Usage
from app.cli.instance import DataFolder, opened, settings_of, utc_now
from app.cli.options import Json, told
from app.cli.output import Output
from app.services import accounts, runners

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)
runner = typer.Typer(help="Runners that may take jobs.", no_args_is_help=True)
app.add_typer(runner, name="runner")


@app.callback()
def admin() -> None:
    """What an operator does on the server's own machine."""


@app.command()
@told
def create(
    email: Annotated[str, typer.Option("--email", help="Asked for when not given.")] = "",
    name: Annotated[str, typer.Option("--name", help="Asked for when not given.")] = "",
    data: DataFolder = None,
) -> None:
    """Make an administrator. The password is asked for, or read from standard input when that is no terminal."""
    email = email or _asked("E-mail address")
    name = name or _asked("Name")
    password = _password()
    with opened(settings_of(data)) as instance, instance.database.write_session() as session:
        accounts.sign_up(session, email=email, name=name, password=password, admin=True, now=utc_now())
    Output().say(f"{email} is an administrator and may sign in.")


@runner.command()
@told
def add(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Only for your own notes.")] = "",
    queues: Annotated[
        str, typer.Option("--queues", help="Which jobs it may take, by commas; all when not given.")
    ] = "",
    data: DataFolder = None,
    as_json: Json = False,
) -> None:
    """Print a token with which one runner may register within a day: `arbitre-runner register --token TOKEN`."""
    out = Output(json=as_json)
    wanted = tuple(part.strip() for part in queues.split(",") if part.strip()) or runners.QUEUES
    with opened(settings_of(data)) as instance, instance.database.write_session() as session:
        token = runners.add_token(session, queues=wanted, now=utc_now())
    if as_json:
        out.document({"name": name, "token": token, "queues": list(wanted), "hours": runners.TOKEN_HOURS})
    else:
        out.say(token)
    out.note(f"This token{f' for {name}' if name else ''} is shown once, registers one runner, and ends in a day.")


def _asked(what: str) -> str:
    if not sys.stdin.isatty():
        raise Usage(f"There is no terminal to ask for the {what.lower()}. Give --email and --name.")
    answer: str = typer.prompt(what, err=True)
    return answer


def _password() -> str:
    """Typed twice at a terminal, else the first line of standard input; never an argument, which others can see."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    answer: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return answer
