"""What can be guessed or flooded is counted: by address, and passwords also by account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.http.rates import LIMITER
from tests import scenario
from tests.serving import Served, served


@pytest.fixture
def instance(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """Trusts the proxy on this machine, so that a test has as many addresses as it likes."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "127.0.0.1")
    with served(tmp_path, sqlite_template, rate_limits=True) as instance:
        yield instance
    LIMITER.storage.reset()


def guess(instance: Served, address: str, email: str = "ada@example.org", password: str = "wrong") -> httpx.Response:
    login = {"email": email, "password": password}
    headers = {"X-Forwarded-For": address}
    return httpx.post(f"{instance.url}/api/v1/sessions", json=login, headers=headers, timeout=30)


def test_one_address_guesses_twenty_times_a_minute(instance: Served) -> None:
    answers = [guess(instance, "192.0.2.1", email=f"{i}@example.org").status_code for i in range(21)]
    assert answers == [401] * 20 + [429]
    assert guess(instance, "192.0.2.2").status_code == 401


def test_one_account_is_guessed_fifty_times_an_hour_from_however_many_addresses(instance: Served) -> None:
    home = "198.51.100.7"
    scenario.person(instance.url, "ada")
    assert guess(instance, home, password=scenario.PASSWORD).status_code == 201
    answers = [guess(instance, f"192.0.2.{i}", email="Ada@example.org ").status_code for i in range(51)]
    assert answers == [401] * 48 + [429] * 3
    refused = guess(instance, "192.0.2.99", password=scenario.PASSWORD)
    assert (refused.status_code, refused.json()["code"]) == (429, "E-TOO-MANY")
    assert int(refused.headers["Retry-After"]) > 3000
    assert guess(instance, "192.0.2.99", email="bob@example.org").status_code == 401
    # Where the owner signed in lately, strangers keep nobody out.
    assert guess(instance, home, password=scenario.PASSWORD).status_code == 201
