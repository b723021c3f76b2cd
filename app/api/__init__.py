"""The JSON API under /api/v1."""

from fastapi import FastAPI

from app.api import (
    accounts,
    boards,
    challenges,
    entering,
    metrics,
    receipts,
    runner,
    submissions,
    teams,
    uploads,
)

PREFIX = "/api/v1"


def install(app: FastAPI) -> None:
    """Add every route of the API."""
    # Before the raw way of the same address, which takes whatever is not JSON.
    app.include_router(entering.router, prefix=PREFIX)
    for module in (accounts, challenges, teams, submissions, uploads, boards, metrics, runner):
        app.include_router(module.router, prefix=PREFIX)
    app.include_router(receipts.router)
