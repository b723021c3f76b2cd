"""The HTML twins of the API, on the same services."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from app.pages import (
    accounts,
    boards,
    challenges,
    errors,
    help,
    home,
    join,
    organise,
    static,
    submissions,
    submit,
    teams,
)

MODULES = (home, accounts, join, submit, submissions, boards, teams, challenges, organise, help)


def install(app: FastAPI) -> None:
    """Add every page."""
    app.state.error_page = errors.error_page
    app.add_api_route("/", to_language, include_in_schema=False)
    app.include_router(static.router)
    for module in MODULES:
        app.include_router(module.router)


def to_language(request: Request) -> Response:
    """The home page in the reader's language."""
    answer = RedirectResponse(f"/{request.state.language}", 303)
    answer.headers.update({"Vary": "Accept-Language, Cookie", "Cache-Control": "no-store"})
    return answer
