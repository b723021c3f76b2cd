"""Challenges: listing, creating from a folder archive, publishing, closing, joining, pages, documents and files."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from app.db import challenges as rows
from app.db import phases
from app.db.challenges import Challenge, Document
from app.db.phases import Phase
from app.domain import access
from app.domain.schedule import Window, window
from app.errors import N_, NotAllowed, NotFound, SignInNeeded
from app.http.body import received_file
from app.http.transaction import Edge, EdgeDep
from app.services import admissions, baselines, challenges, documents, schedule
from app.services.standing import find_challenge

router = APIRouter(prefix="/challenges", tags=["challenges"])


def may_create(edge: EdgeDep) -> None:
    """Refuse before the body is read."""
    if not edge.actor.signed_in:
        raise SignInNeeded()
    if not access.can_create_challenge(edge.actor):
        raise NotAllowed(N_("Your account may not create challenges. Ask an administrator for the right to organise."))


class Text(BaseModel):
    """A text in both languages."""

    fr: str
    en: str


class PhaseDocument(BaseModel):
    slug: str
    title: Text
    opens_at: dt.datetime
    closes_at: dt.datetime
    window: Window
    frozen_at: dt.datetime | None
    kinds: list[str]
    quota_day: int | None
    quota_total: int | None
    limits: dict[str, Any]
    precision: int | None
    scoring: dict[str, Any]
    left: int | None = None
    resets_at: dt.datetime | None = None


class ChallengeCard(BaseModel):
    slug: str
    title: Text
    summary: Text
    sensitivity: str
    zone: str
    published_at: dt.datetime | None
    organiser: bool
    joined: bool


class ChallengeDocument(ChallengeCard):
    version: int
    phases: list[PhaseDocument]
    documents_signed: bool


class Pushed(BaseModel):
    slug: str
    version: int
    digest: str
    change: challenges.Change


class DocumentRow(BaseModel):
    id: uuid.UUID
    slug: str
    version: int
    title: Text
    required: bool
    accepted: bool


class DocumentText(DocumentRow):
    language: str
    text: str


class PageText(BaseModel):
    name: str
    language: str
    text: str


class Join(BaseModel):
    """`accept` lists the ids of the documents that you have read and accept; `team` names your team (default: you)."""

    model_config = ConfigDict(extra="forbid")
    accept: list[uuid.UUID] = []
    team: str | None = None


class Joined(BaseModel):
    challenge: str
    team: str


class FileRow(BaseModel):
    path: str
    size: int
    sha256: str


@router.get("")
def list_challenges(edge: EdgeDep) -> list[ChallengeCard]:
    """The challenges that whoever asks may know of, newest first."""
    with edge.read() as session:
        return [
            ChallengeCard(**_card(challenge, edge, standing))
            for challenge, standing in challenges.visible(session, actor=edge.actor)
        ]


@router.post("", status_code=201, openapi_extra={"requestBody": {"content": {"application/octet-stream": {}}}})
def push(edge: EdgeDep, archive: Annotated[Path, Depends(received_file(admit=may_create))]) -> Pushed:
    """Create or update a challenge from the archive (zip, tar or tar.gz) of its folder, as the raw body."""
    with challenges.kept(archive, blobs=edge.blobs, settings=edge.settings) as kept, edge.write() as session:
        pushed = challenges.push(session, actor=edge.actor, kept=kept, blobs=edge.blobs, now=edge.now)
        baselines.renew(
            session,
            actor=edge.actor,
            challenge=pushed.challenge,
            blobs=edge.blobs,
            settings=edge.settings,
            now=edge.now,
        )
        return Pushed(
            slug=pushed.challenge.slug,
            version=pushed.version.number,
            digest=pushed.version.digest,
            change=pushed.change,
        )


@router.get("/{slug}")
def read(slug: str, edge: EdgeDep) -> ChallengeDocument:
    """One challenge with its phases, what validation may know of entries, and the quota left of the asker's team."""
    with edge.read() as session:
        return challenge_document(session, edge=edge, slug=slug)


class Unfreeze(BaseModel):
    """Why a frozen board is opened again; kept in the audit trail."""

    reason: str = Field(max_length=500)


@router.post("/{slug}/publish")
def publish(slug: str, edge: EdgeDep) -> ChallengeDocument:
    """Publish a draft: visible to all from now on, and its baseline is entered in every phase."""
    with edge.write() as session:
        challenge = challenges.publish(session, actor=edge.actor, slug=slug, now=edge.now)
        baselines.enter(
            session, actor=edge.actor, challenge=challenge, blobs=edge.blobs, settings=edge.settings, now=edge.now
        )
        return challenge_document(session, edge=edge, slug=slug)


@router.post("/{slug}/phases/{phase}/close")
def close(slug: str, phase: str, edge: EdgeDep) -> ChallengeDocument:
    """End a phase now; its board freezes once every entry has ended."""
    with edge.write() as session:
        challenges.close(session, actor=edge.actor, slug=slug, phase=phase, now=edge.now)
        return challenge_document(session, edge=edge, slug=slug)


