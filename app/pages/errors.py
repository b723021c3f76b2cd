"""The page of a refusal: what was refused, why, and a way out."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from app.pages.answer import render


def error_page(request: Request, document: dict[str, Any]) -> Response:
    """A refusal (problem details of RFC 9457) as a page. Who reads a page and must sign in is led there and back."""
    language = getattr(request.state, "language", "en")
    if document["status"] == 401 and request.method == "GET":
        query = f"?{request.url.query}" if request.url.query else ""
        address = quote(f"{request.url.path}{query}", safe="/")
        return RedirectResponse(f"/{language}/sign-in?next={address}", 303)
    return render(
        request,
        "error.html",
        language=language,
        actor=None,
        status=document["status"],
        problem=document,
        problems=[],
        back=back(request),
    )


def back(request: Request) -> str | None:
    """The page of ours that the refused form stood on."""
    came = urlsplit(request.headers.get("referer", ""))
    if request.method == "GET" or came.netloc != request.headers.get("host") or not came.path.startswith("/"):
        return None
    return f"{came.path}?{came.query}" if came.query else came.path
