"""From submitting a file to reading its score over HTTP; beside it what peers do, and the bare read and metric."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from tests import scenario
from tests.bench import peer, risks, stages
from tests.bench.bare import Bare
from tests.bench.report import Report, Row, turns
from tests.bench.server import Instance, organiser, serving
from tests.bench.stages import Moments
from tests.scenario import Case, Person


@dataclass(frozen=True)
class Way:
    """A challenge on the instance and who submits to it. `seen`: number -> when it was sent and when its score came."""

    who: Person
    slug: str
    cases: list[Case]
    seeds: Iterator[int] = field(default_factory=itertools.count)
    seen: dict[int, Moments] = field(default_factory=dict)

    def submit(self) -> dict[str, Any]:
        """Send a file that was never sent before, and read its document as soon as it has a score."""
        data = scenario.entry(self.cases, seed=next(self.seeds))
        begin = time.time()
        number = scenario.submit(self.who, self.slug, data)["number"]
        address = f"/challenges/{self.slug}/submissions/{number}"
        while not self.who.get(f"{address}/status?wait=20")["final"]:
            pass
        found: dict[str, Any] = self.who.get(address)
        self.seen[number] = begin, time.time()
        return found


def run(*, smoke: bool) -> list[Report]:
    """10,000 rows, 1,000 resamples, the runner's sandboxes warm; or few rows, once."""
    count, rounds = (300, 1) if smoke else (10_000, 15)
    cases, entry = risks.cases(count), scenario.entry(risks.cases(count), seed=0)
    files = risks.folder(cases, slug="bare", layout=risks.LIKE_PEERS)
    with serving() as instance, ExitStack() as stack:
        chief, who = organiser(instance), stack.enter_context(_participant(instance))
        ours = {layout: _way(chief, who, cases, layout) for layout in risks.LAYOUTS}
        docker = stack.enter_context(peer.scorer(files))
        # The first of each way is not timed: it warms everything up, and is what the tests look at.
        results: dict[str, Any] = {layout: way.submit() for layout, way in ours.items()}
        bare = Bare(files, seed=stages.seed(instance, _slug(risks.LIKE_PEERS)))
        results |= {"point": bare.point(entry), "bare": bare.evaluate(entry)}
        ways: dict[str, Callable[[], object]] = {f"submit to score, {name}": way.submit for name, way in ours.items()}
        if docker.reason is None:
            results["docker run"] = docker.score(entry, replicates=0)
            ways["docker run: read, metric"] = lambda: docker.score(entry, replicates=0)
            ways["docker run: read, metric, 1,000 resamples"] = lambda: docker.score(entry, replicates=1000)
        ways["in process: read, metric"] = lambda: bare.point(entry)
        ways["in process: read, metric, 1,000 resamples"] = lambda: bare.evaluate(entry)
        medians = turns(ways, rounds=rounds)
        scenario.until(lambda: stages.boards_stand(instance))
        notes = [f"{name}: {stages.told(instance, way.slug, way.seen)}" for name, way in ours.items()]
    notes += [f"docker run was not run: {docker.reason}"] if docker.reason else []
    title = f"A file of {count:,} rows, AUROC, 1,000 resamples, sandbox on; medians of {rounds}"
    return [Report(title, [Row(*row) for row in medians.items()], notes, results)]


def _slug(layout: str) -> str:
    return layout.replace(" ", "-")


def _way(chief: Person, who: Person, cases: list[Case], layout: str) -> Way:
    scenario.publish(chief, risks.folder(cases, slug=_slug(layout), layout=layout))
    scenario.join(who, _slug(layout))
    return Way(who, _slug(layout), cases)


@contextmanager
def _participant(instance: Instance) -> Iterator[Person]:
    """A person whose client keeps its connection, as a browser and the command line do."""
    who = scenario.person(instance.url, "ada")
    with httpx.Client(base_url=who.http.base_url, headers=who.http.headers, timeout=60) as http:
        yield replace(who, http=http)
