"""Letting a submit request in before its body is read: access, window, quota, repetitions."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.db import submissions as rows
from app.db import uploads
from app.db.challenges import Challenge
from app.db.phases import Phase
from app.db.pulse import SETTLE, reprieved
from app.db.submissions import Submission
from app.db.teams import Team
from app.db.uploads import Upload
from app.domain import access
from app.domain.access import Actor
from app.domain.quotas import Quota, quota
from app.domain.schedule import day_of, in_time, window
from app.errors import (
    N_,
    Conflict,
    Invalid,
    NotAllowed,
    QuotaUsed,
    SignInNeeded,
    TooLarge,
    TooMany,
    too_large,
)
from app.files.blobs import Stored
from app.services.standing import find_challenge, find_phase
from app.settings import Settings

SHUT = {
    "draft": N_("This challenge is not published yet."),
    "before": N_("This phase opens at %(opens)s. Nothing was uploaded."),
    "paused": N_("This phase is paused by its organisers. Nothing was uploaded."),
    "closed": N_("This phase closed at %(closes)s. Nothing was uploaded."),
}


@dataclass(frozen=True)
class Request:
    """What a submit request says before its body: where to, what kind, and how to recognise it again."""

    slug: str
    phase: str
    kind: str = "predictions"
    check: bool = False
    note: str = ""
    filename: str = ""
    sha256: str | None = None
    idempotency_key: str | None = None
    again: bool = False


@dataclass(frozen=True)
class Admission:
    """An admitted request: the body may come. `limit` in bytes; `upload_id` is to be given back with the body.

    `sha256`: what the body must have, where the request said it. `resumable`: the limit is that of one request, and a
    larger file may come in pieces. `completed_at`: when the body was whole, where that was before it is entered.
    """

    upload_id: uuid.UUID
    requested_at: dt.datetime
    limit: int
    sha256: str | None = None
    resumable: bool = False
    completed_at: dt.datetime | None = None


def admit(session: Session, *, actor: Actor, request: Request, settings: Settings, now: dt.datetime) -> Admission:
    """Test access, window and quota before the body is read, and note that it is on its way (design §4, 11.5).

    Raises SignInNeeded, NotFound, NotAllowed, Conflict (window), Invalid (kind), QuotaUsed or TooMany.
    """
    challenge, phase, team = place(session, actor=actor, request=request)
    if request.kind not in phase.kinds:
        raise Invalid(N_("This phase takes entries of kind %(kinds)s."), kinds=", ".join(phase.kinds))
    # A repetition is answered after the close and with all slots used: its first answer may have been lost.
    if not seen_before(session, actor=actor, request=request, phase=phase, team=team):
        check_window(challenge, phase, now)
        check_quota(
            session, challenge=challenge, phase=phase, team=team, check=request.check, settings=settings, now=now
        )
    assert actor.user_id is not None
    upload = Upload(
        phase_id=phase.id,
        team_id=team.id,
        user_id=actor.user_id,
        requested_at=now,
        expires_at=now + dt.timedelta(seconds=settings.grace_s),
    )
    session.add(upload)
    session.flush()
    most = size_limit(phase)
    return Admission(
        upload.id, now, min(most, settings.direct_limit), request.sha256, resumable=most > settings.direct_limit
    )


def size_limit(phase: Phase) -> int:
    """The largest entry of a phase, in bytes, however it is sent."""
    return int(phase.limits["size_mb"]) * 1_000_000


def above_limit(admission: Admission) -> TooLarge:
    """The refusal of a body that is too large for one request."""
    if not admission.resumable:
        return too_large(admission.limit)
    return TooLarge(
        N_(
            "The file is larger than %(limit)s, which is the most that one request carries. Send it in pieces: "
            "`arbitre submit` does so by itself; other programs create a tus 1.0 upload at %(address)s."
        ),
        code="E-RESUMABLE",
        limit=f"{admission.limit / 1_000_000:.0f} MB",
        address="/api/v1/uploads",
    )


def abandon(session: Session, *, admission: Admission) -> None:
    """The body will not come."""
    uploads.forget(session, admission.upload_id)


def quota_of(session: Session, *, challenge: Challenge, phase: Phase, team_id: uuid.UUID, now: dt.datetime) -> Quota:
    """What the team has left in this phase."""
    start, end = day_of(now, challenge.zone)
    return quota(
        day=phase.quota_day,
        total=phase.quota_total,
        used_today=rows.counting(session, phase_id=phase.id, team_id=team_id, since=start, until=end),
        used=rows.counting(session, phase_id=phase.id, team_id=team_id),
        day_ends=end,
        closes_at=phase.closes_at,
    )


def place(session: Session, *, actor: Actor, request: Request) -> tuple[Challenge, Phase, Team]:
    """Challenge, phase and team of a request, for an actor who may take part."""
    challenge, standing = find_challenge(session, actor=actor, slug=request.slug)
    phase = find_phase(session, challenge=challenge, slug=request.phase)
    if not actor.signed_in:
        raise SignInNeeded(N_("Sign in to submit."))
    if standing.team_id is None:
        raise NotAllowed(N_("Join this challenge first: you are in no team of it."))
    if not standing.documents_signed:
        raise NotAllowed(N_("A document of this challenge has a version that you have not accepted. Accept it first."))
    if standing.organiser or standing.juror:
        raise NotAllowed(N_("Organisers and jurors of a challenge cannot submit to it."))
    if not access.can_take_part(actor, standing):
        raise NotAllowed(N_("This token lacks the scope `submit`."))
    return challenge, phase, session.get_one(Team, standing.team_id)


def check_window(challenge: Challenge, phase: Phase, now: dt.datetime) -> None:
    """Raises Conflict outside the phase's window."""
    where = window(phase, published=challenge.published_at is not None, now=now)
    if phase.frozen_at is not None:
        where = "closed"
    if where != "open":
        raise Conflict(SHUT[where], code="E-WINDOW", opens=utc(phase.opens_at), closes=utc(phase.closes_at))


