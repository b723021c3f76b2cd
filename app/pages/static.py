"""Stylesheet and pictures of the pages themselves: a handful of small files, read once."""

from __future__ import annotations

import mimetypes
from functools import cache

from fastapi import APIRouter
from fastapi.responses import Response

from app.errors import NotFound
from app.pages.environment import STATIC

router = APIRouter(prefix="/static", include_in_schema=False)


@router.get("/{name}")
def static_file(name: str) -> Response:
    """One file; its address changes with its content, so browsers keep it."""
    if name not in names():
        raise NotFound()
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response((STATIC / name).read_bytes(), media_type=kind, headers=headers)


@cache
def names() -> frozenset[str]:
    """The files there are."""
    return frozenset(path.name for path in STATIC.iterdir() if path.is_file())
