"""Pages over HTTP: languages, forms that are refused, forms that do something, and what no page may contain."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from app.db.submissions import Submission
from app.db.uploads import Upload
from app.db.users import User
from app.domain.access import SCOPES
from tests import scenario
from tests.browsing import Browser, browser, signed_in, text_of
from tests.scenario import PASSWORD, Person
from tests.serving import Served, served

CASES = scenario.cases()
C = "/en/challenges/tiny"
LIMIT = 20_000
HEAVY = (
    "The file is larger than 0 MB, which is the most that one request carries. Send it in pieces: `arbitre submit` "
    "does so by itself; other programs create a tus 1.0 upload at /api/v1/uploads."
)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("pages"), sqlite_template, direct_limit=LIMIT) as instance:
        scenario.publish(organiser_of(instance), scenario.folder(CASES, day=1))
        yield instance


def organiser_of(instance: Served) -> Person:
    scenario.person(instance.url, "organiser")
    with instance.database.write_session() as session:
        session.scalars(select(User).where(User.name == "organiser")).one().can_organise = True
    return scenario.signed_in(instance.url, "organiser@example.org", SCOPES)


@pytest.fixture
def nobody(instance: Served) -> Browser:
    return browser(instance.url)


def member(instance: Served, name: str) -> Browser:
    """The browser of a new participant of `tiny`."""
    who = scenario.person(instance.url, name)
    scenario.join(who, "tiny")
    return signed_in(instance.url, name)


def counted(instance: Served, table: type[Upload] | type[Submission]) -> int:
    with instance.database.read_session() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize(
    ("accepted", "cookie", "target"),
    [
        ("fr-FR,fr;q=0.9,en;q=0.8", "", "/fr"),
        ("de, en;q=0.3, fr;q=0.7", "", "/fr"),
        ("de", "", "/en"),
        ("", "", "/en"),
        ("en", "fr", "/fr"),
        ("fr", "nonsense", "/fr"),
    ],
)
def test_the_root_leads_to_the_readers_language(nobody: Browser, accepted: str, cookie: str, target: str) -> None:
    headers = {"Accept-Language": accepted} | ({"Cookie": f"arbitre_language={cookie}"} if cookie else {})
    answer = nobody.get("/", headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, target)


def test_choosing_a_language_is_remembered(nobody: Browser) -> None:
    assert "set-cookie" not in nobody.get("/en").headers
    answer = nobody.get("/fr")
    assert "Défis ouverts" in answer.text and '<html lang="fr">' in answer.text
    assert nobody.get("/").headers["location"] == "/fr"


def test_each_page_links_to_its_twin_in_the_other_language(nobody: Browser) -> None:
    page = nobody.get(f"{C}/leaderboard?phase=main&split=public").text
    assert 'href="/fr/challenges/tiny/leaderboard?phase=main&amp;split=public" hreflang="fr"' in page


PAGES = ["", "/sign-in", "/sign-up", "/account", "/organise", "/organise/tiny", "/help", "/help/e-nan", "/none"] + [
    f"/challenges/tiny{page}" for page in ("", "/data", "/evaluation", "/rules", "/leaderboard", "/join")
]


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("path", PAGES)
def test_what_every_page_holds_and_what_none_does(instance: Served, language: str, path: str) -> None:
    who = signed_in(instance.url, "organiser")
    answer = who.get(f"/{language}{path}")
    page = answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert answer.headers["cache-control"] == "no-store"
    assert page.count("<h1") == 1 and f'<html lang="{language}">' in page and 'class="skip" href="#main"' in page
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", page)
    addresses = re.findall(r'(?:href|src|action)="([^"]*)"', page)
    assert [address for address in addresses if urlsplit(address).netloc] == []


def test_static_files_are_kept_by_their_digest(nobody: Browser) -> None:
    found = re.search(r'href="(/static/arbitre.css\?v=\w{16})"', nobody.get("/en").text)
    assert found
    answer = nobody.get(found.group(1))
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == (
        "text/css; charset=utf-8",
        "public, max-age=31536000, immutable",
    )
    assert nobody.get("/static/..%2fsettings.py").status_code == 404


def test_a_refused_sign_up_keeps_what_was_typed_but_never_the_password(nobody: Browser) -> None:
    answer = nobody.send("/fr/sign-up", email="ada", name="Ada <b>", password="short-pw")
    assert answer.status_code == 422
    assert 'value="ada"' in answer.text and 'value="Ada &lt;b&gt;"' in answer.text
    assert "short-pw" not in answer.text
    assert '<a href="#email">Ce n’est pas une adresse électronique.' in answer.text
    assert '<a href="#password">Donnez un mot de passe d’au moins 10 caractères.' in answer.text
    assert 'aria-describedby="email-hint email-problem" aria-invalid="true"' in answer.text
    assert "<title>Problème\u00a0: " in answer.text


def test_sign_up_signs_in_and_leads_on(nobody: Browser) -> None:
    answer = nobody.send(f"/en/sign-up?next={C}/join", email="new@example.org", name="New", password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{C}/join")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "You are signed in as New." in text_of(nobody.get("/en"))
    again = nobody.send("/en/sign-up", email="new@example.org", name="New", password=PASSWORD)
    assert (again.status_code, "There is an account with this e-mail address already" in again.text) == (422, True)
    out = nobody.send("/en/sign-out")
    assert out.headers["location"] == "/en?done=signed-out"
    assert "You are signed in" not in nobody.get("/en").text


@pytest.mark.parametrize(
    "next",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/api/v1/me", "/en\n/x", "", "javascript:alert(1)"],
)
def test_sign_in_leads_nowhere_else(instance: Served, next: str) -> None:
    who = browser(instance.url)
    answer = who.http.post(
        "/en/sign-in", params={"next": next}, data={"email": "organiser@example.org", "password": PASSWORD}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/en")


def test_who_must_sign_in_is_led_there_and_back(nobody: Browser) -> None:
    answer = nobody.get(f"{C}/submit?phase=main")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/en/sign-in?next=/en/challenges/tiny/submit%3Fphase%3Dmain"


def test_a_write_from_another_site_is_refused(instance: Served) -> None:
    who = signed_in(instance.url, "organiser")
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert who.http.post("/en/organise/tiny/phases/main/close", headers=headers).status_code == 403
    assert "Open until" in text_of(who.get("/en/organise/tiny"))


def test_joining_needs_each_box(instance: Served) -> None:
    scenario.person(instance.url, "joiner")
    who = signed_in(instance.url, "joiner")
    page = who.get(f"{C}/join").text
    assert "<p>Be fair.</p>" in page and 'value="joiner"' in page
    found = re.search(r'name="accept" value="([^"]+)"', page)
    assert found
    refused = who.send(f"{C}/join", team="My team")
    assert refused.status_code == 422
    assert f'<a href="#document-{found.group(1)}">Tick the box of “Rules”' in refused.text
    assert 'value="My team"' in refused.text
    done = who.send(f"{C}/join", team="My team", accept=found.group(1))
    assert (done.status_code, done.headers["location"]) == (303, f"{C}/submit?done=joined")
    assert "You have joined already, in the team My team." in text_of(who.get(f"{C}/join"))


def test_the_submit_page_tells_quota_reset_and_clock(instance: Served) -> None:
    who = member(instance, "clock")
    words = text_of(who.get(f"{C}/submit"))
    assert re.search(
        r"Left for your team 1 submission of 1; more from .* at 00:00 \(Paris time\), which is 2[23]:00 \(UTC\)", words
    )
    assert re.search(r"The server's clock \d\d:\d\d:\d\d \(Paris time\), \d\d:\d\d:\d\d \(UTC\)", words)
    assert "at most 20 kB" in words


def test_a_file_is_entered_once_and_the_quota_holds(instance: Served) -> None:
    who = member(instance, "sender")
    entry = scenario.entry(CASES, seed=7)
    sent = who.upload(f"{C}/submit?phase=main", entry, note="  first  ", filename="C:\\mine\\p.csv")
    assert sent.status_code == 303
    page = who.get(sent.headers["location"])
    assert "The file waits for its turn." in text_of(page) and "p.csv – first" in text_of(page)
    assert '<meta http-equiv="refresh" content="2">' in page.text
    assert "http-equiv" not in who.get(f"{sent.headers['location']}?still=true").text
    refused = who.upload(f"{C}/submit?phase=main", scenario.entry(CASES, seed=8), note="second")
    assert refused.status_code == 429
    assert "Your team has used its 1 submissions." in text_of(refused) and 'value="second"' in refused.text
    check = who.upload(f"{C}/submit?phase=main&check=true", scenario.entry(CASES, seed=8))
    assert check.status_code == 303
    assert counted(instance, Upload) == 0


def test_the_same_file_leads_to_the_earlier_entry(instance: Served) -> None:
    who = member(instance, "twice")
    entry = scenario.entry(CASES, seed=9)
    first = who.upload(f"{C}/submit?phase=main&check=true", entry).headers["location"]
    second = who.upload(f"{C}/submit?phase=main&check=true", entry).headers["location"]
    assert second == f"{first}?done=earlier"
    assert "Your team sent this very file before." in text_of(who.get(second))
    third = who.upload(f"{C}/submit?phase=main&check=true", entry, again="yes").headers["location"]
    assert third not in (first, second)


@pytest.mark.parametrize(
    ("content", "filename", "status", "sentence"),
    [
        (b"", "", 422, "Choose a file first."),
        (b"x" * (LIMIT + 1), "p.csv", 413, HEAVY),
        (b"x" * 5_000_000, "p.csv", 413, HEAVY),
    ],
)
def test_a_refused_file_keeps_the_note_and_leaves_nothing(
    instance: Served, content: bytes, filename: str, status: int, sentence: str
) -> None:
    who = member(instance, f"refused-{status}-{len(content)}")
    before = counted(instance, Submission)
    answer = who.upload(f"{C}/submit?phase=main", content, filename=filename, note="kept")
    assert (answer.status_code, sentence in text_of(answer), 'value="kept"' in answer.text) == (status, True, True)
    assert f'<a href="#file">{sentence}' in answer.text
    assert (counted(instance, Submission), counted(instance, Upload)) == (before, 0)
    assert list((instance.parts.settings.public_blobs / "entries" / "tmp").glob("*")) == []


def test_a_full_disk_is_a_sentence_beside_the_form(instance: Served) -> None:
    who, blobs = member(instance, "full"), instance.parts.blobs
    keep_free = blobs.keep_free
    object.__setattr__(blobs, "keep_free", 1 << 62)
    try:
        answer = who.upload(f"{C}/submit?phase=main", scenario.entry(CASES), note="kept")
    finally:
        object.__setattr__(blobs, "keep_free", keep_free)
    assert (answer.status_code, 'value="kept"' in answer.text) == (507, True)
    assert "The server's disk is full, so the file was not kept and no quota was used." in text_of(answer)
    assert counted(instance, Upload) == 0


def test_a_browser_that_hangs_up_leaves_nothing(instance: Served) -> None:
    who = member(instance, "gone")
    before = counted(instance, Submission)
    cookie = "; ".join(f"{name}={value}" for name, value in who.http.cookies.items())
    host = urlsplit(instance.url)
    head = (
        f"POST {C}/submit?phase=main HTTP/1.1\r\nHost: {host.netloc}\r\nCookie: {cookie}\r\nContent-Length: 9000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="file"; filename="p.csv"\r\n\r\nid,risk\r\n'
    )
    with socket.create_connection((str(host.hostname), host.port or 80)) as connection:
        connection.sendall(head.encode())
        scenario.until(lambda: counted(instance, Upload) == 1)
    scenario.until(lambda: counted(instance, Upload) == 0)
    assert counted(instance, Submission) == before


def test_team_rename_and_invitation(instance: Served) -> None:
    ada, bob = member(instance, "team-ada"), member(instance, "team-bob")
    assert ada.send(f"{C}/team/name", name="The team").headers["location"] == f"{C}/team?done=renamed"
    taken = bob.send(f"{C}/team/name", name="the TEAM")
    assert (taken.status_code, "Another team of this challenge has that name." in text_of(taken)) == (409, True)
    found = re.search(r"invitation=(inv_[\w-]+)", ada.send(f"{C}/team/invitations").text)
    assert found
    assert found.group(1) in bob.get(f"{C}/team/join?invitation={found.group(1)}").text
    assert bob.send(f"{C}/team/join", invitation=found.group(1)).headers["location"] == f"{C}/team?done=moved"
    assert "team-ada team-bob" in text_of(ada.get(f"{C}/team"))


def test_a_token_is_shown_once(instance: Served) -> None:
    scenario.person(instance.url, "tokens")
    who = signed_in(instance.url, "tokens")
    made = who.send("/en/account/tokens", name="mine", days="30", scope=["read"])
    found = re.search(r"arb_[\w-]+", made.text)
    assert found and made.headers["cache-control"] == "no-store"
    listed = who.get("/en/account")
    assert found.group(0) not in listed.text and ">mine<" in listed.text
    token = re.search(
        r"/en/account/tokens/([0-9a-f-]{36})/revoke\"><button[^>]*aria-label=\"Revoke mine\"", listed.text
    )
    assert token
    assert who.send(f"/en/account/tokens/{token.group(1)}/revoke").status_code == 303
    assert ">mine<" not in who.get("/en/account").text
    wrong = who.send("/en/account/tokens", name="x", days="0", scope=["read"])
    assert (wrong.status_code, "Give a number of days from 1 to 3650." in wrong.text) == (422, True)


def test_a_folder_with_problems_shows_all_of_them_in_a_table(instance: Served) -> None:
    who = signed_in(instance.url, "organiser")
    files = scenario.folder(CASES, slug="broken")
    files["challenge.toml"] = files["challenge.toml"].replace(b'zone = "Europe/Paris"', b'zone = "Paris"\ncolour = 1')
    del files["pages/overview.fr.md"]
    answer = who.upload("/fr/organise", scenario.archive(files), filename="broken.tar")
    words = text_of(answer)
    assert answer.status_code == 422
    assert "3 problèmes dans le dossier\u202f; rien n’a été modifié" in answer.text
    assert "La clé colour n’est pas connue." in words and "pages/overview.fr.md manque." in words
    assert re.search(
        r"<td><code>challenge.toml</code></td><td class=\"number\">\d+</td><td><code>zone</code></td>", answer.text
    )


def test_create_publish_and_close_a_challenge(instance: Served) -> None:
    who = signed_in(instance.url, "organiser")
    sent = who.upload("/en/organise", scenario.archive(scenario.folder(CASES, slug="made")), filename="made.tar")
    assert (sent.status_code, sent.headers["location"]) == (303, "/en/organise/made?done=created")
    assert "created as a draft" in text_of(who.get(sent.headers["location"]))
    again = who.upload("/en/organise", scenario.archive(scenario.folder(CASES, slug="made")), filename="made.tar")
    assert again.headers["location"] == "/en/organise/made?done=unchanged"
    assert who.send("/en/organise/made/publish").headers["location"] == "/en/organise/made?done=published"
    question = text_of(who.get("/en/organise/made/phases/main/close"))
    assert "This cannot be undone." in question and "nothing would keep the board from freezing" in question
    assert who.send("/en/organise/made/phases/main/close").headers["location"] == "/en/organise/made?done=closed"
    assert "The board will be frozen within a minute." in text_of(who.get("/en/organise/made"))


def test_refusals_are_pages_in_the_readers_language(nobody: Browser) -> None:
    answer = nobody.get("/fr/challenges/none")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "Il n’y a rien de tel ici" in answer.text and "E-NOT-FOUND" in answer.text
    assert nobody.http.post("/fr/challenges/tiny").status_code == 405


def test_bodies_that_are_no_form_are_refused(instance: Served) -> None:
    who = member(instance, "nonsense")
    for path in (f"{C}/submit?phase=main", f"{C}/join", "/en/sign-in"):
        assert who.http.post(path, json={"a": 1}).status_code == 400
    assert counted(instance, Upload) == 0


def test_the_help_page_of_a_code(nobody: Browser) -> None:
    words = text_of(nobody.get("/fr/help/E-decimal-comma"))
    assert (
        "« … » est écrit avec une virgule décimale." in words
        and "Écrivez un point décimal\u00a0: …" in nobody.get("/fr/help/e-decimal-comma").text
    )
