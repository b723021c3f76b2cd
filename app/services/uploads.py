"""Resumable uploads: announced and let in before any byte, sent in pieces, entered once they are whole.

The creation is the request that counts for being in time (design 11.5).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.db import teams
from app.db import uploads as rows
from app.db.challenges import Challenge
from app.db.phases import Phase
from app.db.submissions import Submission
from app.db.uploads import Upload
from app.domain.access import Actor
from app.domain.names import shown_text
from app.errors import N_, AppError, Conflict, Invalid, NotAllowed, NotFound, TooMany, too_large
from app.files import partial
from app.files.blobs import Blobs, Stored
from app.services import admissions, submissions
from app.services.admissions import Admission, Request
from app.services.submissions import Submitted
from app.settings import Settings

MOST_OPEN = 10
"""Uploads of one team that are not entered; each may hold as many bytes as an entry."""


class Expired(AppError):
    status = 410
    code = "E-EXPIRED"
    template = N_(
        "This upload was given up at %(at)s and its bytes were dropped. Nothing was entered; start a new one."
    )


class Unverified(Conflict):
    """Not all bytes are there, or the server died between the last one and its verification."""

    code = "E-INCOMPLETE"
    template = N_("%(there)s of the %(length)s bytes of this upload have arrived. Send the others first.")


@dataclass(frozen=True)
class View:
    """An upload as its team sees it: length in bytes, when it is given up, its creation's metadata."""

    id: uuid.UUID
    length: int
    sha256: str | None
    kept_until: dt.datetime
    announced: str
    complete: bool


def create(
    session: Session,
    *,
    actor: Actor,
    request: Request,
    length: int,
    announced: str,
    settings: Settings,
    now: dt.datetime,
) -> View:
    """Let an upload of `length` bytes in, as a request with a body would be. Raises what `admit` does, or TooLarge."""
    admission = admissions.admit(session, actor=actor, request=request, settings=settings, now=now)
    upload = session.get_one(Upload, admission.upload_id)
    phase = session.get_one(Phase, upload.phase_id)
    team = teams.lock(session, upload.team_id)
    most = admissions.size_limit(phase)
    if length > most:
        raise too_large(most)
    if rows.resumable_of_team(session, team.id) >= MOST_OPEN:
        raise TooMany(
            N_("Your team has %(limit)s uploads that are not entered. Enter or delete one of them first."),
            limit=MOST_OPEN,
        )
    upload.repeats = admissions.seen_before(session, actor=actor, request=request, phase=phase, team=team)
    upload.length, upload.announced, upload.touched_at = length, announced, now
    upload.kind, upload.sha256 = request.kind, request.sha256
    upload.filename = shown_text(request.filename).replace("\n", " ")[:200]
    session.flush()
    return _view(session, upload)


def find(session: Session, *, actor: Actor, upload_id: uuid.UUID, now: dt.datetime) -> View:
    """An upload of the actor's team. Raises NotFound, for those of others too, NotAllowed or Expired."""
    return _view(session, _found(session, actor, session.get(Upload, upload_id), now))


def touch(session: Session, *, actor: Actor, upload_id: uuid.UUID, now: dt.datetime) -> View:
    """A piece is coming: the upload is kept longer. Raises as `find`."""
    upload = _found(session, actor, rows.locked(session, upload_id), now)
    upload.touched_at = now
    return _view(session, upload)


def delete(session: Session, *, actor: Actor, upload_id: uuid.UUID, now: dt.datetime) -> None:
    """Give an upload up. Raises as `find`, and Conflict for one that is entered."""
    upload = _found(session, actor, rows.locked(session, upload_id), now)
    if upload.submission_id is not None:
        raise Conflict(N_("This upload is entered already; withdraw the submission instead."))
    rows.forget(session, upload_id)


def check_bytes(held: partial.Held, *, view: View) -> Stored:
    """What the whole upload is. Raises Invalid, and starts it anew, for bytes that are not those announced."""
    stored = Stored(held.digest(), held.offset)
    if view.sha256 and view.sha256 != stored.sha256:
        held.restart()
        raise Invalid(
            N_(
                "The file changed on its way: sha256 %(said)s was announced, %(read)s arrived. Nothing was entered, "
                "and the upload is empty again; send it once more."
            ),
            code="E-DIGEST",
            said=view.sha256,
            read=stored.sha256,
        )
    return stored


def completed(session: Session, *, upload_id: uuid.UUID, stored: Stored, now: dt.datetime) -> None:
    """All bytes are there, and right. Raises NotFound when the upload was given up meanwhile."""
    upload = rows.locked(session, upload_id)
    if upload is None:
        raise NotFound()
    if upload.completed_at is None:
        upload.completed_at = upload.touched_at = now
        upload.sha256 = stored.sha256


