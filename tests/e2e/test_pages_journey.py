"""A person with a browser and nothing else, scripts switched off: from sign-up to a scored submission, and beyond."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests import instance, scenario
from tests.chromium import Seen, sign_in, window
from tests.scenario import PASSWORD
from tests.serving import Served

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]
CASES = scenario.cases()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Served]:
    with instance.running(tmp_path_factory.mktemp("journey"), sqlite_template) as served:
        instance.organiser(served)
        yield served


@pytest.fixture
def organiser(browser: Browser, running: Served) -> Iterator[Seen]:
    with window(browser, running.url, scripts=False) as seen:
        sign_in(seen, "organiser", PASSWORD)
        yield seen


def choose(page: Page, content: bytes, name: str = "predictions.csv") -> None:
    page.set_input_files("#file", {"name": name, "mimeType": "text/csv", "buffer": content})


def settled(page: Page) -> str:
    """The words of a submission's page once it no longer loads itself again."""
    scenario.until(lambda: page.locator("meta[http-equiv=refresh]").count() == 0, seconds=90, every=0.3)
    return page.inner_text("main")


def publish(organiser: Seen, slug: str, **options: str) -> None:
    """Create a challenge from an archive and publish it, by the pages."""
    page = organiser.open("/en/organise")
    choose(page, scenario.archive(scenario.folder(CASES, slug=slug, baseline=True, **options)), f"{slug}.tar")  # type: ignore[arg-type]
    page.click("text=Check and create a draft")
    assert page.url.endswith(f"/en/organise/{slug}?done=created")
    page.click("button:has-text('Publish')")
    assert "published on" in page.inner_text("main")


def enter(seen: Seen, slug: str, name: str) -> Page:
    """Sign up in French and join; ends on the submit page."""
    page = seen.open(f"/fr/challenges/{slug}")
    page.click("main a:has-text('Participer')")
    page.click("main a:has-text('ou créer un compte')")
    page.fill("#name", name)
    page.fill("#email", f"{name}@example.org")
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.check("input[name=accept]")
    page.fill("#team", f"Équipe {name}")
    page.click("main button")
    assert page.url.endswith(f"/fr/challenges/{slug}/submit?done=joined")
    return page


def test_from_sign_up_to_a_scored_submission(browser: Browser, running: Served, organiser: Seen) -> None:
    publish(organiser, "way")
    with window(browser, running.url, scripts=False) as seen:
        page = enter(seen, "way", "zoe")

        choose(page, b"id;risk\nc00000;0,5\n")
        page.click("text=Contrôler seulement")
        words = settled(page)
        assert "format refusé" in words and "Un contrôle n’utilise aucune de vos soumissions." in words
        assert "E-DELIM" in words and "Les cellules sont séparées par" in words

        page.click("text=Envoyer le fichier corrigé")
        lines = scenario.entry(CASES).decode().splitlines()
        lines[3], lines[5] = "c00002,abc", "c00004,1.7"
        choose(page, "\n".join(lines).encode())
        page.click("button:has-text('Soumettre')")
        words = settled(page)
        assert "2 problèmes sur 2 lignes" in words
        cells = [page.locator("table.issues tbody tr").nth(row).locator("td").all_inner_texts() for row in (0, 1)]
        assert [(cell[0], cell[1], cell[2], cell[5]) for cell in cells] == [
            ("4", "risk", "abc", "E-NUMBER"),
            ("6", "risk", "1.7", "E-RANGE"),
        ]
        assert "Elle n’a utilisé aucune soumission de l’équipe" in words
        page.click("table.issues a >> nth=0")
        assert page.inner_text("h1") == "E-NUMBER"

        page = seen.open("/fr/challenges/way/submit")
        assert "5 soumissions sur 5" in page.inner_text("main")
        choose(page, scenario.entry(CASES))
        page.fill("#note", "première")
        page.click("button:has-text('Soumettre')")
        words = settled(page)
        plain = words.replace("\u00a0", " ").replace("\u202f", " ")
        score = r"Aire sous la courbe ROC : 0,\d{4} \(intervalle à 95 % : 0,\d{4} à [01],\d{4}\) – Partie « public »"
        assert re.search(score, plain)
        assert "Elle a utilisé une soumission de l’équipe." in words
        assert "Partie « private »" not in plain
        assert "L’équipe a le rang 1 sur 1." in words

        page.click("main a:has-text('Classement')")
        assert page.inner_text("h1") == "Classement (provisoire)"
        own = page.locator("tr.own").inner_text()
        assert "Équipe zoe" in own and "votre équipe" in own
        assert "modèle de base, non classé" in page.locator("tr.baseline").inner_text()
        assert (seen.strangers, seen.console) == ([], [])


def test_closing_freezes_the_board_and_shows_what_was_hidden(
    browser: Browser, running: Served, organiser: Seen
) -> None:
    publish(organiser, "end")
    with window(browser, running.url, scripts=False) as seen:
        page = enter(seen, "end", "yan")
        choose(page, scenario.entry(CASES))
        page.click("button:has-text('Soumettre')")
        settled(page)

        manage = organiser.open("/en/organise/end")
        manage.click("text=Close this phase…")
        assert "This cannot be undone." in manage.inner_text("main")
        manage.click("text=Close this phase now")
        scenario.until(
            lambda: "Frozen on" in organiser.open("/en/organise/end").inner_text("main"), seconds=90, every=1
        )

        page.reload()
        words = page.inner_text("main").replace("\u00a0", " ")
        assert "Partie « private »" in words and re.search(r"\nsex\n(?s:.*)\nF\s", words) and "La retirer" not in words
        board = seen.open("/fr/challenges/end/leaderboard")
        assert board.inner_text("h1") == "Classement (final)"
        assert re.search(
            r"Empreinte du classement figé : [0-9a-f]{64}", board.inner_text("main").replace("\u00a0", " ")
        )
        refused = seen.open("/fr/challenges/end/submit").inner_text("main")
        assert "Cette phase n’accepte pas de soumission en ce moment." in refused


def test_a_submission_can_be_withdrawn_after_a_question(browser: Browser, running: Served, organiser: Seen) -> None:
    publish(organiser, "back", select="final")
    with window(browser, running.url, scripts=False) as seen:
        page = enter(seen, "back", "xia")
        choose(page, scenario.entry(CASES))
        page.click("button:has-text('Soumettre')")
        settled(page)
        page.click("text=La choisir comme finale")
        assert "C’est maintenant une soumission finale de votre équipe." in page.inner_text("main")
        page.click("text=Ne plus la garder comme finale")
        page.click("text=La retirer…")
        assert "C’est irréversible." in page.inner_text("main")
        page.click("main button:has-text('La retirer')")
        assert "L’équipe a retiré cette soumission" in page.inner_text("main")
