"""From the files of a job to its report: which kinds there are, what each may be given, and what each end means."""

import json
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox_runner.answers import AnswerRefused, Head, parse
from sandbox_runner.bubblewrap import SandboxUnavailable
from sandbox_runner.child import OUT_OF_MEMORY
from sandbox_runner.contract import Detail, Finish, Limits, Outcome, Usage
from sandbox_runner.sandbox import Ended, Sandbox

_TRIES = 3


@dataclass(frozen=True)
class Kind:
    """Roles of the inputs, without what follows a slash. What is not named here is never let into the sandbox."""

    needed: frozenset[str]


KINDS: Mapping[str, Kind] = {
    "check": Kind(frozenset({"spec", "cases", "entry"})),
    "score": Kind(frozenset({"spec", "cases", "attributes", "plan", "reference", "entry"})),
}


@dataclass(frozen=True)
class Report:
    """`finish` without its blobs, which are `outputs` by role; None where the job was cancelled."""

    finish: Finish
    outputs: Mapping[str, bytes] = field(default_factory=dict)


def perform(
    kind: str,
    files: Mapping[str, int],
    *,
    limits: Limits,
    take: Callable[[], Sandbox],
    started: Callable[[Sandbox], None] = lambda _: None,
    quote: bool = False,
) -> Report | None:
    """Do one job in one sandbox. `files`: role -> open descriptor, read from its start; they stay the caller's.

    `take` gives a ready sandbox; `started` is told it, so that another thread may cancel it; then None is returned.
    `quote`: errors may quote the files, for a caller who holds them all. Never raises because of what the files hold,
    or because no sandbox can be started: that is outcome ``internal``.
    """
    if kind not in KINDS or {role.partition("/")[0] for role in files} != KINDS[kind].needed:
        return internal(f"A job of kind {kind} with inputs {', '.join(sorted(files))} is none that this runner knows.")
    request = {"kind": kind, "roles": list(files), "quote": quote}
    request |= {name: getattr(limits, name) for name in ("cpu_s", "memory_mb", "entry_mb")}
    killed = _killed_by_kernel()
    try:
        ended = _run(take, json.dumps(request).encode(), list(files.values()), limits, started)
    except SandboxUnavailable as error:
        return internal(str(error))
    if ended.stopped == "cancel":
        return None
    return _report(ended, limits, starved=_killed_by_kernel() > killed)


def internal(message: str, *, wall_s: float = 0.0) -> Report:
    """A fault of ours: the job is run again and uses no quota."""
    return Report(Finish(outcome="internal", detail=Detail(message=message[:2000]), usage=Usage(wall_s=wall_s)))


def _run(
    take: Callable[[], Sandbox],
    request: bytes,
    files: list[int],
    limits: Limits,
    started: Callable[[Sandbox], None],
) -> Ended:
    for attempt in range(_TRIES):
        sandbox = take()
        started(sandbox)
        try:
            return sandbox.run(request, files, wall_s=limits.wall_s, output_bytes=limits.output_mb << 20)
        except SandboxUnavailable:
            if attempt == _TRIES - 1:
                raise
            time.sleep(0.1)
    raise AssertionError


def _report(ended: Ended, limits: Limits, *, starved: bool) -> Report:
    usage = Usage(wall_s=ended.wall_s)
    broken = _broken(ended, limits, starved=starved)
    if broken:
        return Report(Finish(outcome=broken[0], detail=Detail(message=broken[1]), usage=usage))
    try:
        head, outputs = parse(ended.answer)
    except AnswerRefused as error:
        return internal(f"The answer of the sandbox was refused: {error}.", wall_s=ended.wall_s)
    return Report(_finish(head, ended), outputs)


def _broken(ended: Ended, limits: Limits, *, starved: bool) -> tuple[Outcome, str] | None:
    """Outcome and sentence where there is no answer to read."""
    if ended.stopped == "time":
        return "time", f"It was not done after {limits.wall_s:g} s, which is all this phase allows."
    if ended.stopped == "output":
        return "output", f"The answer grew beyond {limits.output_mb} MiB, which is all this phase allows."
    if ended.status == OUT_OF_MEMORY:
        return "memory", f"It needed more than {limits.memory_mb} MiB of memory, which is all this phase allows."
    if ended.status == 128 + signal.SIGXCPU:
        return "time", f"It was not done after {limits.cpu_s} s of computing, which is all this phase allows."
    if ended.status == 128 + signal.SIGKILL and starved:
        return "internal", "The runner's machine ran out of memory. Give it more memory or fewer slots."
    if ended.status != 0 or not ended.answer:
        return "crash", f"The program that reads the entry ended without an answer ({_told(ended.status)})."
    return None


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
