"""What an endpoint stands on: the instance's parts, the moment of the request, and one transaction per request."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from app.db.engine import Database
from app.domain.access import Actor
from app.files.blobs import Blobs
from app.http.actor import resolve_actor
from app.http.ended import Ended
from app.http.wake import Wake
from app.settings import Settings


@dataclass(frozen=True)
class Parts:
    """The parts of one running instance, made once at start."""

    settings: Settings
    database: Database
    blobs: Blobs
    wake: Wake
    ended: Ended = field(default_factory=Ended)


@dataclass(frozen=True)
class Edge:
    """One request: who asks, when it reached the server, and the parts. `now` is read once, here."""

    parts: Parts
    actor: Actor
    now: dt.datetime
    language: str

    @property
    def settings(self) -> Settings:
        return self.parts.settings

    @property
    def blobs(self) -> Blobs:
        return self.parts.blobs

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that only reads."""
        with self.parts.database.read_session() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction, committed before the answer leaves; waiting claims are woken afterwards."""
        with self.parts.database.write_session() as session:
            yield session
        self.parts.wake.notify()


def utc_now() -> dt.datetime:
    """The server's clock."""
    return dt.datetime.now(dt.UTC)


def parts_of(request: Request) -> Parts:
    """The parts of the instance that serves this request."""
    parts: Parts = request.app.state.parts
    return parts


def edge_of(request: Request) -> Edge:
    """Who asks, and when. A bad token is refused here, before anything else is looked at."""
    parts = parts_of(request)
    now = utc_now()
    with parts.database.read_session() as session:
        actor = resolve_actor(session, request=request, now=now)
    return Edge(parts, actor, now, getattr(request.state, "language", "en"))


EdgeDep = Annotated[Edge, Depends(edge_of)]
