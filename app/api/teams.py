"""The asker's team in a challenge."""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from app.db import teams as rows
from app.db.teams import Team
from app.db.users import User
from app.http.transaction import EdgeDep
from app.services import teams

router = APIRouter(prefix="/challenges/{slug}/team", tags=["teams"])


class TeamDocument(BaseModel):
    name: str
    members: list[str]


class Rename(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str


class NewInvitation(BaseModel):
    """`invitation` is shown once; one person uses it."""

    invitation: str
    expires_at: dt.datetime


class JoinTeam(BaseModel):
    model_config = ConfigDict(extra="forbid")
    invitation: str


@router.get("")
def read(slug: str, edge: EdgeDep) -> TeamDocument:
    """The asker's team."""
    with edge.read() as session:
        return _document(session, teams.my_team(session, actor=edge.actor, slug=slug))


@router.patch("")
def rename(slug: str, body: Rename, edge: EdgeDep) -> TeamDocument:
    """Rename the team."""
    with edge.write() as session:
        return _document(session, teams.rename(session, actor=edge.actor, slug=slug, name=body.name, now=edge.now))


@router.post("/invitations", status_code=201)
def invite(slug: str, edge: EdgeDep) -> NewInvitation:
    """Invite one person."""
    with edge.write() as session:
        row, secret = teams.invite(session, actor=edge.actor, slug=slug, now=edge.now)
        return NewInvitation(invitation=secret, expires_at=row.expires_at)


@router.post("/join")
def join(slug: str, body: JoinTeam, edge: EdgeDep) -> TeamDocument:
    """Move into the team that invited."""
    with edge.write() as session:
        team = teams.join_team(session, actor=edge.actor, slug=slug, secret=body.invitation, now=edge.now)
        return _document(session, team)


def _document(session: Session, team: Team) -> TeamDocument:
    names = [session.get_one(User, user_id).name for user_id in rows.members_of(session, team.id)]
    return TeamDocument(name=team.name, members=names)
