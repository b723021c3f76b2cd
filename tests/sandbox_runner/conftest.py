"""Sandboxes for tests: the production layout with one more file bound in, the probe."""

import dataclasses
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox_runner import bubblewrap, tasks
from sandbox_runner.bubblewrap import Layout
from sandbox_runner.contract import Finish, Limits
from sandbox_runner.pool import Pool, start
from sandbox_runner.sandbox import Sandbox
from sandbox_runner.steps import Sandboxes

PROBE = Path(__file__).with_name("probe.py")
NUMBERS = itertools.count(7_000)
LIMITS = Limits(wall_s=10, cpu_s=5, memory_mb=512, output_mb=1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sandboxes need bubblewrap; where it is missing their tests are named as not run."""
    if shutil.which("bwrap") is None:
        for item in items:
            if item.get_closest_marker("sandbox"):
                item.add_marker(pytest.mark.skip(reason="bubblewrap is not installed: sandbox tests not run"))


@pytest.fixture(scope="session")
def probe_layout() -> Callable[..., Layout]:
    """Makes the production layout, but the probe's `main` runs, and further (source, inside) pairs are bound in."""

    def make(*binds: tuple[Path, str]) -> Layout:
        production = bubblewrap.layout()
        more = ((PROBE, f"{bubblewrap.HOME}/probe.py"), *binds)
        return dataclasses.replace(production, binds=production.binds + more, module="probe")

    return make


@pytest.fixture(scope="session")
def probes(probe_layout: Callable[..., Layout]) -> Iterator[Pool]:
    """A pool of sandboxes that run the probe."""
    pool = Pool(probe_layout(), size=2)
    yield pool
    pool.close()


@pytest.fixture
def start_probe(probe_layout: Callable[..., Layout]) -> Iterator[Callable[..., Sandbox]]:
    """Starts one sandbox outside the pool; those left over are ended with the test."""
    started: list[Sandbox] = []

    def make(*binds: tuple[Path, str]) -> Sandbox:
        started.append(start(probe_layout(*binds), number=next(NUMBERS)))
        return started[-1]

    yield make
    for sandbox in started:
        if sandbox.alive:
            sandbox.discard()


@pytest.fixture
def opened() -> Iterator[Callable[[bytes], int]]:
    """Gives a descriptor at the start of a nameless file with this content."""
    descriptors: list[int] = []

    def make(content: bytes) -> int:
        with tempfile.TemporaryFile() as file:
            file.write(content)
            file.seek(0)
            descriptors.append(os.dup(file.fileno()))
        return descriptors[-1]

    yield make
    for descriptor in descriptors:
        os.close(descriptor)


@pytest.fixture
def attempt(probes: Pool, opened: Callable[[bytes], int], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Finish]:
    """Runs one of the probe's kinds as a job: `attempt(kind, content=b"", limits=LIMITS, quote=False)`."""

    def run(kind: str, *, content: bytes = b"", limits: Limits = LIMITS, quote: bool = False) -> Finish:
        monkeypatch.setattr(tasks, "KINDS", {kind: tasks.Kind(frozenset(), frozenset({"entry"}))})
        sandboxes = Sandboxes(probes.take, probes.give)
        report = tasks.perform(kind, {"entry": opened(content)}, limits=limits, sandboxes=sandboxes, quote=quote)
        assert report is not None
        return report.finish

    return run
