"""The house's own worker: takes jobs of the queue `house` from the database and runs each in one transaction.

The open transaction is the heartbeat: while it lives nobody else can take the job (SQLite has one writer, PostgreSQL
passes over locked rows); when its process dies, the lease ends and the job runs again. What takes long and only reads
is done before (`PREPARE`), so that others can write meanwhile; the lease covers it, and its token is asked for after.
"""

from __future__ import annotations

import datetime as dt
import itertools
import logging
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.db.engine import Database, open_database
from app.db.jobs import Job
from app.db.pulse import PULSE
from app.errors import Conflict
from app.files.blobs import Blobs, open_blobs
from app.services import attempts, boards, jobs, schedule, strays
from app.services.boards import Prepared
from app.settings import Settings

LOG = logging.getLogger("arbitre.worker")
QUEUES = ("house",)
POLL_S = 0.2
TICK_S = 5.0
ENSURE_S = 30.0
TICK_DEADLINE = dt.timedelta(days=3650)


@dataclass(frozen=True)
class Parts:
    """What the worker stands on."""

    settings: Settings
    database: Database
    blobs: Blobs


def prepare_board(session: Session, *, job: Job, parts: Parts, now: dt.datetime) -> Prepared | None:
    """Compute a phase's boards."""
    if job.phase_id is None:
        raise ValueError("a board job names its phase")
    return boards.prepare(session, phase_id=job.phase_id, blobs=parts.blobs, now=now)


def board(session: Session, *, prepared: Prepared | None, parts: Parts, now: dt.datetime) -> None:  # noqa: ARG001 - one shape for all kinds
    """A new snapshot of a phase's boards."""
    if prepared is not None:
        boards.write(session, prepared=prepared)


def tick(session: Session, *, prepared: None, parts: Parts, now: dt.datetime) -> None:  # noqa: ARG001 - one shape for all kinds
    """What is due by time, and jobs that nobody may take any more."""
    # First the phases, then the queue: its lock is not held while a board is computed.
    schedule.tick(session, blobs=parts.blobs, now=now)
    attempts.give_up(session, lease_s=parts.settings.lease_s, now=now)


KINDS: dict[str, Callable[..., None]] = {"board": board, PULSE: tick}
PREPARE: dict[str, Callable[..., object]] = {"board": prepare_board}


def step(parts: Parts, *, clock: Callable[[], dt.datetime]) -> bool:
    """Take and run one job; False when there is none."""
    now, lease_s = clock(), parts.settings.lease_s
    with parts.database.read_session() as session:
        if not attempts.look(session, queues=QUEUES, lease_s=lease_s, now=now):
            return False
    with parts.database.write_session() as session:
        claimed = attempts.claim(session, queues=QUEUES, runner=None, lease_s=lease_s, now=now)
    if claimed is None:
        return False
    job, token = claimed
    try:
        _run(parts, job=job, token=token, now=clock())
    except Exception as error:
        LOG.exception("job %s (%s), attempt %d, failed", job.id, job.kind, job.attempt)
        _put_back(parts, job_id=job.id, token=token, error=error, now=clock())
    return True


def _run(parts: Parts, *, job: Job, token: str, now: dt.datetime) -> None:
    prepared = None
    if job.kind in PREPARE:
        with parts.database.read_session() as session:
            prepared = PREPARE[job.kind](session, job=job, parts=parts, now=now)
    with parts.database.write_session() as session:
        job = jobs.held(session, job_id=job.id, token=token)
        KINDS[job.kind](session, prepared=prepared, parts=parts, now=now)
        if job.kind == PULSE:
            jobs.again(session, job, run_after=now + dt.timedelta(seconds=TICK_S), deadline=now + TICK_DEADLINE)
        else:
            jobs.end(session, job, state="done", now=now)


def _put_back(parts: Parts, *, job_id: uuid.UUID, token: str, error: Exception, now: dt.datetime) -> None:
    try:
        with parts.database.write_session() as session:
            job = jobs.held(session, job_id=job_id, token=token)
            jobs.retry(session, job, now=now, error=f"{type(error).__name__}: {error}")
    except Conflict:
        LOG.info("job %s went to another worker meanwhile", job_id)


def ensure_tick(parts: Parts, *, now: dt.datetime) -> None:
    """The one recurring job exists, also after it gave up."""
    with parts.database.read_session() as session:
        if jobs.is_open(session, kind=PULSE):
            return
    with parts.database.write_session() as session:
        if not jobs.is_open(session, kind=PULSE):
            jobs.enqueue(
                session,
                queue="house",
                kind=PULSE,
                coalesce=PULSE,
                priority=10,
                max_attempts=5,
                deadline=now + TICK_DEADLINE,
                now=now,
            )


def sweep(parts: Parts, *, turn: int, now: dt.datetime) -> None:
    """One of the shards of blobs that nothing names; a disk that refuses it stops no job."""
    try:
        strays.sweep(parts.database, parts.blobs, shard=turn % strays.SHARDS, now=now.timestamp())
    except OSError:
        LOG.exception("blobs that nothing names could not be removed")


def run(parts: Parts, *, stop: threading.Event, clock: Callable[[], dt.datetime]) -> None:
    """Work until `stop` is set; a job that has begun is finished. A database that is away is waited for."""
    # Not from the first again at each start: all shards have their turn, about every two hours.
    turns = itertools.count(int(clock().timestamp()))
    while not stop.is_set():
        try:
            ensure_tick(parts, now=clock())
            sweep(parts, turn=next(turns), now=clock())
            until = time.monotonic() + ENSURE_S
            while not stop.is_set() and time.monotonic() < until:
                if not step(parts, clock=clock):
                    stop.wait(POLL_S)
        except OperationalError:
            LOG.exception("the database is not available; trying again in a second")
            stop.wait(1)


def main() -> None:
    """Run as a process: settings from the environment, until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    signals = {signal.SIGTERM, signal.SIGINT}
    # Waited for here, not handled: a handler that sets an event may deadlock with the wait that it interrupts.
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    settings = Settings()
    database, stop = open_database(settings.database), threading.Event()
    parts = Parts(settings, database, open_blobs(settings))
    clock = {"stop": stop, "clock": lambda: dt.datetime.now(dt.UTC)}
    thread = threading.Thread(target=run, args=(parts,), kwargs=clock)
    thread.start()
    while thread.is_alive() and signal.sigtimedwait(signals, 1) is None:
        pass
    stop.set()
    thread.join()
    database.dispose()


if __name__ == "__main__":
    main()
