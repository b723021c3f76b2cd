"""Scored submissions per second: what a runner with sandboxes that stay does, beside fresh ones and `docker run`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import httpx
from sqlalchemy import func, select

from app.db.jobs import Job
from app.db.submissions import Submission
from app.domain.states import FINAL_STATES
from app.http.transaction import utc_now
from app.services import runners
from tests import scenario
from tests.bench import peer, risks
from tests.bench.report import Report, Row
from tests.bench.server import Instance, organiser, serving
from tests.scenario import Person

SLUG = "crowd"


@dataclass(frozen=True)
class Shape:
    """Runners on this machine, jobs at once of each, sandboxes that wait ready, and that stay with a challenge."""

    runners: int
    slots: int
    pool: int
    kept: int

    def __str__(self) -> str:
        stay = f"{self.kept} that stay" if self.kept else "a fresh one for each"
        plural = "s" if self.runners > 1 else ""
        return f"{self.runners} runner{plural} of {self.slots} slots, {self.pool} ready, {stay}"


SHAPES = (Shape(1, 2, 2, 8), Shape(2, 1, 1, 4), Shape(1, 2, 8, 0), Shape(1, 2, 1, 0))
FEW = (Shape(1, 2, 2, 4), Shape(1, 1, 1, 0))


def run(*, smoke: bool) -> list[Report]:
    """A queue of entries of 10,000 rows and 1,000 resamples, worked off by each shape in turn; or few rows, few."""
    count, rows, shapes = (4, 300, FEW) if smoke else (40, 10_000, SHAPES)
    cases = risks.cases(rows)
    files = risks.folder(cases, slug=SLUG, layout=risks.LIKE_PEERS)
    with serving(role="web") as instance, ExitStack() as stack:
        chief, teams = organiser(instance), [stack.enter_context(member(instance, f"team{i}")) for i in range(4)]
        scenario.publish(chief, files)
        for team in teams:
            scenario.join(team, SLUG)
        docker = stack.enter_context(peer.scorer(files))
        rates, scored = {}, 0
        for turn, shape in enumerate(shapes):
            for i in range(count):
                scenario.submit(teams[i % len(teams)], SLUG, scenario.entry(cases, seed=turn * count + i))
            with at_work(instance, shape):
                scored += count
                scenario.until(lambda: ended(instance) == scored, seconds=600)  # noqa: B023 - called at once
            rates[str(shape)] = rate(instance, count)
        rows_ = [Row(name, 1 / value, f"{value:.1f} a second") for name, value in rates.items()]
        if docker.reason is None:
            rows_.append(_peer(docker, [scenario.entry(cases, seed=i) for i in range(4 if smoke else 12)]))
    notes = ["the queue was full before the runner began; its start is not counted, SQLite and web on the same cores"]
    notes += [f"docker run was not run: {docker.reason}"] if docker.reason else []
    title = f"Scored submissions: {count} entries of {rows:,} rows, 1,000 resamples; time for each"
    return [Report(title, rows_, notes, {"scored": scored})]


def _peer(docker: peer.Peer, entries: Sequence[bytes]) -> Row:
    """As many containers at once as there are cores."""
    begin, cores = time.perf_counter(), os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(lambda entry: docker.score(entry, replicates=1000), entries))
    each = (time.perf_counter() - begin) / len(entries)
    return Row(f"docker run for each, {cores} at once", each, f"{1 / each:.1f} a second")


def ended(instance: Instance) -> int:
    """How many submissions have ended."""
    with instance.database.read_session() as session:
        return session.scalar(select(func.count()).where(Submission.state.in_(FINAL_STATES))) or 0


def rate(instance: Instance, count: int) -> float:
    """Scores per second over the last `count` that ended, from the third on: the first ones start the sandboxes."""
    with instance.database.read_session() as session:
        query = select(Submission.ended_at).where(Submission.state == "scored").order_by(Submission.ended_at.desc())
        moments = sorted(moment for moment in session.scalars(query.limit(count)) if moment)
    first = min(2, count - 2)
    return (len(moments) - 1 - first) / (moments[-1] - moments[first]).total_seconds()


def waits(instance: Instance, kind: str) -> list[float]:
    """Seconds from receiving each entry to its first claim, in the order of arrival."""
    with instance.database.read_session() as session:
        query = select(Submission.received_at, Submission.started_at).join(Job, Job.submission_id == Submission.id)
        rows = session.execute(query.where(Job.kind == kind).order_by(Submission.received_at))
        return [(started - received).total_seconds() for received, started in rows if received and started]


@contextmanager
def at_work(instance: Instance, shape: Shape) -> Iterator[None]:
    """The house's worker and the runners of this shape, until the block ends."""
    environment = os.environ | {"ARBITRE_DATA": str(instance.settings.data), "ARBITRE_RATE_LIMITS": "false"}
    commands = [[sys.executable, "-m", "app.worker"]]
    for number in range(shape.runners):
        with instance.database.write_session() as session:
            token = runners.add_token(session, now=utc_now())
        state = instance.settings.data / f"runner-{shape.slots}-{shape.pool}-{shape.kept}-{number}"
        command = [sys.executable, "-m", "sandbox_runner.cli", "start", "--server", instance.url, "--token", token]
        command += ["--state", str(state), "--slots", str(shape.slots), "--pool", str(shape.pool)]
        commands.append([*command, "--kept", str(shape.kept)])
    with (instance.settings.data / "processes.log").open("ab") as log:
        processes = [subprocess.Popen(each, env=environment, stdout=log, stderr=log) for each in commands]
        try:
            yield
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(30)


@contextmanager
def member(instance: Instance, name: str) -> Iterator[Person]:
    """A person whose client keeps its connection."""
    who = scenario.person(instance.url, name)
    with httpx.Client(base_url=who.http.base_url, headers=who.http.headers, timeout=60) as http:
        yield Person(http, who.email)
