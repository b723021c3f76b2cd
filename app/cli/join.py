"""`arbitre join`: read what a challenge asks, accept it, and take part."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from app.cli.client import Api, connect, rows_of, segment
from app.cli.errors import NotAllowed, Usage
from app.cli.options import Json, Plain, ServerName, Slug, told
from app.cli.output import Output
from app.cli.words import count, language, text_in

AcceptAll = Annotated[
    bool, typer.Option("--accept-all", help="For scripts: print the documents, then accept them without asking.")
]


@told
def join(
    slug: Slug,
    team: Annotated[str, typer.Option("--team", help="Name of your team; your own name when left out.")] = "",
    accept_all: AcceptAll = False,
    tongue: Annotated[str, typer.Option("--language", help="fr or en; the terminal's when left out.")] = "",
    server: ServerName = "",
    as_json: Json = False,
    plain: Plain = False,
) -> None:
    """Read what a challenge asks, accept it, and take part. Prints every document before it asks."""
    out = Output(json=as_json, plain=plain)
    if tongue not in {"", "fr", "en"}:
        raise Usage(f"There are no documents in {tongue!r}. Write --language fr or --language en.")
    with connect(server) as api:
        documents = rows_of(api.get(f"/challenges/{segment(slug)}/documents"), "documents")
        new = [document for document in documents if not document["accepted"]]
        _show(api, slug, new, tongue or language(), out)
        if new and not accept_all:
            _ask(new)
        body = {"accept": [document["id"] for document in new], "team": team or None}
        answer = api.post(f"/challenges/{segment(slug)}/join", body)
    out.document(answer)
    out.say(f"You take part in {slug} as team {answer['team']}. Next: arbitre download {slug}")


def _show(api: Api, slug: str, documents: Sequence[Any], tongue: str, out: Output) -> None:
    for document in documents:
        path = f"/challenges/{segment(slug)}/documents/{segment(str(document['id']))}"
        page = api.get(path, language=tongue)
        out.note(f"=== {_title(document, tongue)} ===\n")
        out.note(str(page["text"]).strip() + "\n")


def _title(document: Any, tongue: str) -> str:
    must = "" if document["required"] else ", optional"
    return f"{text_in(document['title'], tongue)} (version {document['version']}{must})"


def _ask(documents: Sequence[Any]) -> None:
    if not sys.stdin.isatty():
        raise Usage("No terminal to ask on. Read the documents above, then run this again with --accept-all.")
    answer = typer.prompt(f"Type yes to accept {count(len(documents), 'document')}", err=True, default="no")
    if str(answer).strip().lower() not in {"yes", "y", "oui"}:
        raise NotAllowed("Nothing was accepted, so you do not take part.", code="E-NOT-ACCEPTED")