def check_in_time(
    session: Session, *, phase: Phase, admission: Admission, settings: Settings, now: dt.datetime
) -> None:
    """Raises Conflict for a body that was complete after the grace, or after the grace and an outage in it."""
    whole = admission.completed_at or now
    until = reprieved(session, phase.closes_at + dt.timedelta(seconds=settings.grace_s), after=SETTLE)
    timely = in_time(phase, requested_at=admission.requested_at, received_at=whole, until=until)
    if not timely or phase.frozen_at is not None:
        raise Conflict(
            N_("The file arrived more than %(minutes)s minutes after the close at %(closes)s, so it was not entered."),
            code="E-LATE",
            minutes=int(settings.grace_s // 60),
            closes=utc(phase.closes_at),
        )


def check_quota(
    session: Session,
    *,
    challenge: Challenge,
    phase: Phase,
    team: Team,
    check: bool,
    settings: Settings,
    now: dt.datetime,
) -> None:
    start, end = day_of(now, challenge.zone)
    if rows.rejected(session, phase_id=phase.id, team_id=team.id, since=start) >= settings.rejected_per_day:
        raise TooMany(
            N_(
                "%(limit)s files of your team were refused for their format today. Check files locally; next at %(at)s."
            ),
            limit=settings.rejected_per_day,
            at=utc(end),
        )
    if check and rows.open_checks(session, team_id=team.id) >= settings.checks_open:
        # Checks use no quota and go before scoring, so that one team could hold up everybody with them.
        raise TooMany(
            N_("Your team has %(limit)s checks under way. Wait until one has ended, or check locally."),
            limit=settings.checks_open,
        )
    left = quota_of(session, challenge=challenge, phase=phase, team_id=team.id, now=now)
    if check or left.left is None or left.left > 0:
        return
    if left.resets_at is None:
        raise QuotaUsed(N_("Your team has used all its %(quota)s submissions of this phase."), quota=left.limit)
    raise QuotaUsed(quota=left.limit, resets_at=utc(left.resets_at))


def seen_before(session: Session, *, actor: Actor, request: Request, phase: Phase, team: Team) -> bool:
    """Whether the request names an entry that exists, so that a full quota must not refuse the repetition."""
    return earlier(session, actor=actor, request=request, phase=phase, team=team, sha256=request.sha256) is not None


def earlier(
    session: Session, *, actor: Actor, request: Request, phase: Phase, team: Team, sha256: str | None
) -> Submission | None:
    """The entry that this request repeats: same idempotency key, or the same bytes without `again`."""
    if request.idempotency_key and actor.user_id:
        known = rows.by_idempotency_key(session, actor.user_id, request.idempotency_key)
        if known is not None:
            same = (known.phase_id, known.check, known.kind) == (phase.id, request.check, request.kind)
            if not same or (sha256 is not None and known.sha256 != sha256):
                raise Conflict(N_("This Idempotency-Key was used for another submission. Use a new one for each."))
            return known
    if request.again or sha256 is None:
        return None
    return rows.earlier(
        session, phase_id=phase.id, team_id=team.id, kind=request.kind, check=request.check, sha256=sha256
    )


def check_body(said: str | None, stored: Stored) -> None:
    """Refuse bytes that are not those which the request announced. Raises Invalid."""
    if said and said.lower() != stored.sha256:
        raise Invalid(
            N_(
                "The file changed on its way: X-Sha256 says %(said)s, %(read)s arrived. "
                "Nothing was entered; send it again."
            ),
            said=said,
            read=stored.sha256,
        )


def utc(moment: dt.datetime) -> str:
    """A moment as people read it, with its zone: 2026-11-22 14:05 UTC."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
