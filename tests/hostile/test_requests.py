"""Requests that no browser of good will sends: each gets a sentence, none a fault, none takes the server's memory."""

from __future__ import annotations

import http.client
import json
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests import scenario
from tests.instance import organiser
from tests.scenario import PASSWORD, Person
from tests.serving import Served, served

CASES = scenario.cases()
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory, module_database_url: str) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("requests"), database_url=module_database_url) as instance:
        scenario.publish(organiser(instance), scenario.folder(CASES))
        yield instance


@pytest.fixture(scope="module")
def who(instance: Served) -> Person:
    who = scenario.person(instance.url, "ada")
    scenario.join(who, "tiny")
    return who


def raw(instance: Served, method: str, path: str, headers: dict[str, Any], body: bytes = b"") -> tuple[int, str]:
    """Status and code of the answer to a request with headers as bytes."""
    connection = http.client.HTTPConnection(urlsplit(instance.url).netloc, timeout=20)
    connection.putrequest(method, f"/api/v1{path}", skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content).get("code", "") if content else ""


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Accept-Language": b"en;q=\xb2"}, (200, "")),
        ({"Accept-Language": b"\xff" * 4000}, (200, "")),
        ({"Cookie": "arbitre_session=\xe9; arbitre_language=../../etc"}, (200, "")),
        ({"Authorization": b"Bearer \xa0"}, (200, "")),
        ({"Authorization": "Bearer arb_none"}, (401, "E-SIGN-IN")),
        ({"Host": 'evil"><script>'}, (200, "")),
    ],
)
def test_strange_headers(instance: Served, headers: dict[str, Any], expected: tuple[int, str]) -> None:
    assert raw(instance, "GET", "/health", headers) == expected


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"Origin": "http://["}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "null", "Host": ""}, True),
        ({"Origin": "http://evil.example"}, True),
        ({"Origin": "http://SELF"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://SELF"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"}, False),
        ({}, False),
    ],
)
def test_writes_from_other_sites(instance: Served, headers: dict[str, str], refused: bool) -> None:
    netloc = urlsplit(instance.url).netloc
    sent = {name: value.replace("SELF", netloc) for name, value in headers.items()}
    body = b'{"email":"nobody@example.org","password":"wrong"}'
    answer = raw(instance, "POST", "/sessions", JSON | {"Content-Length": str(len(body))} | sent, body)
    assert answer == ((403, "E-CROSS-SITE") if refused else (401, "E-SIGN-IN"))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/challenges/a%00b"),
        ("GET", "/challenges/tiny/pages/%00"),
        ("GET", "/challenges/tiny/files/public%2F..%2Freference/predictions.csv"),
        ("GET", "/challenges/tiny/files/public/../reference/predictions.csv"),
        ("GET", "/challenges/tiny/files/%00"),
        ("GET", "/challenges/tiny/phases/main/leaderboard?split=%00"),
        ("GET", f"/challenges/tiny/submissions/{10**30}"),
        ("GET", f"/challenges/tiny/submissions/-{10**30}"),
        ("GET", f"/challenges/tiny/submissions?before={10**30}"),
        ("POST", f"/challenges/tiny/submissions/{10**30}/withdraw"),
    ],
)
def test_strange_addresses(instance: Served, who: Person, method: str, path: str) -> None:
    answer = who.http.request(method, path)
    assert answer.status_code in (200, 404, 422), answer.text
    assert "predictions" not in answer.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/accounts", {"email": "a\0@example.org", "name": "Eve", "password": PASSWORD}),
        ("/accounts", {"email": "eve@example.org", "name": "a\0b", "password": PASSWORD}),
        ("/accounts", {"email": "eve@example.org", "name": "\u202eeve", "password": PASSWORD}),
        ("/accounts", {"email": "eve@example.org", "name": "Eve", "password": "\ud800" * 12}),
        ("/sessions", {"email": "\ud800@example.org", "password": PASSWORD}),
        ("/sessions", {"email": "a\0@example.org", "password": PASSWORD}),
        ("/tokens", {"email": "ada@example.org", "password": PASSWORD, "name": "\0\ud800"}),
        ("/tokens", {"email": "ada@example.org", "password": PASSWORD, "days": 10**20}),
        ("/challenges/tiny/join", {"team": "\ud800"}),
        ("/challenges/tiny/team/join", {"invitation": "\0"}),
    ],
)
def test_strange_texts(instance: Served, who: Person, path: str, body: dict[str, Any]) -> None:
    headers = {} if path.startswith(("/accounts", "/sessions", "/tokens")) else dict(who.http.headers)
    answer = httpx.post(f"{instance.url}/api/v1{path}", content=json.dumps(body), headers=JSON | headers)
    assert answer.status_code in (201, 401, 404, 422), answer.text
    assert answer.json()


