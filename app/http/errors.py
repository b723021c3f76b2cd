"""The one place where a refusal becomes an answer: problem JSON (RFC 9457) for the API, a page for people."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException

from app.errors import N_, AppError, Conflict, Invalid, NotFound, ProtocolVersion, Unavailable, too_large
from app.http.language import translate
from app.http.small_bodies import LIMIT

LOG = logging.getLogger("arbitre.http")
MOST_PROBLEMS = 50
RACED = N_("Another request changed the same thing at the same moment, so this one was not done. Send it again.")
UNFIT = N_("Something in the request cannot be stored: a NUL or broken character, or a number that is too large.")


class MethodNotAllowed(AppError):
    status = 405
    code = "E-METHOD"
    template = N_("This address does not take %(method)s.")


class Fault(AppError):
    """Our own mistake: what happened is in the log, not in the answer."""

    status = 500
    code = "E-FAULT"
    template = N_(
        "The service made a mistake. Nothing you sent was counted against you; the operator finds it in the log."
    )


def install(app: FastAPI) -> None:
    """Answer every exception of this app."""
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(OperationalError, _database_error)
    for raced in (IntegrityError, StaleDataError):
        app.add_exception_handler(raced, _raced)
    for unfit in (DataError, UnicodeEncodeError):
        app.add_exception_handler(unfit, _unfit)
    app.add_exception_handler(Exception, _fault)


def problem(error: AppError, *, language: str) -> dict[str, Any]:
    """RFC 9457 problem details of a refusal, in the reader's language."""
    document: dict[str, Any] = {
        "type": f"urn:arbitre:{error.code}",
        "title": type(error).__name__,
        "status": error.status,
        "code": error.code,
        "detail": translate(error.template, language, error.fields),
        "fields": {key: value for key, value in error.fields.items() if isinstance(value, str | int | float | bool)},
    }
    if isinstance(error, Invalid) and error.problems:
        document["problems"] = [p | {"text": translate(p["text"], language, None)} for p in error.problems]
    if isinstance(error, ProtocolVersion):
        document["supported"] = [error.fields["low"], error.fields["high"]]
    return document


def _app_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AppError)
    language = getattr(request.state, "language", "en")
    document = problem(error, language=language)
    page = getattr(request.app.state, "error_page", None)
    if page is not None and wants_page(request):
        answer: Response = page(request, document)
    else:
        answer = JSONResponse(document, error.status, media_type="application/problem+json")
    answer.headers.update(error.headers)
    return answer


def wants_page(request: Request) -> bool:
    """Whether the answer is for a person: an address outside the API."""
    return not request.url.path.startswith(("/api/", "/.well-known/"))


def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = [
        {"where": ".".join(str(part) for part in item["loc"])[:200], "text": str(item["msg"])[:500]}
        for item in error.errors()[:MOST_PROBLEMS]
    ]
    return _app_error(request, Invalid(N_("The request has fields that are not valid."), problems=problems))


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return _app_error(request, MethodNotAllowed(method=request.method))
    if error.status_code == 404:
        return _app_error(request, NotFound())
    if error.status_code == 413:
        return _app_error(request, too_large(LIMIT))
    refusal = AppError(str(error.detail))
    refusal.status = error.status_code
    return _app_error(request, refusal)


def _database_error(request: Request, error: Exception) -> Response:
    LOG.error("database not available", exc_info=error)
    return _app_error(request, Unavailable(headers={"Retry-After": "5"}))


def _raced(request: Request, error: Exception) -> Response:
    LOG.warning("two requests at once", exc_info=error)
    return _app_error(request, Conflict(RACED, code="E-RACE", headers={"Retry-After": "1"}))


def _unfit(request: Request, error: Exception) -> Response:
    LOG.warning("what cannot be stored", exc_info=error)
    return _app_error(request, Invalid(UNFIT))


def _fault(request: Request, error: Exception) -> Response:
    LOG.error("fault", exc_info=error)
    return _app_error(request, Fault())
