"""From the files of a job to its report: which kinds there are, and what each of their steps may be given."""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sandbox_runner.contract import Limits, Usage
from sandbox_runner.steps import Report, Sandboxes, Step, internal

NATIVE = frozenset({"parquet"})
"""Formats that native code reads: who reads them never holds a reference."""


@dataclass(frozen=True)
class Kind:
    """Roles of the inputs, without what follows a slash: of the challenge, and of the job itself.

    What is not named here is never let into the sandbox.
    """

    shared: frozenset[str]
    own: frozenset[str]


KINDS: Mapping[str, Kind] = {
    "check": Kind(frozenset({"spec", "cases"}), frozenset({"entry"})),
    "score": Kind(frozenset({"spec", "cases", "attributes", "plan", "reference"}), frozenset({"entry"})),
}


@dataclass(frozen=True)
class Job:
    """`files`: role -> open descriptor. `digests`: sha256 of each, or empty. `quote`: errors may quote the files."""

    kind: str
    files: Mapping[str, int]
    limits: Limits
    sandboxes: Sandboxes
    digests: Mapping[str, str]
    quote: bool

    def step(self, kind: str) -> Step:
        """A step with the files that this kind may be given, and no others."""
        shared, own = (self._of(roles) for roles in (KINDS[kind].shared, KINDS[kind].own))
        return Step(
            kind, shared, own, self.limits, self.sandboxes, holds=self.name(kind, list(shared)), quote=self.quote
        )

    def name(self, kind: str, shared: Sequence[str]) -> str:
        """A name for what these files are together; empty where that is not known."""
        known = [(role, self.digests.get(role)) for role in sorted(shared)]
        return "" if any(digest is None for _, digest in known) else json.dumps([kind, known])

    def _of(self, roles: frozenset[str]) -> dict[str, int]:
        return {role: file for role, file in self.files.items() if role.partition("/")[0] in roles}


def perform(
    kind: str,
    files: Mapping[str, int],
    *,
    limits: Limits,
    sandboxes: Sandboxes,
    digests: Mapping[str, str] | None = None,
    quote: bool = False,
) -> Report | None:
    """Do one job. `files`: role -> open descriptor of a seekable file; they stay the caller's.

    `digests`: sha256 of each file, by which a sandbox that holds this challenge is known again. `quote`: errors may
    quote the files, for a caller who holds them all. None where the job was cancelled. Never raises because of what the
    files hold, or because no sandbox can be started: that is outcome ``internal``.
    """
    if kind not in KINDS or {role.partition("/")[0] for role in files} != KINDS[kind].shared | KINDS[kind].own:
        return internal(f"A job of kind {kind} with inputs {', '.join(sorted(files))} is none that this runner knows.")
    job = Job(kind, files, limits, sandboxes, digests or {}, quote)
    return _in_two_steps(job) if kind == "score" and _native(files["spec"]) else job.step(kind).run()


def _in_two_steps(job: Job) -> Report | None:
    """Read without labels, then score what was read: one report, and the clocks run over both, not between them."""
    limits = job.limits
    # Arrays are as large as what they were read from, or a few times as large.
    wide = limits.model_copy(update={"output_mb": max(limits.output_mb, 4 * limits.entry_mb)})
    read = replace(job.step("check"), arrays=True, limits=wide).run()
    if read is None or read.finish.outcome != "ok":
        return read
    with tempfile.TemporaryFile() as file:
        file.write(read.arrays)
        file.flush()
        read = replace(read, arrays=b"")  # it may be large, and another job may need the room
        scored = replace(job.step("score"), own={"arrays": file.fileno()}, used=read.finish.usage).run()
    return scored and _joined(read, scored)


def _joined(read: Report, scored: Report) -> Report:
    """The report of the second step with what the first found in the entry, and what both used."""
    told, finish = read.finish.detail, scored.finish
    found = {"issues": told.issues, "total": told.total, "counts": told.counts}
    one, two = read.finish.usage, finish.usage
    usage = Usage(
        wall_s=one.wall_s + two.wall_s, cpu_s=one.cpu_s + two.cpu_s, memory_mb=max(one.memory_mb, two.memory_mb)
    )
    detail = finish.detail.model_copy(update=found)
    return Report(finish.model_copy(update={"detail": detail, "usage": usage}), scored.outputs)


def _native(spec: int) -> bool:
    try:
        tables = json.loads(os.pread(spec, os.fstat(spec).st_size, 0))["tables"]
        return any(table.get("format") in NATIVE for table in tables)
    except (ValueError, TypeError, KeyError, AttributeError):
        return False  # the sandbox will say what is wrong with it
