"""One page per problem code: what it means and how to mend it."""

from __future__ import annotations

import re

from fastapi import Request
from fastapi.responses import Response

from app.errors import NotFound
from app.http.language import translate
from app.http.transaction import EdgeDep
from app.pages.answer import show
from app.pages.routing import pages_router
from challenges.messages import TEMPLATES
from scoring.messages import MESSAGES

router = pages_router("/help")
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


@router.get("")
def index(request: Request, edge: EdgeDep) -> Response:
    """All codes of problems in an entry."""
    known = [(message.code, generic(message.template, edge.language)) for message in MESSAGES.values()]
    return show(request, edge, "help.html", known=known)


@router.get("/{code}")
def code_page(code: str, request: Request, edge: EdgeDep) -> Response:
    """One code: of an entry, else of a challenge folder."""
    key = code.upper()
    warning = key in MESSAGES and key.startswith("W-")
    if key in MESSAGES:
        message = MESSAGES[key]
        text, fix = generic(message.template, edge.language), generic(message.fix, edge.language)
    elif key in TEMPLATES:
        text, fix = generic(TEMPLATES[key], edge.language), ""
    else:
        raise NotFound()
    return show(request, edge, "help_code.html", code=key, text=text, fix=fix, warning=warning)


def generic(template: str, language: str) -> str:
    """The sentence of a code with an ellipsis in place of what a file would put there."""
    return PLACEHOLDER.sub("…", translate(template, language, None)).replace("%%", "%")
