"""Resumable uploads: tus 1.0.0 with creation, expiration and termination."""

from __future__ import annotations

import base64
import datetime as dt
import re
import uuid
from collections.abc import Iterator
from email.utils import format_datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Response
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.routing import Match
from starlette.types import Scope

from app.errors import N_, AppError, Conflict
from app.files import partial
from app.files.partial import Held
from app.http.body import Appended, appended_to
from app.http.rates import limited
from app.http.transaction import Edge, EdgeDep
from app.services import uploads
from app.services.admissions import Request
from app.services.uploads import View

VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,termination"
PIECE_TYPE = "application/offset+octet-stream"
KEYS = {"challenge", "phase", "kind", "sha256", "filename", "check", "again"}
WORDS = ("true", "false")
DIGEST = re.compile("[0-9a-fA-F]{64}")
NUMBER = re.compile("[0-9]{1,15}")
MISSING = N_("The header Upload-Metadata holds no `%(key)s`. It needs `challenge` and `phase`, each with its slug.")
TWICE = N_("The header Upload-Metadata holds `%(key)s` twice.")
CODED = N_(
    "The header Upload-Metadata is written `key value, key value`; the value of `%(key)s` is not base64 of UTF-8."
)
VALUE = N_("The header Upload-Metadata holds a value of `%(key)s` that is not known: %(value)s.")
COUNT = N_("The header %(header)s is missing or is no number of bytes.")


class UploadRoute(APIRoute):
    """A method that a client cannot send comes as POST with its name in a header, as tus has it."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        named = Headers(scope=scope).get("x-http-method-override") if scope["type"] == "http" else None
        if not named or scope["method"] != "POST" or named not in {"PATCH", "DELETE", "HEAD"}:
            return super().matches(scope)
        match, child = super().matches({**scope, "method": named})
        return match, {**child, "method": named}


class ProtocolRefused(AppError):
    status = 412
    code = "E-TUS-VERSION"
    template = N_("Send the header `Tus-Resumable: 1.0.0`: this server speaks that version of tus.")


class WrongType(AppError):
    status = 415
    code = "E-TYPE"
    template = N_("A piece of an upload has the content type %(type)s.")


def protocol(tus_resumable: Annotated[str, Header()] = "") -> Iterator[None]:
    """Every answer names the version; a request that names no known one is refused."""
    try:
        if tus_resumable != VERSION:
            raise ProtocolRefused(headers={"Tus-Version": VERSION})
        yield
    except AppError as error:
        error.headers.setdefault("Tus-Resumable", VERSION)
        raise


router = APIRouter(prefix="/uploads", tags=["uploads"], route_class=UploadRoute)
TUS = [Depends(protocol)]


@router.options("", status_code=204)
@router.options("/{upload_id}", status_code=204)
def capabilities() -> Response:
    """What this server speaks. The largest upload is each phase's own."""
    return _answer(204, **{"Tus-Version": VERSION, "Tus-Extension": EXTENSIONS})


