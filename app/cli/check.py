"""`arbitre check`: whether a file has the right form, told here in the words of the server, before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import verdict
from app.cli.entries import read_file
from app.cli.errors import INVALID, OK
from app.cli.formats import format_of, read_form
from app.cli.options import Json, PhaseName, Plain, ServerName, told
from app.cli.output import Output

Where = Annotated[str, typer.Argument(metavar="SLUG|DIR", help="A challenge of the server, or a folder here.")]


@told
def check(
    where: Where,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file with your predictions.")],
    phase: PhaseName = "",
    server: ServerName = "",
    as_json: Json = False,
    plain: Plain = False,
) -> None:
    """Check the form of a file here, before you send it. Needs no reference; sends nothing and uses no submission."""
    out = Output(json=as_json, plain=plain)
    entry = read_file(file)
    form = format_of(where, phase, server, out)
    report = read_form(entry.path, form)
    good = report.pop("good")
    document: dict[str, Any] = {
        "state": "checked" if good else "rejected",
        "phase": form.phase,
        "filename": entry.path.name,
        "sha256": entry.sha256,
        "size": entry.size,
        "report": report,
    }
    out.document(document)
    first = f"{file} has the right form for phase {form.phase}." if good else f"{file} does not have the right form."
    out.say(first)
    verdict.show_report(report, out)
    raise typer.Exit(OK if good else INVALID)
