"""The HTTP client of the command line: it knows the API's addresses and refusals, and no service of the server."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from app.cli.answers import foreign_body, not_reached, refusal
from app.cli.config import load, server_address, token_for
from app.cli.errors import CliError, Usage

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

BASE = "/api/v1"
WAITS_S = (1.0, 2.0, 4.0, 8.0)
"""Pauses between the tries of a request that may safely be sent again."""


@dataclass(frozen=True)
class Api:
    """One server, spoken to as one user. Every failure is a CliError."""

    address: str
    http: httpx.Client
    token: str | None = None

    def get(self, path: str, **params: str | int | None) -> Any:
        """The JSON document at `path` (below /api/v1); parameters that are None are left out."""
        return self.json(self.send("GET", path, params={k: v for k, v in params.items() if v is not None}))

    def post(self, path: str, body: Any = None, **params: str | int | None) -> Any:
        """The JSON answer to a POST with a JSON body; None when the server answers without one."""
        answer = self.send("POST", path, json=body, params={k: v for k, v in params.items() if v is not None})
        return self.json(answer) if answer.content else None

    def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send, and return the answer if it is a success. Errors: CliError."""
        import httpx

        try:
            answer = self._sent(method, path, request)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise not_reached(error, address=self.address) from error
        self.refuse(answer, path)
        return answer

    def _sent(self, method: str, path: str, request: Mapping[str, Any]) -> httpx.Response:
        """A GET is sent once more: the server may close a connection that stood idle just as we use it again."""
        import httpx

        try:
            return self.http.request(method, BASE + path, **request)
        except (httpx.ReadError, httpx.RemoteProtocolError):
            if method != "GET":
                raise
            return self.http.request(method, BASE + path, **request)

    def refuse(self, answer: httpx.Response, path: str) -> None:
        """Raise the CliError of an answer outside 2xx."""
        if answer.is_success:
            return
        error = refusal(answer, address=self.address)
        if answer.status_code == 404:
            self._name_the_right_slug(path, error)
        raise error

    def json(self, answer: httpx.Response) -> Any:
        """The body as JSON. Errors: Unreachable when something else than the API answered."""
        if "json" not in answer.headers.get("content-type", ""):
            raise foreign_body(address=self.address)
        try:
            return answer.json()
        except ValueError as error:
            raise foreign_body(address=self.address) from error

    def _name_the_right_slug(self, path: str, error: CliError) -> None:
        """Where the challenge itself is not there, say so, and which name was probably meant."""
        parts = path.split("/")
        if len(parts) < 3 or parts[1] != "challenges":
            return
        try:
            slugs = [str(row["slug"]) for row in challenge_rows(self)]
        except (CliError, KeyError, TypeError):
            return
        if parts[2] in slugs:
            return
        near = difflib.get_close_matches(parts[2], slugs, n=1)
        hint = f"Did you mean {near[0]}?" if near else "`arbitre challenge list` shows those there are."
        who = "" if self.token else " If it is not public, log in first."
        raise Usage(
            f"There is no challenge {parts[2]!r} at {self.address}. {hint}{who}",
            code=error.code,
            document=error.document,
        )


@contextmanager
def connect(server: str = "", *, token: str | None = None, anonymous: bool = False) -> Iterator[Api]:
    """The API of the server in use, with the token kept for it. `token` overrides; `anonymous` sends none."""
    # httpx costs 0.15 s, which `--help` and offline commands never need to pay
    import httpx

    config = load()
    address = server_address(server, config)
    token = None if anonymous else token or token_for(address, config)
    headers = {"Accept": "application/json", "Accept-Language": "en", "User-Agent": "arbitre"}
    if token:
        headers["Authorization"] = f"Bearer {_header_safe(token)}"
    timeout = httpx.Timeout(60, connect=10)
    try:
        http = httpx.Client(base_url=address, headers=headers, timeout=timeout, follow_redirects=False)
    except (OSError, ValueError, ImportError) as error:
        raise Usage(f"The network settings cannot be used ({error}). Check HTTPS_PROXY and SSL_CERT_FILE.") from error
    with http:
        yield Api(address, http, token)


def challenge_rows(api: Api) -> list[Any]:
    """The challenges that this user may see."""
    return rows_of(api.get("/challenges"), "challenges")


def rows_of(document: Any, name: str) -> list[Any]:
    """The list that a document is, or holds under `name`."""
    rows = document.get(name, []) if isinstance(document, dict) else document
    return rows if isinstance(rows, list) else []


def steadily(attempt: Callable[[], T], *, tell: Callable[[str], None]) -> T:
    """`attempt()`, tried again after each pause while its failure may pass (`CliError.may_pass`).

    Only for requests that the server recognises when they come twice.
    """
    for wait in WAITS_S:
        try:
            return attempt()
        except CliError as error:
            if not error.may_pass:
                raise
            tell(f"{error.text} Trying again in {wait:g} s.")
            time.sleep(wait)
    return attempt()


def segment(text: str) -> str:
    """One part of an address path."""
    return quote(text, safe="")


def _header_safe(token: str) -> str:
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Usage("The token holds characters no token has. Copy it again, or run `arbitre login`.")
    return token
