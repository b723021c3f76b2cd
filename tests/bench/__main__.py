"""`python -m tests.bench [NAME ...] [--smoke]`: measure, and print ratios side by side."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys

NAMES = ("submit", "board", "push", "core")


def main() -> None:
    """Run the named benches, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all when none is named")
    parser.add_argument("--smoke", action="store_true", help="a size that only shows that it works")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers are stopped and folders removed on the way out
    for name in asked.names or NAMES:
        if name not in NAMES:
            parser.error(f"there is no bench {name!r}; there are {', '.join(NAMES)}")
        for report in importlib.import_module(f"tests.bench.{name}").run(smoke=asked.smoke):
            print(report.text(), flush=True)
        load = " ".join(f"{average:.1f}" for average in os.getloadavg())
        print(f"  load averages {load} on {os.cpu_count()} cores\n", flush=True)


if __name__ == "__main__":
    main()
