"""Challenges: creating one from a folder, publishing it, closing its phases, and what people see of it."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.db import blobs as blob_rows
from app.db import challenges as rows
from app.db import phases as phase_rows
from app.db.blobs import Blob
from app.db.challenges import Challenge, ChallengeFile, ChallengeVersion, Document, Organiser
from app.db.phases import Phase, Split
from app.domain import access
from app.domain.access import Actor, Standing
from app.domain.ids import new_id
from app.domain.schedule import window
from app.errors import N_, Conflict, NotAllowed, NotFound
from app.files.blobs import Blobs, Stored
from app.services import audit, promises
from app.services.folders import Kept, PhaseInputs, kept_archive
from app.services.standing import find_challenge, find_phase, standing_in
from app.settings import Settings
from challenges.archive import ArchiveLimits
from challenges.spec import ChallengeSpec, DocumentSpec, PhaseSpec
from scoring import spec as scoring

Change = Literal["created", "updated", "unchanged"]
TAKEN = N_("There is a challenge %(slug)s already, and you are not one of its organisers. Choose another slug.")


@dataclass(frozen=True)
class Pushed:
    """What a push did: `change` is created, updated or unchanged."""

    challenge: Challenge
    version: ChallengeVersion
    change: Change


@contextmanager
def kept(archive: Path, *, blobs: Blobs, settings: Settings) -> Iterator[Kept]:
    """The checked folder of an archive, its files kept as blobs. Raises Invalid with every problem, or DiskFull."""
    limits = ArchiveLimits(members=settings.archive_members)
    with kept_archive(archive, blobs=blobs, work=settings.data / "work", limits=limits) as folder:
        yield folder


def push(session: Session, *, actor: Actor, kept: Kept, blobs: Blobs, now: dt.datetime) -> Pushed:
    """Create the challenge of this folder, or give the one with its slug a new version.

    Raises NotAllowed without the right to organise, Conflict where what an open phase or an accepted document stands on
    would change.
    """
    spec = kept.folder.spec
    challenge = rows.by_slug(session, spec.slug)
    if challenge is None:
        change: Change = "created"
        challenge = _create(session, actor=actor, spec=spec, now=now)
    else:
        change = "updated"
        if not access.can_manage(actor, standing_in(session, actor=actor, challenge=challenge)):
            raise Conflict(TAKEN, slug=spec.slug)
        rows.lock(session, challenge)
        promises.check(session, challenge=challenge, kept=kept, now=now)
        known = _version_of_digest(session, challenge, kept.digest)
        if known is not None and known.id == challenge.version_id:
            return Pushed(challenge, known, "unchanged")
    version = _add_version(session, actor=actor, challenge=challenge, kept=kept, now=now)
    _put_documents(session, challenge=challenge, specs=spec.documents)
    _drop_phases(session, challenge=challenge, kept=set(kept.phases))
    for position, phase in enumerate(spec.phases):
        inputs = kept.phases[phase.slug]
        _put_phase(session, challenge, version, position, phase, inputs, blobs=blobs, now=now)
    payload = {"slug": spec.slug, "version": version.number, "digest": version.digest}
    audit.record(
        session, actor=actor, act="challenge.push", object=f"challenge:{challenge.id}", now=now, payload=payload
    )
    return Pushed(challenge, version, change)


def publish(session: Session, *, actor: Actor, slug: str, now: dt.datetime) -> Challenge:
    """Make a challenge visible to all; its slug is fixed from here on. Publishing again changes nothing."""
    challenge, standing = find_challenge(session, actor=actor, slug=slug)
    _need_manage(actor, standing)
    rows.lock(session, challenge)
    if challenge.published_at is None:
        challenge.published_at = now
        audit.record(session, actor=actor, act="challenge.publish", object=f"challenge:{challenge.id}", now=now)
    return challenge


def close(session: Session, *, actor: Actor, slug: str, phase: str, now: dt.datetime) -> Phase:
    """End a phase now: no further request is accepted; the board freezes once its queue is empty.

    Raises Conflict for a draft. Closing a closed phase changes nothing.
    """
    challenge, standing = find_challenge(session, actor=actor, slug=slug)
    _need_manage(actor, standing)
    row = find_phase(session, challenge=challenge, slug=phase)
    if challenge.published_at is None:
        raise Conflict(N_("This challenge is a draft, so no phase of it is open. Publish it first."))
    session.refresh(row, with_for_update={"key_share": True})
    if window(row, published=True, now=now) == "closed":
        return row
    payload = {"planned": row.closes_at.isoformat(), "closed": now.isoformat()}
    row.closes_at = now
    audit.record(session, actor=actor, act="phase.close", object=f"phase:{row.id}", now=now, payload=payload)
    return row


def visible(session: Session, *, actor: Actor) -> list[tuple[Challenge, Standing]]:
    """The challenges that the actor may know of, newest first."""
    found = session.scalars(select(Challenge).order_by(Challenge.created_at.desc()))
    placed = [(challenge, standing_in(session, actor=actor, challenge=challenge)) for challenge in found]
    return [(challenge, standing) for challenge, standing in placed if access.can_view(actor, standing)]


def spec_of(session: Session, challenge: Challenge) -> ChallengeSpec:
    """The specification in force."""
    return ChallengeSpec.model_validate(rows.version(session, challenge).spec)


def file_blob(session: Session, *, challenge: Challenge, path: str) -> Blob:
    """The blob of a file of the version in force. Raises NotFound. Says nothing about who may see it."""
    row = rows.file_at(session, challenge.version_id, path) if challenge.version_id else None
    if row is None:
        raise NotFound()
    return session.get_one(Blob, row.blob_id)


def public_files(session: Session, *, actor: Actor, slug: str) -> list[tuple[str, Blob]]:
    """Paths under public/ (without it) and starter/ with their blobs, for whoever may download. Raises NotAllowed."""
    challenge, standing = find_challenge(session, actor=actor, slug=slug)
    _need_download(actor, standing, challenge)
    assert challenge.version_id is not None
    query = select(ChallengeFile.path, Blob).join(Blob, Blob.id == ChallengeFile.blob_id)
    query = query.where(ChallengeFile.version_id == challenge.version_id, Blob.store == "public")
    found = [(path, blob) for path, blob in session.execute(query.order_by(ChallengeFile.path))]
    return [(path, blob) for path, blob in found if is_download(path)]


def public_file(session: Session, *, actor: Actor, slug: str, path: str) -> Blob:
    """One file that participants may download. Raises NotAllowed or NotFound."""
    challenge, standing = find_challenge(session, actor=actor, slug=slug)
    _need_download(actor, standing, challenge)
    blob = file_blob(session, challenge=challenge, path=path)
    if not is_download(path) or blob.store != "public":
        raise NotFound()
    return blob


def is_download(path: str) -> bool:
    """Whether participants download this path: public/, starter/ and samples/."""
    return path.startswith(("public/", "starter/", "samples/"))


def page(session: Session, *, challenge: Challenge, name: str, language: str, blobs: Blobs) -> str:
    """The Markdown of one page (overview, data, evaluation, rules) in this language. Raises NotFound."""
    blob = file_blob(session, challenge=challenge, path=f"pages/{name}.{language}.md")
    return blobs.read(blob.store, blob.sha256).decode()


def document_text(session: Session, *, document: Document, language: str, blobs: Blobs) -> str:
    """The Markdown of a document in this language, as it was when it was last in force. Raises NotFound."""
    challenge = session.get_one(Challenge, document.challenge_id)
    for version in rows.versions_of(session, challenge):
        for known in version.spec["documents"]:
            if (known["slug"], known["version"]) == (document.slug, document.version):
                file = rows.file_at(session, version.id, known["file"].get(language, known["file"]["en"]))
                blob = session.get_one(Blob, file.blob_id) if file else None
                if blob is None or blob.store != "public":
                    raise NotFound()
                return blobs.read(blob.store, blob.sha256).decode()
    raise NotFound()


def _need_manage(actor: Actor, standing: Standing) -> None:
    if not access.can_manage(actor, standing):
        raise NotAllowed(N_("Only organisers of this challenge may do this."))


def _need_download(actor: Actor, standing: Standing, challenge: Challenge) -> None:
    if not access.can_download(actor, standing, sensitivity=challenge.sensitivity):
        raise NotAllowed(N_("Join this challenge and accept its documents to download its data."))


def _create(session: Session, *, actor: Actor, spec: ChallengeSpec, now: dt.datetime) -> Challenge:
    if not access.can_create_challenge(actor) or actor.user_id is None:
        raise NotAllowed(N_("Your account may not create challenges. Ask an administrator for the right to organise."))
    challenge = Challenge(
        slug=spec.slug, title={}, summary={}, zone=spec.zone, sensitivity="", created_by=actor.user_id, created_at=now
    )
    session.add(challenge)
    session.flush()
    session.add(Organiser(challenge_id=challenge.id, user_id=actor.user_id, added_at=now))
    return challenge


def _version_of_digest(session: Session, challenge: Challenge, digest: str) -> ChallengeVersion | None:
    query = select(ChallengeVersion).where(
        ChallengeVersion.challenge_id == challenge.id, ChallengeVersion.digest == digest
    )
    return session.scalar(query)


def _add_version(
    session: Session, *, actor: Actor, challenge: Challenge, kept: Kept, now: dt.datetime
) -> ChallengeVersion:
    """The version of this digest, made when it is new, put in force together with what the challenge shows of it."""
    spec = kept.folder.spec
    version = _version_of_digest(session, challenge, kept.digest)
    if version is None:
        # The newest is not always the one in force: an earlier folder may have been pushed again.
        known = rows.versions_of(session, challenge)
        version = ChallengeVersion(
            challenge_id=challenge.id,
            number=max((one.number for one in known), default=0) + 1,
            digest=kept.digest,
            spec=spec.model_dump(mode="json"),
            created_by=actor.user_id,
            created_at=now,
        )
        session.add(version)
        session.flush()
        # In one order, so that two pushes of the same files do not wait for each other.
        for path, (store, stored) in sorted(kept.files.items(), key=lambda item: item[1][1].sha256):
            blob = blob_rows.record(session, store=store, sha256=stored.sha256, size=stored.size, now=now)
            session.add(ChallengeFile(version_id=version.id, path=path, blob_id=blob.id))
    challenge.version_id = version.id
    challenge.title = spec.title.model_dump()
    challenge.summary = (spec.summary or spec.title).model_dump()
    challenge.zone, challenge.sensitivity = spec.zone, spec.sensitivity
    session.flush()
    return version


def _put_documents(session: Session, *, challenge: Challenge, specs: tuple[DocumentSpec, ...]) -> None:
    session.execute(update(Document).where(Document.challenge_id == challenge.id).values(current=False))
    for spec in specs:
        query = select(Document).where(
            Document.challenge_id == challenge.id, Document.slug == spec.slug, Document.version == spec.version
        )
        row = session.scalar(query) or Document(challenge_id=challenge.id, slug=spec.slug, version=spec.version)
        row.title, row.files = spec.title.model_dump(), spec.file.model_dump()
        row.required, row.current = spec.required, True
        session.add(row)
    session.flush()


def _drop_phases(session: Session, *, challenge: Challenge, kept: set[str]) -> None:
    """Forget the phases that the folder has no more; `promises.check` has seen that nobody entered them."""
    for phase in phase_rows.of_challenge(session, challenge.id):
        if phase.slug not in kept:
            phase_rows.remove(session, phase)


def _put_phase(
    session: Session,
    challenge: Challenge,
    version: ChallengeVersion,
    position: int,
    spec: PhaseSpec,
    inputs: PhaseInputs,
    *,
    blobs: Blobs,
    now: dt.datetime,
) -> None:
    """Make or update one phase. Its seed is drawn once and never changes."""
    row = phase_rows.by_slug(session, challenge.id, spec.slug)
    if row is None:
        row = Phase(
            id=new_id(), challenge_id=challenge.id, slug=spec.slug, seed=secrets.randbits(53), reference_digest=""
        )
    if row.reference_digest not in ("", inputs.reference_digest):
        row.reference_version += 1
    row.title = spec.title.model_dump() if spec.title else {"fr": spec.slug, "en": spec.slug}
    if row.version_id is None or not promises.has_opened(challenge, row, now=now):
        row.opens_at = spec.opens
    # A phase that an organiser closed stays closed, whatever the folder says.
    if row.version_id is None or not promises.has_closed(challenge, row, now=now):
        row.closes_at = spec.closes
    if spec.precision is not None or row.reference_digest != inputs.reference_digest:
        # Otherwise it stays what the baseline's interval made it.
        row.precision = spec.precision
    row.version_id, row.position = version.id, position
    row.kinds, row.limits = list(spec.kinds), spec.limits.model_dump()
    row.quota_day, row.quota_total = spec.quotas.day, spec.quotas.total
    row.scoring_spec, row.scoring_digest = scoring.to_json(inputs.spec), inputs.scoring_digest
    row.reference_digest = inputs.reference_digest
    row.inputs = _record_inputs(session, row, inputs.roles, blobs=blobs, now=now)
    session.add(row)
    session.flush()
    _put_splits(session, row, inputs.spec)


def _record_inputs(
    session: Session, phase: Phase, roles: Mapping[str, tuple[str, Stored]], *, blobs: Blobs, now: dt.datetime
) -> dict[str, str]:
    plan = blobs.write("reference", [b'{"seed":%d}' % phase.seed])
    found: dict[str, Any] = {**roles, "plan": ("reference", plan)}
    return {
        role: blob_rows.record(session, store=store, sha256=stored.sha256, size=stored.size, now=now).id.hex
        for role, (store, stored) in found.items()
    }


def _put_splits(session: Session, phase: Phase, spec: scoring.ScoringSpec) -> None:
    known = {split.name: split for split in phase_rows.splits_of(session, phase.id)}
    for position, split in enumerate(spec.splits):
        row = known.pop(split.name, None) or Split(phase_id=phase.id, name=split.name)
        row.visible, row.position = split.visible, position
        session.add(row)
    for gone in known.values():
        session.delete(gone)
    session.flush()
