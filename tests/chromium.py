"""A real Chromium, driven by Playwright, that talks to loopback only and tells what a page did."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

PROGRAM = "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A started browser. Skips, or fails in CI, where there is none."""
    program = shutil.which("chromium") or PROGRAM
    if not os.access(program, os.X_OK):
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed")
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Seen:
    """A page and what it did: requests to other origins, and what stood on the console."""

    page: Page
    url: str
    strangers: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Load a page of the instance."""
        self.page.goto(f"{self.url}{path}")
        return self.page


@contextmanager
def window(
    browser: Browser,
    url: str,
    *,
    width: int = 1280,
    scheme: Literal["light", "dark"] = "light",
    scripts: bool = True,
    **options: Any,
) -> Iterator[Seen]:
    """A fresh window (no cookies) on the instance at `url`."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts, **options
    )
    try:
        seen = Seen(context.new_page(), url)
        seen.page.on("request", lambda request: _note(seen, request.url))
        seen.page.on("console", lambda message: seen.console.append(f"{message.type}: {message.text}"))
        seen.page.on("pageerror", lambda error: seen.console.append(f"error: {error}"))
        yield seen
    finally:
        context.close()


def _note(seen: Seen, address: str) -> None:
    if not address.startswith((f"{seen.url}/", "data:")):
        seen.strangers.append(address)


def sign_in(seen: Seen, name: str, password: str) -> None:
    """Sign in by the form."""
    page = seen.open("/en/sign-in")
    page.fill("#email", f"{name}@example.org")
    page.fill("#password", password)
    page.click("main button")
    page.wait_for_url(f"{seen.url}/en")
