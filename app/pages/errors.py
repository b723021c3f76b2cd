"""The page of a refusal: what was refused, why, and a way out."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from app.pages.answer import render


def error_page(request: Request, document: dict[str, Any]) -> Response:
    """A refusal (problem details of RFC 9457) as a page. Who reads a page and must sign in is led there and back."""
    language = getattr(request.state, "language", "en")
    if document["status"] == 401 and request.method == "GET":
        query = f"?{request.url.query}" if request.url.query else ""
        back = quote(f"{request.url.path}{query}", safe="/")
        return RedirectResponse(f"/{language}/sign-in?next={back}", 303)
    return render(
        request, "error.html", language=language, actor=None, status=document["status"], problem=document, problems=[]
    )
