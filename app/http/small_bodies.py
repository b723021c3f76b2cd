"""Bodies that are read whole into memory are small; larger ones go through `app.http.body`, which streams them."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIMIT = 1_000_000
"""Largest body, in bytes, of an endpoint that does not stream it."""
STREAMED = "body_is_streamed"


def allow_stream(request: Request) -> None:
    """What reads the body from here on has a limit of its own."""
    setattr(request.state, STREAMED, True)


class SmallBodies:
    """Wraps the app: a body that nobody streams is refused with 413 once it is larger than `LIMIT`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope.setdefault("state", {})
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > LIMIT and not state.get(STREAMED):
                # The only exception that FastAPI hands on when it reads a body.
                raise HTTPException(413)
            return message

        await self.app(scope, counted if scope["type"] == "http" else receive, send)
