"""`arbitre submissions` and `submission`: what a team sent, and what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from app.cli import verdict
from app.cli.answers import local_time
from app.cli.client import connect, rows_of, segment
from app.cli.options import Json, Plain, ServerName, Slug, told
from app.cli.output import Output


@told
def submissions(
    slug: Slug,
    before: Annotated[int | None, typer.Option("--before", help="Only those with a smaller number.")] = None,
    server: ServerName = "",
    as_json: Json = False,
    plain: Plain = False,
) -> None:
    """List your team's submissions, newest first."""
    out = Output(json=as_json, plain=plain)
    with connect(server) as api:
        document = api.get(f"/challenges/{segment(slug)}/submissions", before=before)
    out.document(document)
    show_rows(slug, rows_of(document, "submissions"), out, before=before)


@told
def submission(
    slug: Slug,
    number: Annotated[int, typer.Argument(metavar="N", help="Number of the submission.", min=1)],
    server: ServerName = "",
    as_json: Json = False,
    plain: Plain = False,
) -> None:
    """Show one submission: verdict, problems, scores."""
    out = Output(json=as_json, plain=plain)
    with connect(server) as api:
        document = api.get(f"/challenges/{segment(slug)}/submissions/{number}")
    out.document(document)
    verdict.show(document, out)


def show_rows(slug: str, rows: Sequence[Any], out: Output, *, before: int | None = None) -> None:
    """A team's submissions as a table."""
    if not rows:
        out.say(f"Your team has no submissions to {slug}{f' before {before}' if before else ''}.")
        return
    out.table(["number", "received", "phase", "state", "file", "note"], [_row(row) for row in rows])


def _row(row: Any) -> list[str | int | None]:
    state = f"{row['state']}{' (check)' if row.get('check') and row['state'] != 'checked' else ''}"
    return [
        row["number"],
        local_time(str(row["received_at"])),
        row["phase"],
        f"{state}, final" if row.get("final") else state,
        row["filename"],
        row["note"],
    ]
