"""The prefix that all pages share."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.convertors import StringConvertor, register_url_convertor

from app.http.language import LANGUAGES


class LanguageConvertor(StringConvertor):
    """The first part of a page's address."""

    regex = "|".join(LANGUAGES)


register_url_convertor("language", LanguageConvertor())


def pages_router(prefix: str = "") -> APIRouter:
    """A router for pages under /en and /fr."""
    return APIRouter(
        prefix="/{language:language}" + prefix, include_in_schema=False, default_response_class=HTMLResponse
    )
