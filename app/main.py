"""The web application: parts, middleware, routes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app import api, pages
from app.db.engine import open_database
from app.files.blobs import open_blobs
from app.files.leftovers import sweep
from app.http import errors
from app.http.security import Security
from app.http.small_bodies import SmallBodies
from app.http.transaction import Parts
from app.http.wake import Wake
from app.settings import Settings

VERSION = "0.1.0"


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application over the data folder and database that the settings name."""
    settings = settings or Settings()
    database = open_database(settings.database)
    parts = Parts(settings, database, open_blobs(settings), Wake())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sweep(settings, now=time.time())
        yield
        parts.wake.close()
        database.dispose()

    app = FastAPI(
        title="Arbitre",
        version=VERSION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.parts = parts
    errors.install(app)
    app.add_middleware(SmallBodies)
    app.add_middleware(Security)
    api.install(app)
    pages.install(app)
    return app
