"""The program inside the sandbox: a template that holds one challenge, and a fork of it for each entry.

Standard input is the socket to the runner. Imported before a request comes: numpy and scoring. The first request brings
the files of a challenge with those of a job; the template loads its filter and reads the challenge's files, never a
byte of an entry. It says when it holds them, and is told how large it is by then, which it cannot see: the memory of a
job comes on top of that. For each job it forks. The fork closes every descriptor but its own files and its answer,
limits itself, loads the last filter and only then reads the first byte of an entry. It answers over a pipe of its own
and leaves; the template tells how it ended. Nothing that a fork does to its memory reaches the template or another.

An exception's text may quote a file, so only its type and place go out, unless the caller holds all the files.
"""

import gc
import importlib
import json
import os
import resource
import socket
import struct
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from sandbox_runner import bpf

REQUEST_BYTES = 1 << 16
FILES = 200
OUT_OF_MEMORY = 77  # exit code: at that point there may be no memory left to say it in words
_HEAD = struct.Struct(">I")


@dataclass(frozen=True)
class Answer:
    """`head`: JSON for the runner, keys of `sandbox_runner.answers.Head`. `blobs`: outputs by role."""

    head: Mapping[str, Any]
    blobs: Mapping[str, bytes] = field(default_factory=dict)


class Told(Exception):
    """A fault of ours or the organiser's whose text quotes no file and may go out."""


Request = Mapping[str, Any]
Files = Mapping[str, BinaryIO]


@dataclass(frozen=True)
class Task:
    """`prepare`: what the template makes of a challenge's files. `work`: what a fork makes of that and an entry."""

    prepare: Callable[[Files, Request], Any]
    work: Callable[[Any, Files, Request], Answer]


def main() -> NoReturn:
    """The production program: `check` and `score`."""
    serve(importlib.import_module("sandbox_runner.work").KINDS)


def serve(kinds: Mapping[str, Task]) -> NoReturn:
    """Serve requests for one challenge, one after the other, until the runner hangs up. Never returns.

    A request is JSON: `kind`, `shared` and `roles` (of the challenge's files, in the first request only, and of the
    job's own), `quote`, and the limits. With it come the pipe for the answer and the files, in that order.
    """
    requests = socket.socket(fileno=0)
    requests.send(b"ready")
    held: Any = None
    while True:
        message, files, _, _ = socket.recv_fds(requests, REQUEST_BYTES, FILES)
        if not message:
            os._exit(0)  # the runner left
        request: Request = json.loads(message)
        requests.send(b"began")  # from here on the files are in use
        task, (answer, *files) = kinds[request["kind"]], files
        shared, own = files[: len(request["shared"])], files[len(request["shared"]) :]
        if held is None:
            held = _held(task, shared, request)
        requests.send(b"prepared")  # what is done until here is no participant's time
        size, *_ = requests.recvmsg(32)
        if not size:
            os._exit(0)
        fork = os.fork()
        if fork == 0:
            _job(task, held, own, answer, requests, request, int(size))
        for file in (answer, *own):
            os.close(file)
        status = os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1])
        requests.send(b"ended %d" % (128 - status if status < 0 else status))


def _held(task: Task, shared: list[int], request: Request) -> Any:
    """What the template knows from now on, or the `Answer` that says why it knows nothing."""
    bpf.confine(bpf.template_filter())
    limits = _limits(request["prepare_cpu_s"], request["prepare_mb"] << 20, hard=False)
    streams = {role: os.fdopen(file, "rb") for role, file in zip(request["shared"], shared, strict=True)}
    held = _tried(lambda: task.prepare(streams, request), request)
    for stream in streams.values():
        stream.close()
    for limit, before in limits.items():
        resource.setrlimit(limit, before)
    gc.collect()
    gc.freeze()  # else the first collection in a fork would write to, and so copy, all of it
    return held


def _job(
    task: Task, held: Any, own: list[int], answer: int, requests: socket.socket, request: Request, size: int
) -> NoReturn:
    try:
        requests.close()
        sys.stdin = sys.stdout = sys.stderr = None
        os.closerange(1, 3)  # what a library prints is no answer, and a full pipe would hold up the next job
        _limits(request["cpu_s"], size + (request["memory_mb"] << 20), hard=True)
        bpf.confine(bpf.run_filter())
        streams = {role: os.fdopen(file, "rb") for role, file in zip(request["roles"], own, strict=True)}
        said = _tried(lambda: _encoded(_done(task, held, streams, request)), request)
        with os.fdopen(answer, "wb") as pipe:
            pipe.writelines(_encoded(said) if isinstance(said, Answer) else said)
        os._exit(0)
    finally:
        os._exit(1)  # whatever happens, a fork never becomes a template


def _done(task: Task, held: Any, streams: Files, request: Request) -> Answer:
    return held if isinstance(held, Answer) else task.work(held, streams, request)


def _tried(act: Callable[[], Any], request: Request) -> Any:
    """What it gives, or the `Answer` that says where it failed."""
    try:
        return act()
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except Told as told:
        message = str(told)
    except Exception as error:
        message = f"{place(error)}: {error}" if request["quote"] else place(error)
    return Answer({"outcome": "internal", "message": message[:500]})


def place(error: BaseException) -> str:
    """Type of an exception and the line of our code that it comes from."""
    frames = traceback.extract_tb(error.__traceback__)
    home = str(Path(__file__).parent.parent)
    ours = [frame for frame in frames if frame.filename.startswith(home)] or frames
    return f"{type(error).__name__} at {ours[-1].filename.removeprefix(home + '/')}:{ours[-1].lineno}"


def _limits(cpu_s: int, space: int, *, hard: bool) -> dict[int, tuple[int, int]]:
    """Limit CPU seconds from now, address space in bytes, and (`hard`, for good) files written, processes, descriptors.

    Returns the limits before.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int(used.ru_utime + used.ru_stime) + 1 + cpu_s
    wanted = {resource.RLIMIT_CPU: cpu, resource.RLIMIT_AS: space}
    if hard:
        none = (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_NPROC, resource.RLIMIT_MEMLOCK)
        wanted |= {**dict.fromkeys(none, 0), resource.RLIMIT_NOFILE: FILES + 64}
    before = {limit: resource.getrlimit(limit) for limit in wanted}
    for limit, value in wanted.items():
        most = before[limit][1]
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        # A CPU limit that is soft ends the process with a signal that tells why; the hard one a second later does not.
        top = value + (limit == resource.RLIMIT_CPU) if hard else most
        resource.setrlimit(limit, (value, top if most == resource.RLIM_INFINITY else min(top, most)))
    return before


def _encoded(answer: Answer) -> list[bytes]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    account = {"cpu_s": used.ru_utime + used.ru_stime, "memory_mb": used.ru_maxrss / 1024}
    blobs = [{"role": role, "size": len(blob)} for role, blob in answer.blobs.items()]
    head = json.dumps({**account, **answer.head, "blobs": blobs}, allow_nan=False).encode()
    return [_HEAD.pack(len(head)), head, *answer.blobs.values()]
