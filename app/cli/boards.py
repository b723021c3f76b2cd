"""`arbitre leaderboard`: who stands where, with intervals, and how a team's rank changed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from app.cli.answers import local_time
from app.cli.client import connect, segment
from app.cli.errors import Usage
from app.cli.options import Json, PhaseName, Plain, ServerName, Slug, told
from app.cli.output import Output
from app.cli.phases import phase_named
from app.cli.values import text_of

NOTES = {"N-NO-CLUSTER": "Intervals are per case, and too narrow if cases share a patient."}
OFF_BOARD = "not on the board"


@told
def leaderboard(
    slug: Slug,
    phase: PhaseName = "",
    split: Annotated[str, typer.Option("--split", help="Which split; the one that is live when left out.")] = "",
    history: Annotated[str, typer.Option("--history", metavar="TEAM", help="How this team's rank changed.")] = "",
    csv: Annotated[bool, typer.Option("--csv", help="Print the board as CSV.")] = False,
    server: ServerName = "",
    as_json: Json = False,
    plain: Plain = False,
) -> None:
    """Show the leaderboard of a phase."""
    out = Output(json=as_json, plain=plain)
    if csv and as_json:
        raise Usage("Choose one of --csv and --json: standard output holds one document.")
    if csv and history:
        raise Usage("--csv prints the board. For the history of a rank choose --history alone, or with --json.")
    with connect(server) as api:
        address = f"/challenges/{segment(slug)}/phases/{segment(phase_named(api, slug, phase))}/leaderboard"
        if csv:
            params = {"split": split} if split else {}
            answer = api.send("GET", f"{address}.csv", params=params, headers={"Accept": "text/csv"})
            sys.stdout.write(answer.text.replace("\r\n", "\n"))
            return
        if history:
            document = api.get(f"{address}/history", split=split or None, team=history)
        else:
            document = api.get(address, split=split or None)
    out.document(document)
    (show_history if history else show_board)(document, out)


def show_history(document: Mapping[str, Any], out: Output) -> None:
    """When the rank or the value changed, oldest first."""
    points = document.get("points") or []
    out.say(f"{document.get('team')}, phase {document.get('phase')}, split {document.get('split')}:")
    if not points:
        out.say("It has not stood on this board yet.")
        return
    rows = [
        [
            local_time(str(point["at"])),
            OFF_BOARD if point.get("on_board") is False else _rank(point),
            _between(point.get("rank_low"), point.get("rank_high")),
            None if point.get("value") is None else text_of(point["value"]),
        ]
        for point in points
    ]
    out.table(["from", "rank", "rank interval", "value"], rows)
    if int(document.get("changes") or 0) > len(points):
        out.say(f"{len(points)} of {document['changes']} changes are shown, evenly thinned.")


def show_board(document: Mapping[str, Any], out: Output) -> None:
    """The board and, in one sentence, how final it is."""
    rows = document.get("rows") or []
    out.say(_heading(document))
    if not rows:
        out.say("Nobody stands on it yet.")
        return
    columns = ["rank", "rank interval", "team", "value", "interval", "entries"]
    out.table(columns, [_row(row) for row in rows])
    for note in document.get("notes") or []:
        out.say(NOTES.get(str(note), str(note)))
    if any(row.get("tied") for row in rows):
        out.say("= marks ranks that are shared: these teams cannot be told apart by the rule of this phase.")


def _heading(document: Mapping[str, Any]) -> str:
    state = "provisional" if document.get("provisional") else "final"
    at = document.get("computed_at")
    when = f", computed {local_time(str(at))}" if at else ""
    ranking = document.get("ranking") or {}
    by = f", ranked by {ranking['output']}, {ranking['direction']} is better" if ranking.get("output") else ""
    return f"Phase {document.get('phase')}, split {document.get('split')}{by}: {state}{when}."


def _row(row: Mapping[str, Any]) -> list[str | int | None]:
    team = str(row.get("team"))
    words = ["baseline" if row.get("baseline") and team.lower() != "baseline" else None, row.get("reason")]
    notes = [str(word) for word in words if word]
    shown = row.get("shown_value", row.get("value"))
    return [
        _rank(row),
        _between(row.get("rank_low"), row.get("rank_high")),
        f"{team} ({', '.join(notes)})" if notes else team,
        None if shown is None else text_of(shown),
        _between(row.get("low"), row.get("high")),
        row.get("entries"),
    ]


def _rank(row: Mapping[str, Any]) -> str:
    return "-" if row.get("rank") is None else f"{row['rank']}{'=' if row.get('tied') else ''}"


def _between(low: Any, high: Any) -> str | None:
    if low is None or high is None:
        return None
    return text_of(low) if low == high else f"{text_of(low)} to {text_of(high)}"
