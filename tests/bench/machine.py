"""What the benches ran on: a figure says little without it."""

from __future__ import annotations

import os
import platform
import sqlite3
from pathlib import Path

import numpy


def described() -> str:
    """Processor, cores, memory, kernel, Python, numpy and SQLite of this machine, and what it has to do besides."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    load = " ".join(f"{average:.1f}" for average in os.getloadavg())
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, numpy {numpy.__version__}, SQLite {sqlite3.sqlite_version}; "
        f"load averages before {load}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
