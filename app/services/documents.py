"""The documents of a challenge and their acceptance; joining."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.db import challenges as rows
from app.db import teams
from app.db.challenges import Acceptance, Challenge, Document
from app.db.teams import Team
from app.domain import access
from app.domain.access import Actor
from app.errors import N_, Conflict, Invalid, NotAllowed, SignInNeeded
from app.services import audit
from app.services.standing import find_challenge
from app.services.teams import create_team


def join(
    session: Session, *, actor: Actor, slug: str, accept: list[uuid.UUID], team_name: str | None, now: dt.datetime
) -> Team:
    """Accept the documents named and enter as a team of one; joining again only adds acceptances.

    Raises Conflict when a required document is not accepted, NotAllowed for organisers and jurors.
    """
    challenge, standing = find_challenge(session, actor=actor, slug=slug)
    if not actor.signed_in or actor.user_id is None:
        raise SignInNeeded()
    if not access.can_join(actor, standing):
        raise NotAllowed(
            N_("Organisers, jurors and administrators cannot take part in a challenge, nor can a draft be joined.")
        )
    accept_documents(session, actor=actor, challenge=challenge, accept=accept, now=now)
    _require_all(session, actor=actor, challenge=challenge)
    team = teams.of_user(session, challenge.id, actor.user_id)
    return team or create_team(session, actor=actor, challenge=challenge, name=team_name or actor.name[:80], now=now)


def accept_documents(
    session: Session, *, actor: Actor, challenge: Challenge, accept: list[uuid.UUID], now: dt.datetime
) -> None:
    """Record the acceptance of each document, once. Raises Invalid for a document that is not in force here."""
    assert actor.user_id is not None
    current = {document.id: document for document in rows.documents_of(session, challenge.id)}
    accepted = rows.accepted_by(session, challenge.id, actor.user_id)
    for document_id in accept:
        document = current.get(document_id)
        if document is None:
            raise Invalid(N_("One of the documents has a newer version. Read it and accept that one."))
        if document_id not in accepted:
            session.add(Acceptance(document_id=document_id, user_id=actor.user_id, at=now))
            payload = {"document": document.slug, "version": document.version}
            audit.record(
                session, actor=actor, act="document.accept", object=f"document:{document_id}", now=now, payload=payload
            )
    session.flush()


def _require_all(session: Session, *, actor: Actor, challenge: Challenge) -> None:
    assert actor.user_id is not None
    accepted = rows.accepted_by(session, challenge.id, actor.user_id)
    missing = [doc for doc in rows.documents_of(session, challenge.id) if doc.required and doc.id not in accepted]
    if missing:
        raise Conflict(N_("Accept these documents to join: %(documents)s."), documents=_names(missing))


def _names(documents: list[Document]) -> str:
    return ", ".join(f"{document.title['en']} (v{document.version})" for document in documents)