def enter(
    session: Session,
    *,
    actor: Actor,
    request: Request,
    upload_id: uuid.UUID,
    blobs: Blobs,
    settings: Settings,
    now: dt.datetime,
) -> Submitted:
    """Make an entry of a whole upload; the same upload again is answered by the same entry.

    Raises what `find` and `submit` raise, Conflict for an upload that was announced for something else, Unverified for
    one that `completed` was not told of, Lost when its bytes are gone. Only what is entered gets a place as a blob.
    """
    challenge, phase, team = admissions.place(session, actor=actor, request=request)
    upload = _found(session, actor, rows.locked(session, upload_id), now)
    if (upload.phase_id, upload.kind) != (phase.id, request.kind):
        raise Conflict(
            N_("This upload was announced for another phase or kind of entry. Enter it there, or upload it again here.")
        )
    if upload.submission_id is not None:
        return _entered(session, upload, request, challenge, phase, now)
    if upload.completed_at is None:
        raise Unverified(there=partial.offset(blobs, upload_id), length=upload.length)
    assert upload.sha256 is not None and upload.length is not None
    stored = Stored(upload.sha256, upload.length)
    same = dataclasses.replace(request, sha256=stored.sha256, filename=upload.filename)
    if upload.repeats and not admissions.seen_before(session, actor=actor, request=same, phase=phase, team=team):
        # It came in as a repetition, which needs no open window; as something new it does.
        admissions.check_window(challenge, phase, upload.requested_at)
    admission = Admission(upload.id, upload.requested_at, stored.size, completed_at=upload.completed_at)
    done = submissions.submit(
        session, actor=actor, request=same, admission=admission, stored=stored, settings=settings, now=now
    )
    upload.submission_id, upload.touched_at = done.submission.id, now
    session.flush()
    if done.new:
        # Last, when nothing refuses any more: a blob that no row names lies there until the sweep.
        partial.adopt(blobs, upload.id, stored.sha256)
    return done


def answer_again(session: Session, *, actor: Actor, request: Request, now: dt.datetime) -> Submitted | None:
    """The entry that the request's key names, although its upload is forgotten. Raises Conflict for another's key."""
    if not request.idempotency_key:
        return None
    challenge, phase, team = admissions.place(session, actor=actor, request=request)
    known = admissions.earlier(session, actor=actor, request=request, phase=phase, team=team, sha256=None)
    if known is None:
        return None
    left = admissions.quota_of(session, challenge=challenge, phase=phase, team_id=team.id, now=now)
    return Submitted(known, False, left)


def collect(session: Session, *, blobs: Blobs, now: dt.datetime) -> None:
    """Drop what can no longer arrive, and bytes that nothing names any more."""
    for upload_id in rows.forget_expired(session, now):
        partial.drop(blobs, upload_id)
    old = partial.older(blobs, (now - 2 * rows.KEEP).timestamp())
    for upload_id in old - rows.resumable(session) if old else ():
        partial.drop(blobs, upload_id)


def _found(session: Session, actor: Actor, upload: Upload | None, now: dt.datetime) -> Upload:
    if upload is None or upload.length is None or actor.user_id is None:
        raise NotFound()
    phase = session.get_one(Phase, upload.phase_id)
    team = teams.of_user(session, phase.challenge_id, actor.user_id)
    if team is None or team.id != upload.team_id:
        raise NotFound()
    if "submit" not in actor.scopes:
        raise NotAllowed(N_("This token lacks the scope `submit`."))
    end = rows.kept_until(upload, closes_at=phase.closes_at)
    if end < now:
        raise Expired(at=admissions.utc(end))
    return upload


def _entered(
    session: Session, upload: Upload, request: Request, challenge: Challenge, phase: Phase, now: dt.datetime
) -> Submitted:
    known = session.get_one(Submission, upload.submission_id)
    if known.check != request.check:
        raise Conflict(
            N_("This upload is submission %(number)s already. Upload the file again to enter it differently."),
            number=known.number,
        )
    left = admissions.quota_of(session, challenge=challenge, phase=phase, team_id=upload.team_id, now=now)
    return Submitted(known, False, left)


def _view(session: Session, upload: Upload) -> View:
    phase = session.get_one(Phase, upload.phase_id)
    assert upload.length is not None
    return View(
        upload.id,
        upload.length,
        upload.sha256,
        rows.kept_until(upload, closes_at=phase.closes_at),
        upload.announced,
        upload.completed_at is not None,
    )
