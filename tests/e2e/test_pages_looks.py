"""Pages in a real browser: narrow and wide, light and dark, both languages, by keyboard, and never from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser
from sqlalchemy import select

from app.db.users import User
from app.domain.access import SCOPES
from tests import scenario
from tests.chromium import Seen, sign_in, window
from tests.scenario import PASSWORD
from tests.serving import Served, served

pytestmark = pytest.mark.browser
CASES = scenario.cases()
C = "/challenges/tiny"
BEHIND = ["/organise", "/organise/tiny", "/organise/tiny/phases/main/close"]
PAGES = [
    "",
    "/sign-up",
    "/account",
    "/help",
    "/help/e-nan",
    "/challenges/other/join",
    *(f"{C}{page}" for page in ("", "/data", "/evaluation", "/rules", "/leaderboard", "/submit", "/team")),
    *(f"{C}/submissions{page}" for page in ("", "/1?still=true", "/1/withdraw")),
]
OUTLINE = """() => {
  const found = document.activeElement, style = getComputedStyle(found);
  return [found.tagName, style.outlineStyle, parseFloat(style.outlineWidth), found.matches(':focus-visible')];
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Served]:
    """Ada takes part in one of two challenges; the organiser made both."""
    with served(tmp_path_factory.mktemp("looks"), sqlite_template) as instance:
        scenario.person(instance.url, "organiser")
        with instance.database.write_session() as session:
            session.scalars(select(User).where(User.name == "organiser")).one().can_organise = True
        organiser = scenario.signed_in(instance.url, "organiser@example.org", SCOPES)
        ada = scenario.person(instance.url, "ada")
        for slug in ("tiny", "other"):
            scenario.publish(organiser, scenario.folder(CASES, slug=slug))
        scenario.join(ada, "tiny")
        scenario.submit(ada, "tiny", scenario.entry(CASES))
        yield instance


def look(seen: Seen, language: str, path: str) -> None:
    page = seen.open(f"/{language}{path}")
    assert page.locator("h1").count() == 1, path
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"/{language}{path} is {wide} pixels wider than the window"


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
@pytest.mark.parametrize(("name", "pages"), [("ada", PAGES), ("organiser", BEHIND)])
def test_pages_fit_and_ask_nobody_else(
    browser: Browser,
    site: Served,
    name: str,
    pages: list[str],
    language: str,
    scheme: Literal["light", "dark"],
    width: int,
) -> None:
    with window(browser, site.url, width=width, scheme=scheme) as seen:
        sign_in(seen, name, PASSWORD)
        for path in pages:
            look(seen, language, path)
        assert (seen.strangers, seen.console) == ([], [])


@pytest.mark.parametrize("path", ["", "/sign-up", f"{C}/submit", f"{C}/submissions/1?still=true", "/organise"])
def test_the_keyboard_reaches_everything_and_shows_where_it_is(browser: Browser, site: Served, path: str) -> None:
    with window(browser, site.url) as seen:
        sign_in(seen, "organiser" if path in BEHIND else "ada", PASSWORD)
        page = seen.open(f"/en{path}")
        reachable = page.evaluate(
            "document.querySelectorAll('a[href], button, input, summary, [tabindex=\"0\"]').length"
        )
        visited: list[str] = []
        for _ in range(reachable):
            page.keyboard.press("Tab")
            tag, outline, width, visible = page.evaluate(OUTLINE)
            assert visible and outline != "none" and width >= 2, f"no visible focus on {tag} number {len(visited)}"
            visited.append(page.evaluate("document.activeElement.outerHTML.slice(0, 200)"))
        assert len(visited) == reachable
        assert 'class="skip"' in visited[0]


def test_larger_text_spacing_clips_nothing(browser: Browser, site: Served) -> None:
    """WCAG 1.4.12."""
    spacing = "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
    with window(browser, site.url, width=320, bypass_csp=True) as seen:
        sign_in(seen, "ada", PASSWORD)
        for path in ("", C, f"{C}/submit", f"{C}/submissions/1?still=true"):
            page = seen.open(f"/fr{path}")
            page.add_style_tag(content=spacing)
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
