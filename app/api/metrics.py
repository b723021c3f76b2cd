"""Metric cards and the health of the instance."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from sqlalchemy import text

from app.errors import NotFound
from app.http.transaction import EdgeDep
from scoring import registry

router = APIRouter(tags=["metrics"])


@router.get("/metrics")
def list_metrics() -> list[dict[str, Any]]:
    """The cards of all metrics that this instance has."""
    return [card.to_json() for card in registry.cards()]


@router.get("/metrics/{key}")
def read(key: str) -> dict[str, Any]:
    """One metric's card."""
    for card in registry.cards():
        if card.key == key:
            return card.to_json()
    raise NotFound()


@router.get("/health")
def health(edge: EdgeDep) -> dict[str, str]:
    """Whether web and database answer."""
    with edge.read() as session:
        session.execute(text("SELECT 1"))
    return {"status": "ok"}
