"""Arbitre from a notebook or a script: `import arbitre; arbitre.submit(frame, "cytologia", note="first try")`.

Whatever these functions return prints as the command line would tell it; whatever is refused raises `ArbitreError`
with the server's own sentence. Server and token are those of ARBITRE_SERVER and ARBITRE_TOKEN, else of `arbitre login`
(or `arbitre.login`).
"""

from __future__ import annotations

import functools
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from app.cli import config, results
from app.cli import login as logins
from app.cli.client import connect, rows_of, segment
from app.cli.entries import one_entry
from app.cli.errors import CliError, Invalid, Usage
from app.cli.files import bring, file_list, left_as_they_are
from app.cli.output import Output, clean
from app.cli.phases import phase_row
from app.cli.results import Account, ArbitreError, Check, Files, Rows, Submission
from app.cli.shown import Kept
from app.cli.submissions import show_rows
from app.cli.waiting import WAIT_S, wait_for

__all__ = [
    "Account",
    "ArbitreError",
    "Check",
    "Files",
    "Rows",
    "Submission",
    "check",
    "download",
    "leaderboard",
    "login",
    "submissions",
    "submit",
]

P = ParamSpec("P")
T = TypeVar("T")


def _public(function: Callable[P, T]) -> Callable[P, T]:
    """Refusals as the one exception of this module, without the inner workings below it."""

    @functools.wraps(function)
    def framed(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except CliError as error:
            raise results.public_error(error) from None

    return framed


@dataclass(frozen=True)
class _Progress(Output):
    """Progress as lines of the cell; nothing else is printed."""

    plain: bool = True
    silent: bool = False

    def note(self, text: str) -> None:
        if not self.silent:
            sys.stdout.write(clean(text) + "\n")
            sys.stdout.flush()


@_public
def login(server: str = "", *, token: str = "", email: str = "", password: str = "", days: int = 90) -> Account:
    """Keep a token for a server: the one given, else a new one for `email` and `password`, asked for when left out.

    The password is kept nowhere. Raises ArbitreError.
    """
    address = config.server_address(server, config.load())
    if token:
        made = config.Login(token)
    else:
        email = email or input("E-mail: ")
        made = logins.new_token(address, email=email, password=password or _password(), days=days)
    me = logins.keep(address, made)
    return Account((logins.logged_in(address, me),), me, address, str(me.get("name") or me.get("email") or ""))


@_public
def submit(
    data: Any,
    challenge: str,
    *,
    note: str = "",
    phase: str | None = None,
    wait: bool = True,
    check: bool = False,
    again: bool = False,
    timeout: float = WAIT_S,
    progress: bool = True,
    server: str = "",
) -> Submission:
    """Enter `data` and, with `wait`, wait for its verdict (`timeout` in seconds).

    `data`: a pandas DataFrame, the path of a file, its bytes, or a dict {table: one of these} where entries have
    several tables. The same bytes again are the same entry, unless `again`. `check`: only test the form, which uses no
    submission. A frame's numbers are written so that reading gives them back; its index only where it has a name.
    Raises ArbitreError when nothing was entered; an entry that is rejected or fails is returned, with its problems.
    """
    from app.cli.frames import entry_files, tables_of
    from app.cli.resumable import Wish
    from app.cli.sending import send

    out = _Progress(silent=not progress)
    with connect(server) as api:
        row = phase_row(api, challenge, phase or "")
        wish = Wish(challenge, str(row["slug"]), note, check, again)
        with (
            tempfile.TemporaryDirectory(prefix="arbitre-") as folder,
            one_entry(entry_files(data, tables_of(row), Path(folder))) as entry,
        ):
            answer = send(api, entry, wish, out)
        if not wait:
            return results.accepted(challenge, answer)
        document = wait_for(api, challenge, int(answer["number"]), limit_s=timeout, out=out)
        return results.judged(challenge, document, answer=answer, score=_score(api, challenge, document))


@_public
def check(data: Any, challenge: str | os.PathLike[str], *, phase: str | None = None, server: str = "") -> Check:
    """Hold `data` (as for `submit`) against the form of a phase, here: nothing is sent, no submission is used.

    `challenge`: a challenge of the server, or the path of a challenge folder. Raises ArbitreError.
    """
    from app.cli.formats import format_of, read_form
    from app.cli.frames import Table, entry_files
    from app.cli.verdict import show_report

    form = format_of(os.fspath(challenge), phase or "", server, Output())
    tables = [Table(table.name, table.file, table.format) for table in form.spec.tables]
    with (
        tempfile.TemporaryDirectory(prefix="arbitre-") as folder,
        one_entry(entry_files(data, tables, Path(folder))) as entry,
    ):
        report = read_form(entry.path, form)
    good, out = bool(report["good"]), Kept()
    out.say(f"{entry.name} {'has' if good else 'does not have'} the right form for phase {form.phase}.")
    show_report(report, out)
    return Check(tuple(out.parts), report, good, results.problems_of(report))


@_public
def leaderboard(challenge: str, *, phase: str | None = None, split: str | None = None, server: str = "") -> Rows:
    """The leaderboard of a phase: a sequence of rows; `.frame()` is a pandas DataFrame. Raises ArbitreError."""
    with connect(server) as api:
        name = str(phase_row(api, challenge, phase or "")["slug"])
        address = f"/challenges/{segment(challenge)}/phases/{segment(name)}/leaderboard"
        return results.board(api.get(address, split=split))


@_public
def submissions(challenge: str, *, server: str = "") -> Rows:
    """Your team's last entries, newest first: a sequence of rows; `.frame()` is a pandas DataFrame."""
    with connect(server) as api:
        document = api.get(f"/challenges/{segment(challenge)}/submissions")
    out = Kept()
    show_rows(challenge, rows_of(document, "submissions"), out)
    return Rows(tuple(out.parts), document, tuple(rows_of(document, "submissions")))


@_public
def download(
    challenge: str,
    paths: str | Sequence[str] = (),
    *,
    folder: str | os.PathLike[str] | None = None,
    force: bool = False,
    progress: bool = True,
    server: str = "",
) -> Files:
    """Fetch files of a challenge, all without `paths`, into `folder` (else ./<challenge>), checked by their sha256.

    Files that you changed stay, unless `force`. Raises ArbitreError.
    """
    where, out = Path(folder or challenge), _Progress(silent=not progress)
    names = [paths] if isinstance(paths, str) else list(paths)
    with connect(server) as api:
        document = file_list(api, challenge)
        wanted, kept = bring(api, challenge, document, paths=names, folder=where, force=force, out=out)
    if kept:
        raise Invalid(f"{left_as_they_are(kept)} Use force=True.")
    told = f"{where} holds {len(wanted)} of the files of {challenge}, sha256 verified."
    return Files((told,), document, where, tuple(where.joinpath(*name.split("/")) for name in wanted))


def _score(api: Any, challenge: str, document: Mapping[str, Any]) -> float | None:
    """The ranking value of an entry, which its row in the list has."""
    if document.get("state") != "scored":
        return None
    rows = api.get(f"/challenges/{segment(challenge)}/submissions", before=int(document["number"]) + 1, limit=1)
    found = next((row.get("score") for row in rows_of(rows, "submissions")), None)
    value = (found or {}).get("value")
    return None if value is None else float(value)


def _password() -> str:
    import getpass

    if not sys.stdin:
        raise Usage("There is nowhere to ask for the password. Give token=…")
    return getpass.getpass("Password: ")
