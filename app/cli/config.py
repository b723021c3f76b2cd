"""Which server, as whom: `config.toml`, which only its user reads, overridden by ARBITRE_SERVER and ARBITRE_TOKEN."""

from __future__ import annotations

import json
import os
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from app.cli.errors import Usage
from app.cli.places import config_folder

DEFAULT_SERVER = "http://localhost:8000"


@dataclass(frozen=True)
class Login:
    """One server we hold a token for. `id` is the token's name on the server, known when we made it ourselves."""

    token: str
    user: str = ""
    id: str = ""


@dataclass(frozen=True)
class Config:
    """`server` is the one used when none is named; tokens are kept per server, so one is never sent to another."""

    server: str = ""
    logins: Mapping[str, Login] = field(default_factory=dict)


def config_path() -> Path:
    """`config.toml` in the folder of `app.cli.places`."""
    return config_folder() / "config.toml"


def load() -> Config:
    """What is stored; empty when nothing is. Errors: Usage for a file that cannot be read."""
    path = config_path()
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        servers = document.get("servers", {})
        logins = {address: _login(row) for address, row in servers.items()}
        return Config(str(document.get("server", "")), logins)
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, AttributeError, KeyError, TypeError) as error:
        raise Usage(f"{path} cannot be read ({error}). Correct it, or delete it and run `arbitre login`.") from error


def save(config: Config) -> None:
    """Write the whole file at once, readable by nobody else, so that a crash leaves the old one."""
    path = config_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".config-")  # mkstemp makes it 0600
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(_toml(config))
        Path(name).replace(path)
    except OSError as error:
        raise Usage(
            f"{path} cannot be written ({error.strerror}). Check the folder, or set XDG_CONFIG_HOME."
        ) from error


def with_login(config: Config, *, server: str, login: Login) -> Config:
    return replace(config, server=server, logins={**config.logins, server: login})


def without_login(config: Config, *, server: str) -> Config:
    return replace(config, logins={address: login for address, login in config.logins.items() if address != server})


def server_address(named: str, config: Config) -> str:
    """The address in use: `named`, else ARBITRE_SERVER, else the stored one, else this machine."""
    return normal_address(named or os.environ.get("ARBITRE_SERVER") or config.server or DEFAULT_SERVER)


def token_for(address: str, config: Config) -> str | None:
    """ARBITRE_TOKEN, else the token stored for exactly this server."""
    stored = config.logins.get(address)
    return os.environ.get("ARBITRE_TOKEN") or (stored.token if stored else None)


def normal_address(text: str) -> str:
    """`scheme://host[:port][/prefix]` without a closing slash; without a scheme, https (http on this machine).

    Errors: Usage for what is no web address.
    """
    text = text.strip()
    try:
        parts = urlsplit(text if "//" in text else f"{_scheme(text)}://{text}")
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and " " not in text
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or parts.username or parts.password:
        raise Usage(f"{text!r} is no server address. Write it like https://challenges.example.org")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/').removesuffix('/api/v1')}"


def is_local(host: str) -> bool:
    """Whether `host` is this machine, where no network can be listened to."""
    return host in {"localhost", "127.0.0.1", "::1"}


def _scheme(text: str) -> str:
    return "http" if is_local(urlsplit(f"//{text}").hostname or "") else "https"


def _login(row: Mapping[str, object]) -> Login:
    return Login(str(row["token"]), str(row.get("user", "")), str(row.get("id", "")))


def _toml(config: Config) -> str:
    lines = [f"server = {_quoted(config.server)}"]
    for address, login in config.logins.items():
        lines += ["", f"[servers.{_quoted(address)}]"]
        lines += [f"{key} = {_quoted(getattr(login, key))}" for key in ("token", "user", "id")]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are a subset of TOML's, except for U+007F."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
