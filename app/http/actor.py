"""Who is asking: a browser session's cookie or a bearer token."""

from __future__ import annotations

import datetime as dt

from fastapi import Request, Response
from sqlalchemy.orm import Session

from app.domain.access import ANONYMOUS, Actor
from app.services import accounts

COOKIE = "arbitre_session"


def resolve_actor(session: Session, *, request: Request, now: dt.datetime) -> Actor:
    """The actor of a request; anonymous without credentials. Raises SignInNeeded for a token that is not valid."""
    bearer = bearer_of(request)
    if bearer is not None:
        return accounts.actor_by_token(session, secret=bearer, now=now)
    cookie = request.cookies.get(cookie_name(request))
    return accounts.actor_by_session(session, secret=cookie, now=now) if cookie else ANONYMOUS


def bearer_of(request: Request) -> str | None:
    """The token of `Authorization: Bearer …`."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() or None if scheme.lower() == "bearer" else None


def cookie_name(request: Request) -> str:
    """`__Host-` binds the cookie to this host and to TLS; plain HTTP on localhost cannot have it."""
    return f"__Host-{COOKIE}" if by_tls(request) else COOKIE


def by_tls(request: Request) -> bool:
    """Whether people reach us by TLS, which a proxy in front may end without saying so."""
    base_url: str = request.app.state.parts.settings.base_url
    return request.url.scheme == "https" or base_url.startswith("https://")


def set_cookie(response: Response, *, request: Request, secret: str, days: int) -> None:
    """Give the browser its session."""
    response.set_cookie(
        cookie_name(request),
        secret,
        max_age=days * 86_400,
        httponly=True,
        secure=by_tls(request),
        samesite="lax",
        path="/",
    )


def clear_cookie(response: Response, *, request: Request) -> None:
    """Take the session from the browser."""
    # Without `secure` a browser ignores what is said of a `__Host-` cookie.
    response.delete_cookie(cookie_name(request), path="/", secure=by_tls(request), httponly=True, samesite="lax")
