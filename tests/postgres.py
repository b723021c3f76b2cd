"""A throw-away PostgreSQL server for the tests: no network, no fsync, gone with the process that started it."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

BINARIES = Path(os.environ.get("ARBITRE_TEST_POSTGRES", "/usr/lib/postgresql/15/bin"))
SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "listen_addresses": "''"}
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Cluster:
    """A running server, reached by a Unix socket in `folder`."""

    folder: Path
    process: subprocess.Popen[bytes]

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def execute(self, statement: str) -> None:
        """Run one statement outside any database of a test."""
        with psycopg.connect(f"host={self.folder} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def stop(self) -> None:
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


def available() -> bool:
    return (BINARIES / "initdb").exists()


def start() -> Cluster:
    """Make and start a server, as the system user `postgres` when we are root (it refuses root)."""
    folder = Path(tempfile.mkdtemp(prefix="arbitre-pg-", dir="/tmp"))
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user, pwd.getpwnam(user).pw_gid)
    data = str(folder / "data")
    run = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
    initdb = [str(BINARIES / "initdb"), "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8"]
    subprocess.run([*initdb, "--locale=C"], check=True, capture_output=True, cwd=folder, **run)  # type: ignore[call-overload]
    options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value.strip(chr(39))}")]
    command = [str(BINARIES / "postgres"), "-D", data, "-k", str(folder), *options]
    log = (folder / "log").open("wb")
    process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, preexec_fn=_die_with_us, **run)  # type: ignore[call-overload]
    log.close()
    cluster = Cluster(folder, process)
    _wait_ready(cluster)
    return cluster


def _die_with_us() -> None:
    """A test run that is killed leaves no server behind. SIGQUIT is PostgreSQL's immediate shutdown."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT, 0, 0, 0)


def _wait_ready(cluster: Cluster) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            return cluster.execute("SELECT 1")
        except psycopg.OperationalError:
            if time.monotonic() > end or cluster.process.poll() is not None:
                raise RuntimeError((cluster.folder / "log").read_text()) from None
            time.sleep(0.05)
