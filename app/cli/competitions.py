"""`arbitre competitions …`: Kaggle's verbs and options, for fingers that know them; each does what one of ours does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from app.cli import boards, challenges, files
from app.cli import submissions as entries
from app.cli import submit as sending
from app.cli.client import connect, segment
from app.cli.errors import Usage
from app.cli.options import Json, PhaseName, Plain, ServerName, told
from app.cli.output import Output
from app.cli.phases import phase_named
from app.cli.waiting import WAIT_S

Competition = Annotated[
    str,
    typer.Argument(metavar="COMPETITION", help="Short name of the challenge; or give it with -c.", show_default=False),
]
Named = Annotated[str, typer.Option("-c", "--competition", help="The same as COMPETITION.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="As --plain.")]


def group(*, plain: bool) -> typer.Typer:
    """The verbs."""
    app = typer.Typer(
        help="Kaggle's verbs: the same as submit, submissions, leaderboard, download, files and `challenge list`.",
        no_args_is_help=True,
        rich_markup_mode=None if plain else "rich",
    )
    verbs: dict[str, Callable[..., None]] = {
        "submit": submit,
        "submissions": submissions,
        "leaderboard": leaderboard,
        "download": download,
        "files": list_files,
        "list": list_challenges,
    }
    for name, verb in verbs.items():
        app.command(name)(verb)
    return app


@told
def submit(
    competition: Competition = "",
    file: Annotated[list[Path] | None, typer.Option("-f", "--file", help="The file with your predictions.")] = None,
    message: Annotated[str, typer.Option("-m", "--message", help="A note for your team.")] = "",
    named: Named = "",
    phase: PhaseName = "",
    quiet: Quiet = False,
    server: ServerName = "",
    as_json: Json = False,
    plain: Plain = False,
) -> None:
    """The same as `arbitre submit COMPETITION -f FILE -m MESSAGE`."""
    if not file:
        raise Usage("Name the file with your predictions: -f FILE")
    sending.submit(
        _one(competition, named),
        file,
        note=message,
        phase=phase,
        check=False,
        wait=False,
        again=False,
        limit=WAIT_S,
        server=server,
        as_json=as_json,
        plain=plain or quiet,
    )


@told
def submissions(
    competition: Competition = "",
    named: Named = "",
    quiet: Quiet = False,
    server: ServerName = "",
    as_json: Json = False,
    plain: Plain = False,
) -> None:
    """The same as `arbitre submissions COMPETITION`."""
    slug = _one(competition, named)
    entries.submissions(slug, before=None, server=server, as_json=as_json, plain=plain or quiet)


@told
def leaderboard(
    competition: Competition = "",
    named: Named = "",
    show: Annotated[bool, typer.Option("-s", "--show", help="Show it here; also what happens without.")] = False,
    fetch: Annotated[bool, typer.Option("-d", "--download", help="Write it to COMPETITION-leaderboard.csv.")] = False,
    path: Annotated[Path | None, typer.Option("-p", "--path", help="The folder for --download.")] = None,
    csv: Annotated[bool, typer.Option("-v", "--csv", help="Print it as CSV.")] = False,
    phase: PhaseName = "",
    quiet: Quiet = False,
    server: ServerName = "",
    as_json: Json = False,
    plain: Plain = False,
) -> None:
    """The same as `arbitre leaderboard COMPETITION`."""
    slug = _one(competition, named)
    if show and fetch:
        raise Usage("Choose one of --show and --download.")
    if fetch:
        _save_board(slug, path or Path(), phase, server, Output(json=as_json, plain=plain or quiet))
        return
    boards.leaderboard(
        slug, phase=phase, split="", history="", csv=csv, server=server, as_json=as_json, plain=plain or quiet
    )


@told
def download(
    competition: Competition = "",
    named: Named = "",
    file: Annotated[list[str] | None, typer.Option("-f", "--file", help="A file of the challenge; else all.")] = None,
    path: Annotated[Path | None, typer.Option("-p", "--path", help="Where to put them; ./COMPETITION without.")] = None,
    here: Annotated[bool, typer.Option("-w", "--wp", help="Put them into this folder.")] = False,
    force: Annotated[bool, typer.Option("-o", "--force", help="Replace files that differ here.")] = False,
    quiet: Quiet = False,
    server: ServerName = "",
    as_json: Json = False,
    plain: Plain = False,
) -> None:
    """The same as `arbitre download COMPETITION`.

    As Kaggle has it, -p is the folder and -o replaces what differs: our -o and --force.
    """
    folder = Path() if here else path
    slug = _one(competition, named)
    files.download(slug, file, folder, force=force, server=server, as_json=as_json, plain=plain or quiet)


@told
def list_files(
    competition: Competition = "",
    named: Named = "",
    quiet: Quiet = False,
    server: ServerName = "",
    as_json: Json = False,
    plain: Plain = False,
) -> None:
    """The same as `arbitre files COMPETITION`."""
    files.files(_one(competition, named), server=server, as_json=as_json, plain=plain or quiet)


@told
def list_challenges(quiet: Quiet = False, server: ServerName = "", as_json: Json = False, plain: Plain = False) -> None:
    """The same as `arbitre challenge list`."""
    challenges.list_(server=server, as_json=as_json, plain=plain or quiet)


def _save_board(slug: str, folder: Path, phase: str, server: str, out: Output) -> None:
    target = folder / f"{slug}-leaderboard.csv"
    with connect(server) as api:
        address = f"/challenges/{segment(slug)}/phases/{segment(phase_named(api, slug, phase))}/leaderboard.csv"
        answer = api.send("GET", address, headers={"Accept": "text/csv"})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        target.write_bytes(answer.content)
    except OSError as error:
        raise Usage(f"{target} cannot be written ({error.strerror}). Choose another folder with -p.") from error
    out.document({"path": str(target)})
    out.say(f"{target} holds the leaderboard of {slug}.")


def _one(competition: str, named: str) -> str:
    """The challenge, given in one of the two ways. Errors: Usage."""
    if competition and named and competition != named:
        raise Usage(f"Name one challenge: {competition} and {named} are two.")
    if not competition and not named:
        raise Usage(
            "Name the challenge: COMPETITION, or -c COMPETITION. `arbitre challenge list` shows those there are."
        )
    return competition or named
