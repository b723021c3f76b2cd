"""One step of a job: a sandbox is given files by role, and what its end means."""

import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox_runner.answers import AnswerRefused, Blob, Head, parse
from sandbox_runner.bubblewrap import SandboxUnavailable
from sandbox_runner.child import OUT_OF_MEMORY
from sandbox_runner.contract import Detail, Finish, Limits, Outcome, Usage
from sandbox_runner.sandbox import PREPARE_S, Ended, Sandbox

PREPARE_MB = 8192
"""MiB of address space, in which a sandbox comes to hold a challenge, before it meets an entry."""
_TRIES = 3
_LEAST_S = 0.01
_STARVED = "The runner's machine ran out of memory. Give it more memory or fewer slots."


@dataclass(frozen=True)
class Report:
    """`finish` without its blobs, which are `outputs` by role. `arrays`: what was read, for the next step."""

    finish: Finish
    outputs: Mapping[str, bytes] = field(default_factory=dict)
    arrays: Blob = b""


@dataclass(frozen=True)
class Sandboxes:
    """Where sandboxes come from: `take` one that holds this challenge or none, `give` it back.

    `started` is told of each, so that another thread may cancel it until `left`, which comes before it is given back.
    """

    take: Callable[[str], Sandbox]
    give: Callable[[Sandbox], None]
    started: Callable[[Sandbox], None] = lambda _: None
    left: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Step:
    """`shared`, `own`: role -> descriptor, of the challenge and of the job. `holds`: name of what is shared, or empty.

    `limits`: of the whole job, of which an earlier step `used` some. `quote`: errors may quote the files. `arrays`:
    what was read is wanted, not only whether it is in order.
    """

    kind: str
    shared: Mapping[str, int]
    own: Mapping[str, int]
    limits: Limits
    sandboxes: Sandboxes
    holds: str = ""
    quote: bool = False
    arrays: bool = False
    used: Usage = field(default_factory=Usage)

    def run(self) -> Report | None:
        """None where it was cancelled. Raises nothing because of what the files hold."""
        killed = _killed_by_kernel()
        for left in reversed(range(_TRIES)):
            try:
                return self._tried(killed)
            except SandboxUnavailable as error:
                if not left:
                    return internal(str(error))
                time.sleep(0.1)
        raise AssertionError

    def _tried(self, killed: int) -> Report | None:
        sandbox = self.sandboxes.take(self.holds)
        self.sandboxes.started(sandbox)
        try:
            files = {} if self.holds and sandbox.holds == self.holds else self.shared
            sandbox.holds = ""  # until it is known to be as good as new
            ended = self._run(sandbox, files)
            if ended.stopped == "cancel":
                return None
            starved = _killed_by_kernel() > killed
            report = _report(ended, self.limits, starved=starved, arrays=self.arrays)
            if report.finish.outcome in ("ok", "invalid"):
                sandbox.holds = self.holds
            return report
        finally:
            self.sandboxes.left()
            self.sandboxes.give(sandbox)

    def _run(self, sandbox: Sandbox, shared: Mapping[str, int]) -> Ended:
        request: dict[str, Any] = {"kind": self.kind, "shared": list(shared), "roles": list(self.own)}
        request |= {"quote": self.quote, "arrays": self.arrays}
        request |= {"memory_mb": self.limits.memory_mb, "entry_mb": self.limits.entry_mb}
        request |= {"cpu_s": max(1, self.limits.cpu_s - int(self.used.cpu_s))}
        request |= {"prepare_cpu_s": int(PREPARE_S), "prepare_mb": PREPARE_MB}
        files = [*shared.values(), *self.own.values()]
        for file in files:
            os.lseek(file, 0, os.SEEK_SET)  # another sandbox may have read it
        wall_s, most = max(_LEAST_S, self.limits.wall_s - self.used.wall_s), self.limits.output_mb << 20
        return sandbox.run(json.dumps(request).encode(), files, wall_s=wall_s, output_bytes=most, prepare_s=PREPARE_S)


def internal(message: str, *, wall_s: float = 0.0) -> Report:
    """A fault of ours: the job is run again and uses no quota."""
    return Report(Finish(outcome="internal", detail=Detail(message=message[:2000]), usage=Usage(wall_s=wall_s)))


def _report(ended: Ended, limits: Limits, *, starved: bool, arrays: bool) -> Report:
    usage = Usage(wall_s=ended.wall_s)
    broken = _broken(ended, limits, starved=starved)
    if broken:
        return Report(Finish(outcome=broken[0], detail=Detail(message=broken[1]), usage=usage))
    try:
        head, outputs = parse(ended.answer, arrays=arrays)
    except AnswerRefused as error:
        return internal(f"The answer of the sandbox was refused: {error}.", wall_s=ended.wall_s)
    if arrays:
        return Report(_finish(head, ended), arrays=outputs.get("arrays", b""))
    return Report(_finish(head, ended), {role: bytes(blob) for role, blob in outputs.items()})


def _broken(ended: Ended, limits: Limits, *, starved: bool) -> tuple[Outcome, str] | None:
    """Outcome and sentence where there is no answer to read."""
    if not ended.prepared:
        return "internal", _unprepared(ended, starved=starved)
    if ended.stopped == "time":
        return "time", f"It was not done after {limits.wall_s:g} s, which is all this phase allows."
    if ended.stopped == "output":
        return "output", f"The answer grew beyond {limits.output_mb} MiB, which is all this phase allows."
    if ended.status == OUT_OF_MEMORY:
        return "memory", f"It needed more than {limits.memory_mb} MiB of memory, which is all this phase allows."
    if ended.status == 128 + signal.SIGXCPU:
        return "time", f"It was not done after {limits.cpu_s} s of computing, which is all this phase allows."
    if ended.status == 128 + signal.SIGKILL and starved:
        return "internal", _STARVED
    if ended.status != 0 or not ended.answer:
        return "crash", f"The program that reads the entry ended without an answer ({_told(ended.status)})."
    return None


def _unprepared(ended: Ended, *, starved: bool) -> str:
    """Why a sandbox does not hold a challenge: no participant can do anything about it."""
    if ended.stopped == "time":
        return f"The challenge's files need more than {PREPARE_S} s to be read, which is all a runner allows."
    if ended.status == OUT_OF_MEMORY:
        return f"The challenge's files need more than {PREPARE_MB} MiB of memory, which is all a runner allows."
    if ended.status == 128 + signal.SIGXCPU:
        return f"The challenge's files need more than {PREPARE_S} s of computing, which is all a runner allows."
    if ended.status == 128 + signal.SIGKILL and starved:
        return _STARVED
    return f"The program that reads the challenge's files ended ({_told(ended.status)})."


def _told(status: int) -> str:
    try:
        return signal.Signals(status - 128).name if status > 128 else f"exit code {status}"
    except ValueError:
        return f"exit code {status}"


def _finish(head: Head, ended: Ended) -> Finish:
    detail = Detail(
        issues=head.issues, total=head.total, counts=head.counts, message=head.message, plan_digest=head.plan_digest
    )
    usage = Usage(wall_s=ended.wall_s, cpu_s=head.cpu_s, memory_mb=head.memory_mb)
    return Finish(outcome=head.outcome, detail=detail, values=head.values, usage=usage)


def _killed_by_kernel() -> int:
    """How many processes this machine's kernel has ever killed for want of memory; 0 where it does not say."""
    try:
        counts = dict(line.split() for line in Path("/proc/vmstat").read_text().splitlines())
    except OSError:
        return 0
    return int(counts.get("oom_kill", 0))
