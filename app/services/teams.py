"""Teams: naming, inviting, joining."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.db import teams as rows
from app.db.challenges import Challenge
from app.db.submissions import Submission
from app.db.teams import Invitation, Membership, Team
from app.domain.access import Actor
from app.domain.ids import new_secret, secret_hash
from app.errors import N_, Conflict, Invalid, NotAllowed, NotFound
from app.services import audit
from app.services.standing import find_challenge

INVITATION_DAYS = 14


def create_team(session: Session, *, actor: Actor, challenge: Challenge, name: str, now: dt.datetime) -> Team:
    """A team of one. A name in use gets the next free number behind it."""
    assert actor.user_id is not None
    wanted = clean_name(name)
    free, number = wanted, 2
    while rows.by_name(session, challenge.id, free):
        free, number = f"{wanted[:74]} {number}", number + 1
    team = Team(challenge_id=challenge.id, name=free, created_at=now)
    session.add(team)
    session.flush()
    _add_member(session, team=team, actor=actor, now=now)
    audit.record(session, actor=actor, act="team.create", object=f"team:{team.id}", now=now, payload={"name": free})
    return team


def clean_name(name: str) -> str:
    """One line of 1 to 80 visible characters. Raises Invalid."""
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= 80 or not cleaned.isprintable():
        raise Invalid(N_("A team's name has 1 to 80 visible characters."))
    return cleaned


def my_team(session: Session, *, actor: Actor, slug: str) -> Team:
    """The actor's team in this challenge. Raises NotFound with the way to get one."""
    challenge, _ = find_challenge(session, actor=actor, slug=slug)
    team = rows.of_user(session, challenge.id, actor.user_id) if actor.user_id else None
    if team is None:
        raise NotFound(N_("You are in no team of this challenge. Join it first."))
    return team


def rename(session: Session, *, actor: Actor, slug: str, name: str, now: dt.datetime) -> Team:
    """Rename the actor's team. Raises Conflict when another team has the name."""
    team = my_team(session, actor=actor, slug=slug)
    _need_submit(actor)
    wanted = clean_name(name)
    other = rows.by_name(session, team.challenge_id, wanted)
    if other is not None and other.id != team.id:
        raise Conflict(N_("Another team of this challenge has that name."))
    payload = {"from": team.name, "to": wanted}
    team.name = wanted
    audit.record(session, actor=actor, act="team.rename", object=f"team:{team.id}", now=now, payload=payload)
    return team


def invite(session: Session, *, actor: Actor, slug: str, now: dt.datetime) -> tuple[Invitation, str]:
    """An invitation for one person, good for 14 days, and its secret (shown once)."""
    team = my_team(session, actor=actor, slug=slug)
    _need_submit(actor)
    assert actor.user_id is not None
    secret = new_secret("inv")
    row = Invitation(
        team_id=team.id,
        secret_hash=secret_hash(secret),
        created_by=actor.user_id,
        created_at=now,
        expires_at=now + dt.timedelta(days=INVITATION_DAYS),
    )
    session.add(row)
    audit.record(session, actor=actor, act="team.invite", object=f"team:{team.id}", now=now)
    return row, secret


def join_team(session: Session, *, actor: Actor, slug: str, secret: str, now: dt.datetime) -> Team:
    """Move from a team of one without entries into the inviting team. Raises Conflict or NotFound."""
    mine = my_team(session, actor=actor, slug=slug)
    _need_submit(actor)
    row = session.scalar(select(Invitation).where(Invitation.secret_hash == secret_hash(secret)).with_for_update())
    team = session.get(Team, row.team_id) if row else None
    if row is None or team is None or row.used_at or row.expires_at <= now or team.challenge_id != mine.challenge_id:
        raise NotFound(N_("This invitation is unknown, used or expired. Ask the team for a new one."))
    _check_free_to_move(session, mine=mine, team=team)
    row.used_at = now
    member = session.get_one(Membership, (mine.id, actor.user_id))
    session.delete(member)
    session.flush()
    _add_member(session, team=team, actor=actor, now=now)
    session.delete(mine)
    audit.record(session, actor=actor, act="team.join", object=f"team:{team.id}", now=now)
    return team


def _check_free_to_move(session: Session, *, mine: Team, team: Team) -> None:
    if mine.id == team.id:
        raise Conflict(N_("You are in this team already."))
    if len(rows.members_of(session, mine.id)) > 1:
        raise Conflict(N_("Your team has other members. Only a team of one can move into another."))
    if session.scalar(select(Submission.id).where(Submission.team_id == mine.id).limit(1)):
        raise Conflict(N_("Your team has submissions already, so it cannot move into another."))
    session.execute(delete(Invitation).where(Invitation.team_id == mine.id))


def _add_member(session: Session, *, team: Team, actor: Actor, now: dt.datetime) -> None:
    session.add(Membership(team_id=team.id, user_id=actor.user_id, challenge_id=team.challenge_id, joined_at=now))
    session.flush()


def _need_submit(actor: Actor) -> None:
    if "submit" not in actor.scopes:
        raise NotAllowed(N_("This token lacks the scope `submit`."))
