"""The rush before a deadline: 2,000 entries in ten minutes, one in four a check, and a team with 50 queued entries."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from tests import scenario
from tests.bench import risks
from tests.bench.report import Report, Row
from tests.bench.server import organiser, serving
from tests.bench.throughput import SLUG, Shape, at_work, ended, member, waits

RATE = 2_000 / 600  # entries a second
GREEDY = 50
CHECK_EVERY = 4
SHAPE = Shape(1, 2, 2, 8)


def run(*, smoke: bool, seconds: float = 60) -> list[Report]:
    """The rate of the rush for a minute (or seconds; `python -m tests.bench rush --full` for all ten minutes)."""
    rows, seconds, greedy = (300, 3.0, 5) if smoke else (10_000, seconds, GREEDY)
    cases, count = risks.cases(rows), round(RATE * seconds)
    with serving(role="web") as instance, ExitStack() as stack:
        chief = organiser(instance)
        first, *teams = [stack.enter_context(member(instance, f"team{i}")) for i in range(9)]
        scenario.publish(chief, risks.folder(cases, slug=SLUG, layout=risks.LIKE_PEERS))
        for team in (first, *teams):
            scenario.join(team, SLUG)
        for i in range(greedy):
            scenario.submit(first, SLUG, scenario.entry(cases, seed=10**6 + i))
        pool = stack.enter_context(ThreadPoolExecutor(4))
        stack.enter_context(at_work(instance, SHAPE))
        begin = time.monotonic()
        for i in range(count):
            time.sleep(max(0.0, begin + i / RATE - time.monotonic()))
            options = {"check": "true"} if i % CHECK_EVERY == 0 else {}
            entry = scenario.entry(cases, seed=i)
            pool.submit(scenario.submit, teams[i % len(teams)], SLUG, entry, params=options)
        scenario.until(lambda: ended(instance) == greedy + count, seconds=60 + 2 * seconds)
        took = time.monotonic() - begin
        checks, scores = waits(instance, "check"), waits(instance, "score")[greedy:]
    table = [
        Row("the longest wait of a check", max(checks)),
        Row("the median wait of a check", statistics.median(checks)),
        Row("the longest wait of another team's entry", max(scores)),
        Row("the median wait of another team's entry", statistics.median(scores)),
    ]
    note = f"the last of all {greedy + count} had ended {took:.0f} s after the first; {SHAPE}"
    title = f"A rush: {count} entries in {seconds:.0f} s, one in {CHECK_EVERY} a check, and {greedy} queued of one team"
    return [Report(title, table, [note], {"checks": checks, "ended": greedy + count})]
