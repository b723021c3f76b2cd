"""`python -m tests.bench [NAME ...] [--smoke] [--full]`: measure; ratios side by side, at last in one table."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence

from tests.bench.machine import described
from tests.bench.report import Report, table

NAMES = ("submit", "throughput", "rush", "board", "push", "core", "coverage")
FULL_S = 600.0


def main() -> None:
    """Run the named benches, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all when none is named")
    parser.add_argument("--smoke", action="store_true", help="a size that only shows that it works")
    parser.add_argument("--full", action="store_true", help="the rush for all of its ten minutes, not for one")
    asked = parser.parse_args()
    for name in asked.names:
        if name not in NAMES:
            parser.error(f"there is no bench {name!r}; there are {', '.join(NAMES)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers are stopped and folders removed on the way out
    machine = described()
    reports = [report for name in asked.names or NAMES for report in _run(name, asked.smoke, asked.full)]
    print(f"{machine}\n\n{table(reports)}", flush=True)


def _run(name: str, smoke: bool, full: bool) -> Sequence[Report]:
    more = {"seconds": FULL_S} if name == "rush" and full else {}
    reports: Sequence[Report] = importlib.import_module(f"tests.bench.{name}").run(smoke=smoke, **more)
    for report in reports:
        print(report.text(), flush=True)
    load = " ".join(f"{average:.1f}" for average in os.getloadavg())
    print(f"  load averages {load} on {os.cpu_count()} cores\n", flush=True)
    return reports


if __name__ == "__main__":
    main()
