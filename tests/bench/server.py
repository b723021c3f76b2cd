"""An instance as an operator runs it: `arbitre serve` in processes of its own, on a data folder that is thrown away."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import select

from app.db.engine import Database, open_database
from app.db.users import User
from app.domain.access import SCOPES
from app.files.blobs import Blobs, open_blobs
from app.settings import Settings
from tests import scenario
from tests.scenario import Person

START_S = 60.0


@dataclass(frozen=True)
class Instance:
    """A running instance: its address, its parts for looking behind, and the process of `arbitre serve`."""

    url: str
    settings: Settings
    database: Database
    blobs: Blobs
    pid: int

    def web_pid(self) -> int:
        """The process that answers requests."""
        for pid in children(self.pid):
            if b"app.cli.web" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        raise AssertionError("arbitre serve has no web process")


@contextmanager
def serving(*, role: str = "all") -> Iterator[Instance]:
    """Serve until the block ends. `role`: `all`, or `web` where neither worker nor runner shall do anything."""
    with tempfile.TemporaryDirectory(prefix="arbitre-bench-") as folder:
        data = Path(folder)
        port = _free_port()
        environment = os.environ | {"ARBITRE_RATE_LIMITS": "false", "ARBITRE_KEEP_FREE": "0"}
        command = [sys.executable, "-m", "app.cli", "serve", "--data", str(data), "--port", str(port), "--role", role]
        with (data / "serve.log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        settings = Settings(data=data, rate_limits=False, keep_free=0)
        database = open_database(settings.database)
        try:
            url = f"http://127.0.0.1:{port}"
            _await(url, process, data / "serve.log")
            yield Instance(url, settings, database, open_blobs(settings), process.pid)
        finally:
            database.dispose()
            process.terminate()
            process.wait(60)


def organiser(instance: Instance) -> Person:
    """A person who may create challenges."""
    scenario.person(instance.url, "organiser")
    with instance.database.write_session() as session:
        session.scalars(select(User).where(User.name == "organiser")).one().can_organise = True
    return scenario.signed_in(instance.url, "organiser@example.org", SCOPES)


def children(pid: int) -> list[int]:
    """Ids of the processes that this one started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{url}/api/v1/health").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"arbitre serve did not start:\n{log.read_text()}")
