"""What a new version of a published challenge may not change: participants stand on it."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db import challenges as rows
from app.db import phases as phase_rows
from app.db.blobs import Blob
from app.db.challenges import Acceptance, Challenge, Document
from app.db.phases import Phase
from app.db.submissions import Submission
from app.errors import N_, Conflict
from app.services.folders import Kept, PhaseInputs
from challenges.spec import DocumentSpec, PhaseSpec

SCORING = N_("Phase %(phase)s has opened: its entry format, cases, metrics, splits and reference are fixed.")
OPENING = N_("Phase %(phase)s has opened: its `opens` is fixed.")
PRECISION = N_("Phase %(phase)s has opened: its `precision` is fixed at %(precision)s.")
PAST = N_("`closes` of phase %(phase)s has passed. To end the phase now, close it; else give a moment to come.")
ENTRIES = N_("Phase %(phase)s has entries, so it cannot leave the folder.")
ACCEPTED = N_(
    "Document %(document)s, version %(version)s, was accepted by people. Give what you changed a new version."
)


def has_opened(challenge: Challenge, phase: Phase, *, now: dt.datetime) -> bool:
    """Whether entries were ever let in, as far as the clock says."""
    return challenge.published_at is not None and now >= phase.opens_at


def has_closed(challenge: Challenge, phase: Phase, *, now: dt.datetime) -> bool:
    """Whether the phase closed, by its time or by an organiser."""
    return challenge.published_at is not None and (phase.frozen_at is not None or now >= phase.closes_at)


def check(session: Session, *, challenge: Challenge, kept: Kept, now: dt.datetime) -> None:
    """Refuse a version that breaks what was promised. A draft has promised nothing. Raises Conflict."""
    specs = {phase.slug: phase for phase in kept.folder.spec.phases}
    for phase in phase_rows.of_challenge(session, challenge.id):
        if phase.slug not in specs:
            _check_dropped(session, challenge, phase, now)
        elif has_opened(challenge, phase, now=now):
            _check_opened(phase, specs[phase.slug], kept.phases[phase.slug])
            if not has_closed(challenge, phase, now=now) and specs[phase.slug].closes <= now:
                raise Conflict(PAST, phase=phase.slug)
    for document in kept.folder.spec.documents:
        _check_document(session, challenge, document, kept)


def _check_dropped(session: Session, challenge: Challenge, phase: Phase, now: dt.datetime) -> None:
    if has_opened(challenge, phase, now=now):
        raise Conflict(SCORING, phase=phase.slug)
    if session.scalar(select(Submission.id).where(Submission.phase_id == phase.id).limit(1)):
        raise Conflict(ENTRIES, phase=phase.slug)


def _check_opened(phase: Phase, spec: PhaseSpec, new: PhaseInputs) -> None:
    if (new.scoring_digest, new.reference_digest) != (phase.scoring_digest, phase.reference_digest):
        raise Conflict(SCORING, phase=phase.slug)
    if spec.opens != phase.opens_at:
        raise Conflict(OPENING, phase=phase.slug)
    if spec.precision is not None and phase.precision not in (None, spec.precision):
        raise Conflict(PRECISION, phase=phase.slug, precision=phase.precision)


def _check_document(session: Session, challenge: Challenge, spec: DocumentSpec, kept: Kept) -> None:
    query = select(Document).where(
        Document.challenge_id == challenge.id, Document.slug == spec.slug, Document.version == spec.version
    )
    known = session.scalar(query)
    if known is None or not session.scalar(select(func.count()).where(Acceptance.document_id == known.id)):
        return
    texts = {language: kept.files[path][1].sha256 for language, path in spec.file.model_dump().items()}
    if not known.current or texts != _texts(session, challenge, known):
        raise Conflict(ACCEPTED, document=spec.slug, version=spec.version)


def _texts(session: Session, challenge: Challenge, document: Document) -> dict[str, str]:
    """Language -> sha256 of a document's text in the version in force."""
    assert challenge.version_id is not None
    found = {}
    for language, path in document.files.items():
        file = rows.file_at(session, challenge.version_id, path)
        if file is not None:
            found[language] = session.get_one(Blob, file.blob_id).sha256
    return found
