"""Turning a template into an answer, and a refusal into the problems of a form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.domain.access import Actor
from app.errors import AppError
from app.http import errors
from app.http.forms import Form
from app.http.language import COOKIE, LANGUAGES, choose
from app.http.transaction import Edge
from app.pages.environment import environment
from app.pages.words import NOTICES

KEPT_STATUS = frozenset({409, 413, 422, 429, 507})
FORM_PAGES = frozenset({"sign-in", "sign-up", "join", "submit", "organise"})
"""Last parts of addresses where a form is both shown and sent."""
YEAR_S = 365 * 86_400


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong in a form: the id of its field (None: the whole form) and the sentence."""

    field: str | None
    text: str


def show(
    request: Request,
    edge: Edge,
    template: str,
    *,
    status: int = 200,
    problems: list[Trouble] | None = None,
    form: Form | None = None,
    **context: Any,
) -> Response:
    """The page of a template."""
    return render(
        request,
        template,
        language=edge.language,
        actor=edge.actor,
        status=status,
        now=edge.now,
        problems=problems or [],
        form=form or Form(),
        **context,
    )


def render(
    request: Request, template: str, *, language: str, actor: Actor | None, status: int = 200, **context: Any
) -> Response:
    """The page of a template, outside a transaction too (errors). `actor` None: the page does not know who asks."""
    known = {"actor": actor, "twin": twin(request, language), "notice": NOTICES.get(request.query_params.get("done"))}
    text = environment(language).get_template(template).render(**known | context)
    answer = HTMLResponse(text, status)
    cookie = request.cookies.get(COOKIE)
    if choose("/", request.headers, cookie) != language:
        answer.set_cookie(COOKIE, language, max_age=YEAR_S, httponly=True, samesite="lax", path="/")
    return answer


def go(path: str) -> Response:
    """After a form: to the page that shows what came of it. `path` is one of our own."""
    return RedirectResponse(quote(path, safe="/?&=%-._~#"), 303)


def twin(request: Request, language: str) -> str:
    """The same page in the other language; for what only a form leads to, the home page."""
    other = next(one for one in LANGUAGES if one != language)
    path = request.url.path
    shown = request.method == "GET" or path.rsplit("/", 1)[-1] in FORM_PAGES
    if not path.startswith(f"/{language}") or not shown:
        return f"/{other}"
    query = f"?{request.url.query}" if request.url.query else ""
    return f"/{other}{path[3:]}{query}"


def troubles(error: AppError, edge: Edge, *, field: str | None = None) -> list[Trouble]:
    """What a refusal says about a form, in the reader's language; `field` for a refusal that names none."""
    document = errors.problem(error, language=edge.language)
    listed = [Trouble(problem["where"], problem["text"]) for problem in document.get("problems", [])]
    return listed or [Trouble(field, document["detail"])]


def status_of(error: AppError) -> int:
    """The status of a form that is shown again."""
    return error.status if error.status in KEPT_STATUS else 422
