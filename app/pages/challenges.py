"""The pages of a challenge: overview, data with downloads, evaluation, rules."""

from __future__ import annotations

import posixpath

from fastapi import Request
from fastapi.responses import Response

from app.db import challenges as rows
from app.domain import access
from app.errors import NotFound
from app.http.downloads import blob_response, picture_response
from app.http.transaction import EdgeDep
from app.pages.answer import show
from app.pages.evaluation import rules_of
from app.pages.frame import frame_of
from app.pages.markdown import PICTURES
from app.pages.routing import pages_router
from app.pages.texts import document_text, page_text
from app.services import challenges

router = pages_router("/challenges/{slug}")


@router.get("")
def overview(slug: str, request: Request, edge: EdgeDep) -> Response:
    """What the challenge is about, its phases, and the steps to take part."""
    with edge.read() as session:
        frame = frame_of(session, edge=edge, slug=slug)
        text = page_text(session, edge=edge, frame=frame, name="overview")
    return show(request, edge, "overview.html", frame=frame, text=text)


@router.get("/data")
def data(slug: str, request: Request, edge: EdgeDep) -> Response:
    """The data and their files."""
    with edge.read() as session:
        frame = frame_of(session, edge=edge, slug=slug)
        text = page_text(session, edge=edge, frame=frame, name="data")
        allowed = access.can_download(edge.actor, frame.standing, sensitivity=frame.row.sensitivity)
        files = challenges.public_files(session, actor=edge.actor, slug=slug) if allowed else None
    return show(request, edge, "data.html", frame=frame, text=text, files=files)


@router.get("/evaluation")
def evaluation(slug: str, request: Request, edge: EdgeDep, phase: str | None = None) -> Response:
    """How entries are read, scored and ranked: the organisers' words, then the rules as the scorer holds them."""
    with edge.read() as session:
        frame = frame_of(session, edge=edge, slug=slug)
        text = page_text(session, edge=edge, frame=frame, name="evaluation")
        view = frame.named(phase)
        rules = rules_of(session, phase=view.row, language=edge.language)
    return show(request, edge, "evaluation.html", frame=frame, text=text, view=view, rules=rules)


@router.get("/rules")
def rules(slug: str, request: Request, edge: EdgeDep) -> Response:
    """The rules and the documents in force."""
    with edge.read() as session:
        frame = frame_of(session, edge=edge, slug=slug)
        text = page_text(session, edge=edge, frame=frame, name="rules")
        documents = [
            (row, document_text(session, edge=edge, frame=frame, document=row))
            for row in rows.documents_of(session, frame.row.id)
        ]
        accepted = rows.accepted_by(session, frame.row.id, edge.actor.user_id) if edge.actor.user_id else set()
    return show(request, edge, "rules.html", frame=frame, text=text, documents=documents, accepted=accepted)


@router.get("/files/{path:path}")
def download(slug: str, path: str, edge: EdgeDep) -> Response:
    """One file of the challenge."""
    with edge.read() as session:
        blob = challenges.public_file(session, actor=edge.actor, slug=slug, path=path)
    return blob_response(blob, blobs=edge.blobs, filename=path.rsplit("/", 1)[-1])


@router.get("/media/{path:path}")
def picture(slug: str, path: str, edge: EdgeDep) -> Response:
    """A picture in an organiser's text: those beside the texts for all who see them, public ones as files are."""
    media_type = PICTURES.get(posixpath.splitext(path)[1].lower())
    if media_type is None:
        raise NotFound()
    with edge.read() as session:
        frame = frame_of(session, edge=edge, slug=slug)
        if challenges.is_download(path):
            blob = challenges.public_file(session, actor=edge.actor, slug=slug, path=path)
        else:
            blob = challenges.file_blob(session, challenge=frame.row, path=path)
    if blob.store != "public":
        raise NotFound()
    return picture_response(blob, blobs=edge.blobs, media_type=media_type)
