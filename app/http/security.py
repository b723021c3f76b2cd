"""Headers on every answer, the refusal of cross-site writes, and the language of the request, as ASGI middleware."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import N_
from app.http.language import COOKIE, choose, translate

CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CROSS_SITE = N_("This request came from another site, so it was refused. Open the form here and send it again.")


class Security:
    """Wraps the whole app. Bearer tokens are not sent by browsers on their own, so they need no origin."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        language = choose(scope["path"], headers, cookie_parser(headers.get("cookie", "")).get(COOKIE))
        scope.setdefault("state", {})["language"] = language

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    answer.setdefault(name, value)
                if scope["path"].startswith(("/api/", "/en", "/fr")):
                    answer.setdefault("Cache-Control", "no-store")
            await send(message)

        if scope["method"] not in SAFE and is_cross_site(headers):
            await _refuse(scope, receive, with_headers, language)
            return
        await self.app(scope, receive, with_headers)


def is_cross_site(headers: Headers) -> bool:
    """Whether a browser sent this write for another site: Sec-Fetch-Site says, else Origin against Host."""
    if headers.get("authorization", "").lower().startswith("bearer "):
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return False
    host = _host_of(origin)
    return not host or host != headers.get("host")


def _host_of(origin: str) -> str:
    """Host and port of an origin; empty for `null` and for what is no origin at all."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


async def _refuse(scope: Scope, receive: Receive, send: Send, language: str) -> None:
    """A page for a person, problem JSON for the API: this stands outside the app's own error handlers."""
    document = {"type": "urn:arbitre:E-CROSS-SITE", "title": "CrossSite", "status": 403, "code": "E-CROSS-SITE"}
    document["detail"] = translate(CROSS_SITE, language, None)
    page = getattr(scope["app"].state, "error_page", None)
    if page is not None and not scope["path"].startswith("/api/"):
        answer = page(Request(scope), document)
    else:
        answer = JSONResponse(document, 403, media_type="application/problem+json")
    await answer(scope, receive, send)
