"""Teams: naming, inviting, joining."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import delete, select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from app.db import challenges as challenge_rows
from app.db import phases, uploads
from app.db import teams as rows
from app.db.challenges import Challenge
from app.db.submissions import Submission
from app.db.teams import Invitation, Membership, Team
from app.domain.access import Actor
from app.domain.ids import NIL, new_secret, secret_hash
from app.domain.names import BASELINE, is_name, likeness, one_line
from app.errors import N_, Conflict, Invalid, NotAllowed, NotFound
from app.services import audit
from app.services.standing import find_challenge

INVITATION_DAYS = 14
UNKNOWN_INVITATION = N_("This invitation is unknown, used or expired. Ask the team for a new one.")


def create_team(session: Session, *, actor: Actor, challenge: Challenge, name: str, now: dt.datetime) -> Team:
    """A team of one. A name in use, or one that looks like it, gets the next free number behind it."""
    assert actor.user_id is not None
    wanted = clean_name(name)
    # One after the other, so that two who want the same name at once do not get it both.
    challenge_rows.lock(session, challenge)
    free, number, taken = wanted, 2, _taken(session, challenge.id)
    while likeness(free) in taken:
        free, number = f"{wanted[:74]} {number}", number + 1
    team = Team(challenge_id=challenge.id, name=free, created_at=now)
    session.add(team)
    session.flush()
    _add_member(session, team=team, actor=actor, now=now)
    audit.record(session, actor=actor, act="team.create", object=f"team:{team.id}", now=now, payload={"name": free})
    return team


def clean_name(name: str) -> str:
    """One line of 1 to 80 visible characters. Raises Invalid."""
    cleaned = one_line(name)
    if not is_name(cleaned, longest=80):
        raise Invalid(N_("A team's name has 1 to 80 visible characters."))
    return cleaned


def _taken(session: Session, challenge_id: uuid.UUID) -> dict[str, uuid.UUID]:
    """What names look like that nobody else may take -> the team that has it."""
    return {likeness(BASELINE): NIL} | rows.likenesses(session, challenge_id)


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
    _hold(session, team)
    _need_running(session, team, now)
    challenge_rows.lock(session, session.get_one(Challenge, team.challenge_id))
    if _taken(session, team.challenge_id).get(likeness(wanted), team.id) != team.id:
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
    row = session.scalar(select(Invitation).where(Invitation.secret_hash == secret_hash(secret)))
    team = session.get(Team, row.team_id) if row else None
    if row is None or team is None or team.challenge_id != mine.challenge_id:
        raise NotFound(UNKNOWN_INVITATION)
    # By id, so that two teams who move into each other do not wait for each other.
    for one in sorted((mine, team), key=lambda one: one.id):
        _hold(session, one)
    session.refresh(row, with_for_update=True)
    if row.used_at or row.expires_at <= now:
        raise NotFound(UNKNOWN_INVITATION)
    _need_running(session, team, now)
    _check_free_to_move(session, mine=mine, team=team)
    row.used_at = now
    member = session.get_one(Membership, (mine.id, actor.user_id))
    session.delete(member)
    session.flush()
    _add_member(session, team=team, actor=actor, now=now)
    session.delete(mine)
    audit.record(session, actor=actor, act="team.join", object=f"team:{team.id}", now=now)
    return team


def _hold(session: Session, team: Team) -> None:
    """One act of a team at a time. Raises Conflict for a team that is gone."""
    try:
        rows.lock(session, team.id)
    except NoResultFound as error:
        raise Conflict(N_("You changed teams meanwhile. Look at your team and try again.")) from error


def _need_running(session: Session, team: Team, now: dt.datetime) -> None:
    """Raises Conflict once all phases have closed: who won, and under which name, no longer changes."""
    if all(now >= phase.closes_at for phase in phases.of_challenge(session, team.challenge_id)):
        raise Conflict(N_("This challenge has closed: names and members of its teams no longer change."))


def _check_free_to_move(session: Session, *, mine: Team, team: Team) -> None:
    if mine.id == team.id:
        raise Conflict(N_("You are in this team already."))
    if len(rows.members_of(session, mine.id)) > 1:
        raise Conflict(N_("Your team has other members. Only a team of one can move into another."))
    if session.scalar(select(Submission.id).where(Submission.team_id == mine.id).limit(1)):
        raise Conflict(N_("Your team has submissions already, so it cannot move into another."))
    if uploads.of_team(session, mine.id):
        raise Conflict(N_("Your team has an upload on its way. Wait until it has ended."))
    session.execute(delete(Invitation).where(Invitation.team_id == mine.id))


def _add_member(session: Session, *, team: Team, actor: Actor, now: dt.datetime) -> None:
    session.add(Membership(team_id=team.id, user_id=actor.user_id, challenge_id=team.challenge_id, joined_at=now))
    session.flush()


def _need_submit(actor: Actor) -> None:
    if "submit" not in actor.scopes:
        raise NotAllowed(N_("This token lacks the scope `submit`."))
