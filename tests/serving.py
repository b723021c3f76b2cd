"""The web application served by a real uvicorn on loopback, in a thread, over a migrated SQLite file."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from app.db.engine import Database
from app.http.transaction import Parts
from app.main import create_app
from app.settings import Settings


@dataclass(frozen=True)
class Served:
    """A running instance: its address and its parts, for looking behind."""

    url: str
    parts: Parts

    @property
    def database(self) -> Database:
        return self.parts.database


@contextmanager
def served(data: Path, template: Path | None = None, *, database_url: str = "", **settings: Any) -> Iterator[Served]:
    """Serve until the block ends. `template` is a migrated SQLite file to copy; else give `database_url`."""
    if template is not None:
        shutil.copyfile(template, data / "arbitre.sqlite3")
    options: dict[str, Any] = {"rate_limits": False, "keep_free": 0} | settings
    app = create_app(Settings(data=data, database_url=database_url, **options))
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        end = time.monotonic() + 20
        while not server.started and time.monotonic() < end:
            time.sleep(0.01)
        assert server.started, "the server did not start within 20 s"
        yield Served(url, app.state.parts)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
