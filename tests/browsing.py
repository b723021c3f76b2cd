"""A browser without a window: cookies, forms and redirects over HTTP, for tests of pages."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

import httpx

from tests.scenario import PASSWORD


@dataclass(frozen=True)
class Browser:
    """Someone's browser; redirects are not followed by themselves."""

    http: httpx.Client

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.http.get(path, **options)

    def send(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form without a file."""
        return self.http.post(path, data=fields)

    def upload(self, path: str, content: bytes, *, filename: str = "predictions.csv", **fields: str) -> httpx.Response:
        """Send a form with a file."""
        return self.http.post(path, data=fields, files={"file": (filename, content, "text/csv")})


def browser(url: str, *, language: str = "en") -> Browser:
    """Nobody's browser."""
    # No connection is kept, so that a browser that a test forgets leaves no socket behind.
    limits = httpx.Limits(max_keepalive_connections=0)
    return Browser(httpx.Client(base_url=url, timeout=30, headers={"Accept-Language": language}, limits=limits))


def signed_in(url: str, name: str) -> Browser:
    """The browser of someone who has an account."""
    made = browser(url)
    answer = made.send("/en/sign-in", email=f"{name}@example.org", password=PASSWORD)
    assert answer.status_code == 303, answer.text
    return made


def text_of(answer: httpx.Response) -> str:
    """The words of a page, one space between them."""
    inline = re.sub(r"</?(?:time|code|strong|em|a)\b[^>]*>", "", answer.text)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", inline)).split())
