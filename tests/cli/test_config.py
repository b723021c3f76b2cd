"""Which server, which token, and who can read them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from app.cli import config
from app.cli.errors import Usage


def test_the_file_is_readable_by_its_owner_alone_and_holds_what_was_saved(home: Path) -> None:
    hard = 'quote " back \\ é \x7f 🙂'
    saved = config.Config("https://a.example", {"https://a.example": config.Login("arb_1", hard, "id-1")})
    config.save(saved)
    path = home / "config/arbitre/config.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert config.load() == saved
    assert [file.name for file in path.parent.iterdir()] == ["config.toml"]


def test_a_file_that_others_could_read_is_private_after_the_next_save(home: Path) -> None:
    config.save(config.Config("https://a.example"))
    config.config_path().chmod(0o644)
    config.save(config.Config("https://b.example"))
    assert stat.S_IMODE(config.config_path().stat().st_mode) == 0o600


def test_without_xdg_it_lies_below_the_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert config.config_path() == home / "home/.config/arbitre/config.toml"


def test_a_token_goes_to_its_own_server_only(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = config.Config("https://a.example", {"https://a.example": config.Login("arb_a")})
    assert config.token_for("https://a.example", stored) == "arb_a"
    assert config.token_for("https://b.example", stored) is None
    monkeypatch.setenv("ARBITRE_TOKEN", "arb_env")
    assert config.token_for("https://b.example", stored) == "arb_env"


def test_the_named_server_wins_over_the_environment_over_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config.server_address("", config.Config()) == "http://localhost:8000"
    stored = config.Config("https://file.example")
    assert config.server_address("", stored) == "https://file.example"
    monkeypatch.setenv("ARBITRE_SERVER", "https://environment.example/")
    assert config.server_address("", stored) == "https://environment.example"
    assert config.server_address("named.example", stored) == "https://named.example"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("challenges.example.org", "https://challenges.example.org"),
        ("https://Example.org/arbitre/", "https://example.org/arbitre"),
        ("https://example.org/api/v1", "https://example.org"),
    ],
)
def test_addresses_as_people_write_them(written: str, meant: str) -> None:
    assert config.normal_address(written) == meant


@pytest.mark.parametrize("written", ["ftp://example.org", "https://", "http://[::1", "https://u:p@example.org", "h t"])
def test_what_is_no_address_is_said_to_be_none(written: str) -> None:
    with pytest.raises(Usage) as refused:
        config.normal_address(written)
    assert refused.value.text == f"{written!r} is no server address. Write it like https://challenges.example.org"


def test_a_broken_file_is_named(home: Path) -> None:
    path = config.config_path()
    path.parent.mkdir(parents=True)
    path.write_text("server = ")
    with pytest.raises(Usage) as refused:
        config.load()
    assert refused.value.text.startswith(f"{path} cannot be read (")
    assert refused.value.text.endswith("Correct it, or delete it and run `arbitre login`.")