def test_a_note_of_any_characters(who: Person) -> None:
    note = "=1+1\0\u202e\x1b[31m"
    options: dict[str, Any] = {"params": {"note": note, "again": "true"}, "headers": {"X-Filename": "%00..%2F%0Aa.csv"}}
    number = scenario.submit(who, "tiny", scenario.entry(CASES), **options)["number"]
    kept = who.get(f"/challenges/tiny/submissions/{number}")
    assert (kept["note"], kept["filename"]) == ("=1+1\ufffd\ufffd\ufffd[31m", " a.csv")


def endless(megabytes: int) -> Iterator[bytes]:
    for _ in range(megabytes):
        yield b"x" * 1_000_000


@pytest.mark.parametrize("path", ["/accounts", "/sessions", "/tokens", "/challenges/tiny/join"])
def test_a_body_without_end_takes_no_memory(instance: Served, path: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        answer = httpx.post(f"{instance.url}/api/v1{path}", content=endless(200), headers=JSON, timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (413, "E-TOO-LARGE")
    except httpx.TransportError:
        # The server hung up while we were still sending.
        pass
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000


def test_a_thousand_unknown_fields_are_not_all_listed(instance: Served) -> None:
    answer = httpx.post(f"{instance.url}/api/v1/accounts", json={f"{'k' * 300}{i}": 1 for i in range(1000)})
    assert (answer.status_code, len(answer.json()["problems"])) == (422, 50)
    assert len(answer.content) < 30_000


def test_json_nested_without_end(instance: Served) -> None:
    answer = httpx.post(f"{instance.url}/api/v1/accounts", content=b"[" * 200_000, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "E-BAD-REQUEST")


@pytest.mark.parametrize(
    ("base_url", "name", "secure"),
    [
        ("http://localhost:8000", "arbitre_session", False),
        ("https://arbitre.example.org", "__Host-arbitre_session", True),
    ],
)
def test_the_session_s_cookie_behind_a_proxy_that_ends_tls(
    tmp_path: Path, sqlite_template: Path, base_url: str, name: str, secure: bool
) -> None:
    with served(tmp_path, sqlite_template, base_url=base_url) as instance:
        scenario.person(instance.url, "ada")
        wish = {"email": "ada@example.org", "password": PASSWORD}
        opened = httpx.post(f"{instance.url}/api/v1/sessions", json=wish)
        cookie = opened.headers["set-cookie"]
        assert cookie.startswith(f"{name}=ses_")
        assert ("HttpOnly" in cookie, "SameSite=lax" in cookie, "; Secure" in cookie) == (True, True, secure)
        jar = {"Cookie": cookie.partition(";")[0]}
        assert httpx.get(f"{instance.url}/api/v1/me", headers=jar).status_code == 200
        ended = httpx.delete(f"{instance.url}/api/v1/sessions/current", headers=jar)
        assert ended.headers["set-cookie"].startswith(f'{name}=""')
        assert ("; Secure" in ended.headers["set-cookie"]) is secure
        assert httpx.get(f"{instance.url}/api/v1/me", headers=jar).status_code == 401
