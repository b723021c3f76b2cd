"""`arbitre submit`: send an entry once, whatever the network does, and say what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import verdict
from app.cli.client import connect
from app.cli.entries import File, named_files, one_entry, read_file
from app.cli.options import Json, PhaseName, Plain, ServerName, Slug, told
from app.cli.output import Output
from app.cli.phases import phase_row
from app.cli.resumable import Wish
from app.cli.sending import send
from app.cli.waiting import WAIT_S, wait_for

__all__ = ["read_file", "submit"]

Files = Annotated[
    list[Path],
    typer.Option("-f", "--file", help="The file with your predictions; once for each table where a phase has several."),
]
Note = Annotated[str, typer.Option("-m", "--message", "--note", help="A note for your team.")]


@told
def submit(
    slug: Slug,
    file: Files,
    note: Note = "",
    phase: PhaseName = "",
    check: Annotated[bool, typer.Option("--check", help="Only check the form; uses no submission.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the verdict and print it.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Enter the same bytes once more; uses a submission.")] = False,
    limit: Annotated[float, typer.Option("--wait-limit", min=1, help="How long --wait waits, in seconds.")] = WAIT_S,
    server: ServerName = "",
    as_json: Json = False,
    plain: Plain = False,
) -> None:
    """Submit predictions. A dropped connection is tried again and never makes a second entry.

    Large files are sent in pieces: run the same command again to go on where it broke off.
    """
    out = Output(json=as_json, plain=plain)
    for path in file:
        read_file(path)
    with connect(server) as api:
        row = phase_row(api, slug, phase)
        wish = Wish(slug, str(row["slug"]), note, check, again)
        with one_entry(named_files(file, row)) as entry:
            answer = send(api, entry, wish, out)
        show_receipt(answer, entry, out)
        if not wait:
            out.document(answer)
            out.say(f"Follow it: arbitre submission {slug} {answer['number']}")
            return
        document = wait_for(api, slug, int(answer["number"]), limit_s=limit, out=out)
    out.document(document)
    verdict.show(document, out)
    if document["state"] == "scored":
        out.note(f"The board is computed anew: arbitre leaderboard {slug} --phase {wish.phase}")
    raise typer.Exit(verdict.exit_code(document))


def show_receipt(answer: Any, entry: File, out: Output) -> None:
    """What the server says that it holds, and what is left."""
    if answer["new"]:
        out.say(f"Submission {answer['number']} received: {entry.size:,} bytes, sha256 {entry.sha256} there as here.")
    else:
        out.say(f"These bytes are submission {answer['number']} already; nothing is entered twice. See --again.")
    quota = verdict.quota_sentence(answer.get("quota"))
    if quota:
        out.say(quota)
