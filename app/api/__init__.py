"""The JSON API under /api/v1."""

from fastapi import FastAPI

from app.api import accounts, boards, challenges, metrics, receipts, runner, submissions, teams

PREFIX = "/api/v1"


def install(app: FastAPI) -> None:
    """Add every route of the API."""
    for module in (accounts, challenges, teams, submissions, boards, metrics, runner):
        app.include_router(module.router, prefix=PREFIX)
    app.include_router(receipts.router)
