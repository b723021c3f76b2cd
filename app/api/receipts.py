"""The keys that verify receipts."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from app.http.transaction import EdgeDep
from app.services import receipts

router = APIRouter(tags=["receipts"])


@router.get("/.well-known/arbitre-keys.json")
def keys(edge: EdgeDep) -> dict[str, Any]:
    """Every public key that signed receipts, the one in force first."""
    return {"keys": receipts.public_keys(edge.settings.keys)}
