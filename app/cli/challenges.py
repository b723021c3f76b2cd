"""`arbitre challenge …`: what organisers do with a challenge folder, and the list that everybody sees."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.archive import archive_bytes, archive_size, folder_members
from app.cli.bars import bar, counted
from app.cli.client import connect, rows_of, segment
from app.cli.errors import Usage
from app.cli.files import size_text
from app.cli.options import Json, PhaseName, Plain, ServerName, Slug, told
from app.cli.output import Output
from app.cli.phases import phase_named
from app.cli.words import count, language, text_in

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The challenge folder, where challenge.toml is.")]


@told
def list_(server: ServerName = "", as_json: Json = False, plain: Plain = False) -> None:
    """List the challenges that you may see."""
    out = Output(json=as_json, plain=plain)
    with connect(server) as api:
        document = api.get("/challenges")
    out.document(document)
    rows = rows_of(document, "challenges")
    if not rows:
        out.say("There are no challenges that you may see. Log in, or ask their organisers.")
        return
    tongue = language()
    out.table(
        ["slug", "title", "state"], [[row["slug"], text_in(row.get("title"), tongue), _state(row)] for row in rows]
    )


@told
def push(folder: Folder, server: ServerName = "", as_json: Json = False, plain: Plain = False) -> None:
    """Send a challenge folder: makes the challenge, or a new version of it. Nothing is shown until you publish it."""
    out = Output(json=as_json, plain=plain)
    members = folder_members(folder)
    if not any(member.name == "challenge.toml" for member in members):
        raise Usage(f"{folder} holds no challenge.toml, so it is no challenge folder.")
    size = archive_size(members)
    out.note(f"Sending {count(len(members), 'file')} of {folder} ({size_text(size)}).")
    with connect(server) as api, bar("push", total=size, out=out) as moved:
        headers = {"Content-Length": str(size), "Content-Type": "application/x-tar", "X-Filename": "challenge.tar"}
        content = counted(archive_bytes(members), moved)
        answer = api.json(api.send("POST", "/challenges", content=content, headers=headers))
    out.document(answer)
    out.say(_pushed(answer))


@told
def publish(slug: Slug, server: ServerName = "", as_json: Json = False, plain: Plain = False) -> None:
    """Show a challenge to everybody. Its short name is fixed from then on."""
    out = Output(json=as_json, plain=plain)
    with connect(server) as api:
        answer = api.post(f"/challenges/{segment(slug)}/publish")
    out.document(answer)
    out.say(f"{slug} is published.")


@told
def close(
    slug: Slug, phase: PhaseName = "", server: ServerName = "", as_json: Json = False, plain: Plain = False
) -> None:
    """Close a phase now. Entries on their way are still scored; then the board is frozen."""
    out = Output(json=as_json, plain=plain)
    with connect(server) as api:
        name = phase_named(api, slug, phase)
        answer = api.post(f"/challenges/{segment(slug)}/phases/{segment(name)}/close")
    out.document(answer)
    out.say(f"Phase {name} of {slug} is closed. Its board freezes when the entries on their way are scored.")


@told
def unfreeze(
    slug: Slug,
    reason: Annotated[str, typer.Option("--reason", "-m", help="Why; kept in the audit trail.")],
    phase: PhaseName = "",
    server: ServerName = "",
    as_json: Json = False,
    plain: Plain = False,
) -> None:
    """Open again the board of a phase that is not over: a wrong clock froze it. The frozen boards are kept."""
    out = Output(json=as_json, plain=plain)
    with connect(server) as api:
        name = phase_named(api, slug, phase)
        answer = api.post(f"/challenges/{segment(slug)}/phases/{segment(name)}/unfreeze", {"reason": reason})
    out.document(answer)
    out.say(f"The board of phase {name} of {slug} is open again and is computed anew.")


def _pushed(answer: Any) -> str:
    slug, version = answer["slug"], answer["version"]
    if answer["change"] == "unchanged":
        return f"{slug} is unchanged: version {version} holds exactly these files."
    digest = str(answer["digest"])[:12]
    told = f"{slug} version {version} is {answer['change']} (folder digest {digest})."
    return f"{told} Next: arbitre challenge publish {slug}" if answer["change"] == "created" else told


def _state(row: Any) -> str:
    """Draft or published, and what the user is in it."""
    words = ["published" if row.get("published_at") else "draft"]
    words += ["you organise it"] if row.get("organiser") else []
    words += ["you take part"] if row.get("joined") else []
    return ", ".join(words)