@router.post("/{slug}/phases/{phase}/unfreeze")
def unfreeze(slug: str, phase: str, body: Unfreeze, edge: EdgeDep) -> ChallengeDocument:
    """Open again the board of a phase that is not over: a wrong clock froze it. The frozen boards and the act stay."""
    with edge.write() as session:
        schedule.unfreeze(session, actor=edge.actor, slug=slug, phase=phase, reason=body.reason, now=edge.now)
        return challenge_document(session, edge=edge, slug=slug)


@router.get("/{slug}/pages/{name}")
def page(slug: str, name: str, edge: EdgeDep, language: Literal["fr", "en"] = "en") -> PageText:
    """One page (overview, data, evaluation, rules) as Markdown."""
    with edge.read() as session:
        challenge, _ = find_challenge(session, actor=edge.actor, slug=slug)
        text = challenges.page(session, challenge=challenge, name=name, language=language, blobs=edge.blobs)
        return PageText(name=name, language=language, text=text)


@router.get("/{slug}/documents")
def list_documents(slug: str, edge: EdgeDep) -> list[DocumentRow]:
    """The documents in force and which of them the asker accepted."""
    with edge.read() as session:
        challenge, _ = find_challenge(session, actor=edge.actor, slug=slug)
        return [_document(session, edge, row) for row in rows.documents_of(session, challenge.id)]


@router.get("/{slug}/documents/{document_id}")
def read_document(
    slug: str, document_id: uuid.UUID, edge: EdgeDep, language: Literal["fr", "en"] = "en"
) -> DocumentText:
    """One document with its text."""
    with edge.read() as session:
        challenge, _ = find_challenge(session, actor=edge.actor, slug=slug)
        row = session.get(Document, document_id)
        if row is None or row.challenge_id != challenge.id:
            raise NotFound()
        text = challenges.document_text(session, document=row, language=language, blobs=edge.blobs)
        return DocumentText(**_document(session, edge, row).model_dump(), language=language, text=text)


@router.post("/{slug}/join", status_code=201)
def join(slug: str, body: Join, edge: EdgeDep) -> Joined:
    """Accept documents and enter as a team of one."""
    with edge.write() as session:
        team = documents.join(
            session, actor=edge.actor, slug=slug, accept=body.accept, team_name=body.team, now=edge.now
        )
        return Joined(challenge=slug, team=team.name)


@router.get("/{slug}/files")
def list_files(slug: str, edge: EdgeDep) -> list[FileRow]:
    """What participants download: paths, sizes in bytes, digests."""
    with edge.read() as session:
        found = challenges.public_files(session, actor=edge.actor, slug=slug)
        return [FileRow(path=path, size=blob.size, sha256=blob.sha256) for path, blob in found]


@router.get("/{slug}/files/{path:path}", response_class=FileResponse)
def download(slug: str, path: str, edge: EdgeDep) -> FileResponse:
    """One file; ranges are honoured, and the ETag is its sha256."""
    with edge.read() as session:
        blob = challenges.public_file(session, actor=edge.actor, slug=slug, path=path)
    return FileResponse(
        edge.blobs.path(blob.store, blob.sha256),
        filename=path.rsplit("/", 1)[-1],
        media_type="application/octet-stream",
        headers={"ETag": f'"{blob.sha256}"', "X-Sha256": blob.sha256},
    )


def challenge_document(session: Session, *, edge: Edge, slug: str) -> ChallengeDocument:
    """A challenge as the asker may see it."""
    challenge, standing = find_challenge(session, actor=edge.actor, slug=slug)
    return ChallengeDocument(
        **_card(challenge, edge, standing),
        version=rows.version(session, challenge).number,
        phases=[
            _phase(session, challenge, phase, edge, standing) for phase in phases.of_challenge(session, challenge.id)
        ],
        documents_signed=standing.documents_signed,
    )


def _card(challenge: Challenge, edge: Edge, standing: access.Standing) -> dict[str, Any]:
    return {
        "slug": challenge.slug,
        "title": challenge.title,
        "summary": challenge.summary,
        "sensitivity": challenge.sensitivity,
        "zone": challenge.zone,
        "published_at": challenge.published_at,
        "organiser": access.can_manage(edge.actor, standing),
        "joined": standing.team_id is not None,
    }


def _phase(
    session: Session, challenge: Challenge, phase: Phase, edge: Edge, standing: access.Standing
) -> PhaseDocument:
    left = None
    if standing.team_id is not None:
        left = admissions.quota_of(session, challenge=challenge, phase=phase, team_id=standing.team_id, now=edge.now)
    return PhaseDocument(
        slug=phase.slug,
        title=Text(**phase.title),
        opens_at=phase.opens_at,
        closes_at=phase.closes_at,
        window=window(phase, published=challenge.published_at is not None, now=edge.now),
        frozen_at=phase.frozen_at,
        kinds=phase.kinds,
        quota_day=phase.quota_day,
        quota_total=phase.quota_total,
        limits=phase.limits,
        precision=phase.precision,
        scoring=phase.scoring_spec,
        left=left.left if left else None,
        resets_at=left.resets_at if left else None,
    )


def _document(session: Session, edge: Edge, row: Document) -> DocumentRow:
    mine = rows.accepted_by(session, row.challenge_id, edge.actor.user_id) if edge.actor.user_id else set()
    return DocumentRow(
        id=row.id,
        slug=row.slug,
        version=row.version,
        title=Text(**row.title),
        required=row.required,
        accepted=row.id in mine,
    )