@router.post("", status_code=201, dependencies=[*TUS, Depends(limited("submit", "120/minute"))])
def create(
    edge: EdgeDep,
    upload_length: Annotated[str, Header()] = "",
    upload_metadata: Annotated[str, Header(max_length=4000)] = "",
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> Response:
    """Announce an entry: `challenge`, `phase`, `kind`, `sha256`; also `filename`, `check`, `again`.

    This is the request that has to come before the close; quota and window are tested here.
    """
    request, length = announced(upload_metadata, idempotency_key), _count("Upload-Length", upload_length)
    with edge.write() as session:
        view = uploads.create(
            session,
            actor=edge.actor,
            request=request,
            length=length,
            announced=upload_metadata,
            settings=edge.settings,
            now=edge.now,
        )
        # Last: how much room there is, is told to nobody who may not send so much.
        partial.check_room(edge.blobs, length)
    return _answer(201, Location=f"/api/v1/uploads/{view.id}", **_expires(view))


@router.head("/{upload_id}", dependencies=TUS)
def offset(upload_id: uuid.UUID, edge: EdgeDep) -> Response:
    """How many bytes are durably there."""
    with edge.read() as session:
        view = uploads.find(session, actor=edge.actor, upload_id=upload_id, now=edge.now)
    there = view.length if view.complete else partial.offset(edge.blobs, upload_id)
    told = {"Upload-Offset": str(there), "Upload-Length": str(view.length), "Upload-Metadata": view.announced}
    return _answer(200, **{"Cache-Control": "no-store"}, **told, **_expires(view))


class Piece:
    """An upload that is being added to by this request; a complete one takes nothing more."""

    def __init__(self, view: View, held: Held | None) -> None:
        self.view = view
        self.held = held
        self.limit = 0 if held is None else view.length - held.offset

    @property
    def there(self) -> int:
        return self.view.length if self.held is None else self.held.offset

    def write(self, data: bytes, /) -> None:
        if self.held is not None:
            self.held.write(data)

    def close(self) -> int:
        return self.view.length if self.held is None else self.held.close()


def begun(
    upload_id: uuid.UUID,
    edge: EdgeDep,
    upload_offset: Annotated[str, Header()] = "",
    content_type: Annotated[str, Header()] = "",
) -> Piece:
    """The upload, held for this request, if it stands where the request goes on."""
    if content_type.split(";")[0].strip().lower() != PIECE_TYPE:
        raise WrongType(type=PIECE_TYPE)
    given = _count("Upload-Offset", upload_offset)
    piece = taken(edge, upload_id)
    there = piece.there
    if given != there:
        piece.close()
        raise Conflict(
            N_("This upload stands at byte %(there)s, not at %(given)s. Go on from there."),
            code="E-OFFSET",
            there=there,
            given=given,
        )
    return piece


def taken(edge: Edge, upload_id: uuid.UUID) -> Piece:
    """The upload, held unless it is complete. Raises as `uploads.touch`, and Locked."""
    held = None
    try:
        with edge.write() as session:
            view = uploads.touch(session, actor=edge.actor, upload_id=upload_id, now=edge.now)
            # With the row locked: whoever forgets the upload does so before it, or sees the hold.
            held = None if view.complete else partial.hold(edge.blobs, upload_id)
    except BaseException:
        if held is not None:
            held.close()
        raise
    return Piece(view, held)


@router.patch(
    "/{upload_id}",
    status_code=204,
    dependencies=TUS,
    openapi_extra={"requestBody": {"content": {PIECE_TYPE: {}}}},
)
def add(edge: EdgeDep, body: Annotated[Appended[Piece], Depends(appended_to(open=begun))]) -> Response:
    """Add the body at `Upload-Offset`; the last piece is answered once the sha256 of the whole is verified."""
    piece = body.sink
    try:
        finish(edge, piece, body.at)
    finally:
        there = piece.close()
    return _answer(204, **{"Upload-Offset": str(there)}, **_expires(piece.view))


def finish(edge: Edge, piece: Piece, at: dt.datetime) -> None:
    """Verify the bytes and note that they are whole, if they are; outside of any transaction, for it takes long."""
    if piece.held is None or piece.held.offset < piece.view.length:
        return
    stored = uploads.check_bytes(piece.held, view=piece.view)
    piece.held.sync()
    with edge.write() as session:
        uploads.completed(session, upload_id=piece.view.id, stored=stored, now=at)


@router.delete("/{upload_id}", status_code=204, dependencies=TUS)
def give_up(upload_id: uuid.UUID, edge: EdgeDep) -> Response:
    """Forget the upload and its bytes."""
    with edge.write() as session:
        uploads.delete(session, actor=edge.actor, upload_id=upload_id, now=edge.now)
        held = partial.hold(edge.blobs, upload_id)
    held.close()
    partial.drop(edge.blobs, upload_id)
    return _answer(204)


def announced(metadata: str, key: str | None) -> Request:
    """The request that an upload's metadata announces. Raises AppError naming what is wrong in them."""
    pairs = _pairs(metadata)
    for name in ("challenge", "phase"):
        if not pairs.get(name):
            raise AppError(MISSING, key=name)
    if "sha256" in pairs and not DIGEST.fullmatch(pairs["sha256"]):
        raise AppError(VALUE, key="sha256", value=pairs["sha256"][:80])
    return Request(
        slug=pairs["challenge"],
        phase=pairs["phase"],
        kind=pairs.get("kind", "predictions"),
        check=_flag(pairs, "check"),
        again=_flag(pairs, "again"),
        filename=pairs.get("filename", "").replace("\\", "/").rsplit("/", 1)[-1][:200],
        sha256=pairs["sha256"].lower() if "sha256" in pairs else None,
        idempotency_key=key,
    )


def _pairs(metadata: str) -> dict[str, str]:
    """Key -> value of what is known in `key base64, key base64`; other keys are a client's own."""
    found: dict[str, str] = {}
    for part in metadata.split(","):
        name, _, value = part.strip().partition(" ")
        if name in found:
            raise AppError(TWICE, key=name)
        try:
            found |= {name: base64.b64decode(value, validate=True).decode()} if name in KEYS else {}
        except ValueError as error:
            raise AppError(CODED, key=name) from error
    return found


def _flag(pairs: dict[str, str], name: str) -> bool:
    text = pairs.get(name, "false")
    if text not in WORDS:
        raise AppError(VALUE, key=name, value=text[:80])
    return text == "true"


def _count(header: str, text: str) -> int:
    if not NUMBER.fullmatch(text):
        raise AppError(COUNT, header=header)
    return int(text)


def _expires(view: View) -> dict[str, str]:
    return {"Upload-Expires": format_datetime(view.kept_until.astimezone(dt.UTC), usegmt=True)}


def _answer(status: int, **headers: Any) -> Response:
    return Response(status_code=status, headers={"Tus-Resumable": VERSION, **headers})
