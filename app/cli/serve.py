"""`arbitre serve`: web, worker and a local runner, each a process of its own, kept alive."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import sys
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from app.cli.config import is_local
from app.cli.errors import NotAllowed, Usage
from app.cli.instance import DataFolder, Instance, alone, opened, settings_of, utc_now
from app.cli.options import told
from app.cli.score import runner_command
from app.cli.supervisor import Child, Stop, supervise
from app.db import runners as runner_rows
from app.db.users import User
from app.domain.ids import secret_hash
from app.services import runners
from app.settings import Settings

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
BACKLOG = 2048
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Asks this machine itself, also where a proxy is set for the world."""


AS_ROOT = (
    "Web and worker run as root here, as the runner does. On a machine that others can reach, start `arbitre serve` as "
    "a user of its own.\n"
)


class Role(StrEnum):
    """Which processes to run here."""

    all = "all"
    web = "web"
    worker = "worker"


Host = Annotated[str, typer.Option("--host", help="Address to listen on; 0.0.0.0 is all networks.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free one.")]


@app.command()
@told
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data: DataFolder = None,
    role: Annotated[Role, typer.Option("--role", help="On several machines: web here, worker there.")] = Role.all,
) -> None:
    """Start the server. Make the first administrator with `arbitre admin create`."""
    run(host=host, port=port, data=data, role=role, prepare=lambda _: [])


def run(*, host: str, port: int, data: Path | None, role: Role, prepare: Callable[[Instance], list[str]]) -> None:
    """Serve until SIGTERM or Ctrl-C. `prepare` works on the open instance first; its lines are printed at the end."""
    os.umask(0o077)
    stop = Stop()
    stop.install()
    with ExitStack() as stack:
        listener = None if role is Role.worker else stack.enter_context(_listener(host, port))
        actual = listener.getsockname()[1] if listener else port
        settings = settings_of(data, **_base_url(actual))
        if role is Role.all:
            stack.enter_context(alone(settings))
        with opened(settings) as instance:
            if listener and not is_local(host):
                refuse_demo_accounts(instance, host)
            if role is Role.all:
                _sweep(settings)
            lines = prepare(instance)
            runner = [_runner(instance, actual)] if role is Role.all else []
        if os.geteuid() == 0:
            sys.stderr.write(AS_ROOT)
        children = [] if role is Role.web else [_worker(settings)]
        children += [_web(settings, listener)] if listener else []
        announce = _Announcement(
            f"http://{_reachable(host)}:{actual}",
            [*lines, f"Arbitre runs at {settings.base_url} (Ctrl-C stops it)"],
            runner,
        )
        supervise(children, stop=stop, until=announce if listener else lambda: None)


def _sweep(settings: Settings) -> None:
    """Remove what uploads left that were cut off by a kill. Only while no other process has the folder."""
    for root in (settings.public_blobs, settings.secret_blobs):
        for path in root.glob("*/tmp/*"):
            path.unlink()
    shutil.rmtree(settings.data / "work", ignore_errors=True)


def refuse_demo_accounts(instance: Instance, host: str) -> None:
    """A public address and accounts with printed passwords do not go together. Errors: NotAllowed."""
    with instance.database.read_session() as session:
        demo = session.scalar(select(User.email).where(User.demo, User.erased_at.is_(None)).limit(1))
    if demo is not None:
        raise NotAllowed(
            f"{instance.settings.data} holds demo accounts ({demo}), whose passwords were printed, so it is not served "
            f"on {host}. Serve it on 127.0.0.1, or give an instance without them with --data."
        )


def _base_url(port: int) -> dict[str, str]:
    return {} if os.environ.get("ARBITRE_BASE_URL") else {"base_url": f"http://localhost:{port}"}


def _listener(host: str, port: int) -> socket.socket:
    """The listening socket that web processes inherit. Errors: Usage when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        why = "another program listens there" if error.errno == errno.EADDRINUSE else error.strerror
        raise Usage(f"Port {port} on {host} cannot be used: {why}. Give another one with --port.") from error


def _reachable(host: str) -> str:
    """Where this machine itself reaches the server."""
    wild = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - names them, listens nowhere
    return wild.get(host, f"[{host}]" if ":" in host else host)


def _web(settings: Settings, listener: socket.socket) -> Child:
    command = [sys.executable, "-m", "app.cli.web", str(listener.fileno())]
    return Child("web process", command, _environment(settings), [listener.fileno()])


def _worker(settings: Settings) -> Child:
    return Child("worker", [sys.executable, "-m", "app.worker"], _environment(settings))


def _environment(settings: Settings) -> dict[str, str]:
    return os.environ | {"ARBITRE_DATA": str(settings.data), "ARBITRE_BASE_URL": settings.base_url}


def _runner(instance: Instance, port: int) -> Child:
    """The local runner. It gets no setting of the server: what reads hostile bytes must not know the database."""
    state, url = instance.settings.data / "runner", f"http://127.0.0.1:{port}"
    command = [*runner_command(), "start", "--server", url, "--state", str(state), "--name", "local"]
    command += ["--pool", str(instance.settings.pool)]
    if not _is_registered(instance, state, url):
        command += ["--token-file", str(_token_file(instance))]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ARBITRE_")}
    direct = ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1"]))
    return Child("runner", command, environment | {"NO_PROXY": direct, "no_proxy": direct})


def _is_registered(instance: Instance, state: Path, url: str) -> bool:
    try:
        known = json.loads((state / "runner.json").read_text())
        server, key = str(known["server"]), str(known["key"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    with instance.database.read_session() as session:
        return server == url and runner_rows.by_key_hash(session, secret_hash(key)) is not None


def _token_file(instance: Instance) -> Path:
    """A one-time token where only its owner reads it: a command line can be seen by every user of the machine."""
    with instance.database.write_session() as session:
        token = runners.add_token(session, now=utc_now())
    path = instance.settings.data / "runner.token"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(token)
    return path


@dataclass
class _Announcement:
    """Waits for the web process to answer, then prints `lines` and gives the children that need it."""

    url: str
    lines: list[str]
    children: list[Child]

    def __call__(self) -> list[Child] | None:
        try:
            DIRECT.open(f"{self.url}/api/v1/health", timeout=2).close()
        except OSError:
            return None
        sys.stdout.write("\n".join(self.lines) + "\n")
        sys.stdout.flush()
        return self.children
