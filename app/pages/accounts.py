"""Signing up, in and out; the account with its API tokens."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.responses import Response

from app.db import users as rows
from app.db.users import ApiToken, User
from app.domain import access
from app.errors import N_, Conflict, Invalid, SignInNeeded
from app.http.actor import clear_cookie, cookie_name, set_cookie
from app.http.forms import Form, FormDep
from app.http.rates import count_guess, limited, remember
from app.http.transaction import Edge, EdgeDep
from app.pages.answer import Trouble, go, show, status_of, troubles
from app.pages.routing import pages_router
from app.services import accounts

router = pages_router()
GUESSING = Depends(limited("sign-in", "20/minute"))
LONGEST_DAYS = 3650
Next = Annotated[str, Query(max_length=2000)]


@router.get("/sign-up")
def sign_up_page(request: Request, edge: EdgeDep, next: Next = "") -> Response:
    """The form for a new account."""
    return show(request, edge, "sign_up.html", next=own(next, edge))


@router.post("/sign-up", dependencies=[Depends(limited("sign-up", "20/hour"))])
def sign_up(request: Request, edge: EdgeDep, form: FormDep, next: Next = "") -> Response:
    """Make an account and sign in."""
    try:
        with edge.write() as session:
            user = accounts.sign_up(
                session,
                email=form.text("email"),
                name=form.text("name"),
                password=form.raw("password"),
                language=edge.language,
                now=edge.now,
            )
    except (Invalid, Conflict) as error:
        problems = troubles(error, edge, field="email")
        typed = form.without("password")
        return show(request, edge, "sign_up.html", status=422, problems=problems, form=typed, next=own(next, edge))
    return _open(request, edge, user, next)


@router.get("/sign-in")
def sign_in_page(request: Request, edge: EdgeDep, next: Next = "") -> Response:
    """The form to sign in."""
    return show(request, edge, "sign_in.html", next=own(next, edge))


@router.post("/sign-in", dependencies=[GUESSING])
def sign_in(request: Request, edge: EdgeDep, form: FormDep, next: Next = "") -> Response:
    """Sign in. The form stays when address or password are wrong; it does not say which."""
    count_guess(request, form.text("email"))
    try:
        with edge.read() as session:
            user = accounts.authenticate(session, email=form.text("email"), password=form.raw("password"))
    except SignInNeeded as error:
        problems, typed = troubles(error, edge, field="email"), form.without("password")
        return show(request, edge, "sign_in.html", status=422, problems=problems, form=typed, next=own(next, edge))
    remember(request, form.text("email"))
    return _open(request, edge, user, next)


@router.post("/sign-out")
def sign_out(request: Request, edge: EdgeDep) -> Response:
    """End this browser's session."""
    secret = request.cookies.get(cookie_name(request))
    if secret:
        with edge.write() as session:
            accounts.sign_out(session, secret=secret, now=edge.now)
    answer = go(f"/{edge.language}?done=signed-out")
    clear_cookie(answer, request=request)
    return answer


@router.get("/account")
def account_page(request: Request, edge: EdgeDep) -> Response:
    """Who is signed in, and their tokens."""
    return _account(request, edge)


@router.post("/account/tokens", dependencies=[GUESSING])
def create_token(request: Request, edge: EdgeDep, form: FormDep) -> Response:
    """Make a token. The answer shows it: it is kept nowhere, so no other page could."""
    try:
        with edge.write() as session:
            opened = accounts.create_token(
                session,
                user=accounts.signed_in_user(session, actor=edge.actor),
                name=form.text("name"),
                scopes=form.all("scope"),
                days=_days(form),
                now=edge.now,
            )
    except Invalid as error:
        return _account(request, edge, status=status_of(error), problems=troubles(error, edge), form=form)
    assert isinstance(opened.row, ApiToken)
    return show(request, edge, "token.html", token=opened.row, secret=opened.secret, server=edge.settings.base_url)


@router.post("/account/tokens/{token_id}/revoke")
def revoke_token(token_id: uuid.UUID, edge: EdgeDep) -> Response:
    """Revoke a token of one's own."""
    if not access.can_sign(edge.actor):
        raise SignInNeeded()
    with edge.write() as session:
        accounts.revoke_token(session, actor=edge.actor, token_id=token_id, now=edge.now)
    return go(f"/{edge.language}/account?done=revoked")


def own(next: str, edge: Edge) -> str:
    """`next` where it is a page of ours, else the home page: an address given by a link must lead nowhere else."""
    home = f"/{edge.language}"
    ours = next.startswith((f"{home}/", f"{home}?")) or next == home
    return next if ours and "\\" not in next and next.isprintable() else home


def _open(request: Request, edge: Edge, user: User, next: str) -> Response:
    days, device = edge.settings.session_days, request.headers.get("user-agent", "")
    with edge.write() as session:
        opened = accounts.sign_in(session, user=user, device=device, days=days, now=edge.now)
    answer = go(own(next, edge))
    set_cookie(answer, request=request, secret=opened.secret, days=days)
    return answer


def _account(
    request: Request,
    edge: Edge,
    *,
    status: int = 200,
    problems: list[Trouble] | None = None,
    form: Form | None = None,
) -> Response:
    with edge.read() as session:
        user = session.get(User, edge.actor.user_id) if edge.actor.user_id else None
        if user is None:
            raise SignInNeeded()
        tokens = rows.tokens_of(session, user.id)
    return show(
        request,
        edge,
        "account.html",
        status=status,
        problems=problems,
        form=form,
        user=user,
        tokens=tokens,
        scopes=_scopes(user),
    )


def _scopes(user: User) -> list[str]:
    """The scopes that mean something for this person."""
    return ["read", "submit", *(["organise"] if user.can_organise else []), *(["admin"] if user.admin else [])]


def _days(form: Form) -> int:
    """How long the token lives. Raises Invalid."""
    text = form.text("days")
    if text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= LONGEST_DAYS:
        return int(text)
    problem = {"where": "days", "text": N_("Give a number of days from 1 to 3650.")}
    raise Invalid(problems=[problem])
