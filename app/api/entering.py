"""Making an entry of what the server has already, by JSON: the other way of the address that takes a raw body."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import Headers
from starlette.routing import Match
from starlette.types import Scope

from app.api.accepted import Accepted, accepted_document
from app.api.uploads import finish, taken
from app.errors import NotFound
from app.files import partial
from app.http.rates import limited
from app.http.transaction import Edge, EdgeDep
from app.services import admissions, uploads


class Entering(BaseModel):
    """What makes an entry of a complete upload; its file name is the upload's."""

    model_config = ConfigDict(extra="forbid")

    upload_id: uuid.UUID
    kind: Literal["predictions", "image", "code"] = "predictions"
    note: Annotated[str, Field(max_length=500)] = ""
    check: bool = False
    again: bool = False


class JsonRoute(APIRoute):
    """Takes requests whose body is JSON; a raw entry that is a JSON file comes as application/octet-stream."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        said = Headers(scope=scope).get("content-type", "") if match is Match.FULL else ""
        is_json = said.partition(";")[0].strip().lower() == "application/json"
        return (match, child) if is_json else (Match.NONE, {})


router = APIRouter(tags=["submissions"], route_class=JsonRoute)


@router.post(
    "/challenges/{slug}/phases/{phase}/submissions",
    status_code=202,
    dependencies=[Depends(limited("submit", "120/minute"))],
    include_in_schema=False,
)
def enter(
    slug: str,
    phase: str,
    edge: EdgeDep,
    wish: Entering,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> Accepted:
    """Make an entry of an upload that is complete (design 11.4). The same upload again answers with the same entry."""
    request = admissions.Request(
        slug=slug,
        phase=phase,
        kind=wish.kind,
        check=wish.check,
        note=wish.note,
        idempotency_key=idempotency_key,
        again=wish.again,
    )
    try:
        answer = _verified_and_entered(edge, request, wish.upload_id)
    except (NotFound, uploads.Expired):
        known = _answered_before(edge, request)
        if known is None:
            raise
        return known
    partial.drop(edge.blobs, wish.upload_id)
    return answer


def _verified_and_entered(edge: Edge, request: admissions.Request, upload_id: uuid.UUID) -> Accepted:
    """Verified here, once, where the server died between the last byte and its verification."""
    try:
        return _entered(edge, request, upload_id)
    except uploads.Unverified:
        piece = taken(edge, upload_id)
        try:
            finish(edge, piece, edge.now)
        finally:
            piece.close()
    return _entered(edge, request, upload_id)


def _entered(edge: Edge, request: admissions.Request, upload_id: uuid.UUID) -> Accepted:
    with edge.write() as session:
        done = uploads.enter(
            session,
            actor=edge.actor,
            request=request,
            upload_id=upload_id,
            blobs=edge.blobs,
            settings=edge.settings,
            now=edge.now,
        )
        return accepted_document(request.slug, done)


def _answered_before(edge: Edge, request: admissions.Request) -> Accepted | None:
    """The answer that was lost, when the upload is forgotten by now."""
    with edge.read() as session:
        done = uploads.answer_again(session, actor=edge.actor, request=request, now=edge.now)
        return accepted_document(request.slug, done) if done else None
