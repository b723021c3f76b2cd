"""Accounts, sign-in and tokens."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from app.db import users as rows
from app.db.users import ApiToken, User
from app.domain import access
from app.errors import SignInNeeded
from app.http.actor import clear_cookie, cookie_name, set_cookie
from app.http.rates import count_guess, limited, remember
from app.http.transaction import EdgeDep
from app.services import accounts

router = APIRouter(tags=["accounts"])
GUESSING = Depends(limited("sign-in", "20/minute"))


class SignUp(BaseModel):
    model_config = ConfigDict(extra="forbid")
    email: str
    name: str
    password: str
    language: Literal["fr", "en"] = "en"


class SignIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    email: str
    password: str


class TokenWish(BaseModel):
    """`email` and `password` only when not signed in (the command line's login)."""

    model_config = ConfigDict(extra="forbid")
    name: str = "token"
    scopes: list[str] = ["read", "submit"]
    days: Annotated[int, Field(ge=1, le=3650)] | None = 365
    email: str | None = None
    password: str | None = None


class Account(BaseModel):
    id: uuid.UUID
    email: str
    name: str
    language: str
    admin: bool
    can_organise: bool


class Token(BaseModel):
    id: uuid.UUID
    name: str
    scopes: list[str]
    created_at: dt.datetime
    expires_at: dt.datetime | None


class NewToken(Token):
    """`token` is shown once."""

    token: str


@router.post("/accounts", status_code=201, dependencies=[Depends(limited("sign-up", "20/hour"))])
def sign_up(body: SignUp, edge: EdgeDep) -> Account:
    """Make an account."""
    with edge.write() as session:
        user = accounts.sign_up(session, **body.model_dump(), now=edge.now)
        return account_document(user)


@router.get("/me")
def me(edge: EdgeDep) -> Account:
    """The account of whoever asks."""
    with edge.read() as session:
        user = session.get(User, edge.actor.user_id) if edge.actor.user_id else None
        if user is None:
            raise SignInNeeded()
        return account_document(user)


@router.post("/sessions", status_code=201, dependencies=[GUESSING])
def sign_in(body: SignIn, request: Request, response: Response, edge: EdgeDep) -> Account:
    """Sign in; the answer sets the session cookie."""
    days = edge.settings.session_days
    count_guess(request, body.email)
    # A password is checked slowly; nobody can write to SQLite while a transaction that writes is open.
    with edge.read() as session:
        user = accounts.authenticate(session, email=body.email, password=body.password)
    with edge.write() as session:
        device = request.headers.get("user-agent", "")
        opened = accounts.sign_in(session, user=user, device=device, days=days, now=edge.now)
        document = account_document(user)
    remember(request, body.email)
    set_cookie(response, request=request, secret=opened.secret, days=days)
    return document


@router.delete("/sessions/current", status_code=204)
def sign_out(request: Request, response: Response, edge: EdgeDep) -> None:
    """Sign out."""
    secret = request.cookies.get(cookie_name(request))
    if secret:
        with edge.write() as session:
            accounts.sign_out(session, secret=secret, now=edge.now)
    clear_cookie(response, request=request)


@router.post("/tokens", status_code=201, dependencies=[GUESSING])
def create_token(request: Request, body: TokenWish, edge: EdgeDep) -> NewToken:
    """Make an API token, shown once."""
    with edge.read() as session:
        if body.email is not None and body.password is not None:
            count_guess(request, body.email)
            user = accounts.authenticate(session, email=body.email, password=body.password)
        else:
            user = accounts.signed_in_user(session, actor=edge.actor)
    with edge.write() as session:
        opened = accounts.create_token(
            session, user=user, name=body.name, scopes=body.scopes, days=body.days, now=edge.now
        )
        assert isinstance(opened.row, ApiToken)
        return NewToken(**token_document(opened.row).model_dump(), token=opened.secret)


@router.get("/tokens")
def list_tokens(edge: EdgeDep) -> list[Token]:
    """The tokens of whoever asks, without their secrets."""
    with edge.read() as session:
        if not access.can_sign(edge.actor) or edge.actor.user_id is None:
            raise SignInNeeded()
        return [token_document(row) for row in rows.tokens_of(session, edge.actor.user_id)]


@router.delete("/tokens/{token_id}", status_code=204)
def revoke_token(token_id: uuid.UUID, edge: EdgeDep) -> None:
    """Revoke a token."""
    if not access.can_sign(edge.actor):
        raise SignInNeeded()
    with edge.write() as session:
        accounts.revoke_token(session, actor=edge.actor, token_id=token_id, now=edge.now)


def account_document(user: User) -> Account:
    """What a person sees of their own account."""
    return Account.model_validate(user, from_attributes=True)


def token_document(row: ApiToken) -> Token:
    """A token without its secret."""
    return Token.model_validate(row, from_attributes=True)
