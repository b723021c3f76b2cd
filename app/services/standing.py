"""An actor's place in a challenge, and finding things without telling strangers that they exist."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.db import challenges, phases, teams
from app.db.challenges import Challenge, Juror, Organiser
from app.db.phases import Phase
from app.domain import access
from app.domain.access import Actor, Standing
from app.errors import NotFound


def standing_in(session: Session, *, actor: Actor, challenge: Challenge) -> Standing:
    """What the actor is in this challenge."""
    published = challenge.published_at is not None
    if actor.user_id is None:
        return Standing(published=published)
    team = teams.of_user(session, challenge.id, actor.user_id)
    return Standing(
        published=published,
        organiser=session.get(Organiser, (challenge.id, actor.user_id)) is not None,
        juror=session.get(Juror, (challenge.id, actor.user_id)) is not None,
        team_id=team.id if team else None,
        documents_signed=documents_signed(session, actor=actor, challenge=challenge),
    )


def documents_signed(session: Session, *, actor: Actor, challenge: Challenge) -> bool:
    """Whether the actor accepted the current version of every required document."""
    if actor.user_id is None:
        return False
    accepted = challenges.accepted_by(session, challenge.id, actor.user_id)
    return all(doc.id in accepted for doc in challenges.documents_of(session, challenge.id) if doc.required)


def find_challenge(session: Session, *, actor: Actor, slug: str) -> tuple[Challenge, Standing]:
    """The challenge and the actor's standing. Raises NotFound when there is none or it is not to be known."""
    challenge = challenges.by_slug(session, slug)
    if challenge is None:
        raise NotFound()
    standing = standing_in(session, actor=actor, challenge=challenge)
    if not access.can_view(actor, standing):
        raise NotFound()
    return challenge, standing


def find_phase(session: Session, *, challenge: Challenge, slug: str) -> Phase:
    """The phase of that slug. Raises NotFound."""
    phase = phases.by_slug(session, challenge.id, slug)
    if phase is None:
        raise NotFound()
    return phase
