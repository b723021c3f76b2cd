"""Entering the organisers' baseline of every phase."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.db import challenges as rows
from app.db import phases
from app.db.blobs import Blob
from app.db.challenges import Challenge, ChallengeFile
from app.domain.access import Actor
from app.files.blobs import Blobs, Stored
from app.services import submissions
from app.services.challenges import spec_of
from app.settings import Settings
from challenges.expected import ARCHIVES

FOLDER = "examples/baseline"


def renew(
    session: Session, *, actor: Actor, challenge: Challenge, blobs: Blobs, settings: Settings, now: dt.datetime
) -> None:
    """After a new version: enter the baseline where it stands on another reference or scoring, or is new itself."""
    if challenge.published_at is not None:
        enter(session, actor=actor, challenge=challenge, blobs=blobs, settings=settings, now=now)


def enter(
    session: Session, *, actor: Actor, challenge: Challenge, blobs: Blobs, settings: Settings, now: dt.datetime
) -> None:
    """Enter examples/baseline in every phase that is not frozen; a challenge without one gets none."""
    file = _file(session, challenge)
    if file is None:
        return
    blob = session.get_one(Blob, file.blob_id)
    with blobs.open(blob.store, blob.sha256) as stream:
        stored: Stored = blobs.write("entries", iter(lambda: stream.read(1 << 20), b""))
    for phase in phases.of_challenge(session, challenge.id):
        if phase.frozen_at is None:
            submissions.submit_baseline(
                session, actor=actor, challenge=challenge, phase=phase, stored=stored, settings=settings, now=now
            )


def _file(session: Session, challenge: Challenge) -> ChallengeFile | None:
    """The one file that a participant would upload: the table, or the archive of several."""
    assert challenge.version_id is not None
    tables = list(spec_of(session, challenge).entry.tables.values())
    names = ARCHIVES if len(tables) > 1 else (tables[0].file,)
    found = (rows.file_at(session, challenge.version_id, f"{FOLDER}/{name}") for name in names)
    return next((file for file in found if file is not None), None)
