"""A whole running instance: web and worker in threads, a real runner process with real sandboxes."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app import worker
from app.db.users import User
from app.domain.access import SCOPES
from app.services import runners
from tests import scenario
from tests.scenario import Person
from tests.serving import Served, served


@contextmanager
def running(data: Path, template: Path | None = None, **settings: Any) -> Iterator[Served]:
    """Serve, work and run until the block ends. Arguments as `served`."""
    with served(data, template, **settings) as instance, working(instance), runner(instance, data / "runner"):
        yield instance


@contextmanager
def working(instance: Served) -> Iterator[None]:
    """The house's worker, in a thread."""
    stop = threading.Event()
    parts = worker.Parts(instance.parts.settings, instance.database, instance.parts.blobs)
    options = {"stop": stop, "clock": lambda: dt.datetime.now(dt.UTC)}
    thread = threading.Thread(target=worker.run, args=(parts,), kwargs=options, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)


@contextmanager
def runner(instance: Served, state: Path, *, slots: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    """A runner process, registered with a fresh token."""
    with instance.database.write_session() as session:
        token = runners.add_token(session, now=dt.datetime.now(dt.UTC))
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    program = "from sandbox_runner.cli import main; main()"
    command = [sys.executable, "-c", program, "start", "--server", instance.url]
    command += ["--state", str(state), "--token", token, "--slots", str(slots)]
    with (state / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


def organiser(instance: Served, name: str = "organiser") -> Person:
    """A person who may create challenges."""
    scenario.person(instance.url, name)
    with instance.database.write_session() as session:
        session.scalars(select(User).where(User.name == name)).one().can_organise = True
    return scenario.signed_in(instance.url, f"{name}@example.org", SCOPES)
