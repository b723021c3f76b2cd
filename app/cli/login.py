"""`arbitre login` and `logout`: a token for one server, kept on this machine."""

from __future__ import annotations

import platform
import sys
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from app.cli import config
from app.cli.client import connect, segment
from app.cli.errors import CliError, NotAllowed, Usage
from app.cli.options import Json, Plain, ServerName, told
from app.cli.output import Output

SCOPES = ("read", "submit", "organise")
DAYS = 90


@told
def login(
    server: ServerName = "",
    email: Annotated[str, typer.Option("--email", help="Your account; asked for when left out.")] = "",
    token: Annotated[str, typer.Option("--token", help="Keep this token instead of asking for a password.")] = "",
    days: Annotated[int, typer.Option("--days", min=1, max=365, help="How long the new token lasts.")] = DAYS,
    as_json: Json = False,
    plain: Plain = False,
) -> None:
    """Log in to a server and keep a token for it. The password is read from the terminal, or from standard input."""
    out = Output(json=as_json, plain=plain)
    address = config.server_address(server, config.load())
    _warn_open_wire(address, out)
    me = keep(address, config.Login(token) if token else _asked(address, email=email, days=days))
    out.document(me)
    out.say(logged_in(address, me))


@told
def logout(server: ServerName = "", as_json: Json = False, plain: Plain = False) -> None:
    """Forget the token of a server, here and there."""
    out = Output(json=as_json, plain=plain)
    stored = config.load()
    address = config.server_address(server, stored)
    kept = stored.logins.get(address)
    if kept:
        _revoke(address, kept, out)
        config.save(config.without_login(stored, server=address))
    out.document({"server": address, "logged_out": bool(kept)})
    out.say(f"Logged out of {address}." if kept else f"You were not logged in to {address}.")


def keep(address: str, made: config.Login) -> Any:
    """Try a token and keep it for its server; the account as the API tells it. Errors: CliError; nothing is kept."""
    with connect(address, token=made.token) as api:
        me = api.get("/me")
    kept = replace(made, user=str(me.get("email") or ""))
    config.save(config.with_login(config.load(), server=address, login=kept))
    return me


def logged_in(address: str, me: Any) -> str:
    """Where, as whom, and where the token lies."""
    who = me.get("name") or me.get("email")
    return f"Logged in to {address} as {who}. The token is kept in {config.config_path()}, readable by you alone."


def new_token(address: str, *, email: str, password: str, days: int) -> config.Login:
    """A new token of an account, named after this machine."""
    name = f"arbitre on {platform.node() or 'this machine'}"[:80]
    asked = {"name": name, "scopes": list(SCOPES), "days": days, "email": email, "password": password}
    with connect(address, anonymous=True) as api:
        answer = api.post("/tokens", asked)
    return config.Login(str(answer["token"]), email, str(answer.get("id") or ""))


def _asked(address: str, *, email: str, days: int) -> config.Login:
    if not email and not sys.stdin.isatty():
        raise Usage("No terminal to ask on. Pass --email and the password on standard input, or pass --token.")
    email = email or str(typer.prompt("E-mail", err=True))
    return new_token(address, email=email, password=_password(), days=days)


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")


def _revoke(address: str, kept: config.Login, out: Output) -> None:
    """Make a token that we made useless on the server too; where that fails, say what is left to do."""
    if not kept.id:
        out.note("The token was given to this program, so it stays valid on the server until you delete it there.")
        return
    try:
        with connect(address, token=kept.token) as api:
            api.send("DELETE", f"/tokens/{segment(kept.id)}")
    except NotAllowed:
        return  # expired or revoked already, which is what was wanted
    except CliError as error:
        out.note(f"{error.text} The token is forgotten here, and stays valid on the server until you delete it there.")


def _warn_open_wire(address: str, out: Output) -> None:
    parts = urlsplit(address)
    if parts.scheme == "http" and not config.is_local(parts.hostname or ""):
        out.note(f"Warning: {address} is not encrypted; password and token can be read on the way. Use https.")
