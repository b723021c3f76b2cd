"""The program inside the sandbox: waits for one request, closes itself in, does the work, answers, leaves.

Standard input is the socket to the runner, standard output the pipe for the answer. Imported before the request comes:
numpy and scoring. After the request come the limits, then the second filter, and only then is the first byte of a file
read. An exception's text may quote a file, so only its type and place go out, unless the caller holds all the files.
"""

import importlib
import json
import os
import resource
import socket
import struct
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
Work = Callable[[Mapping[str, BinaryIO], Request], Answer]


def main() -> NoReturn:
    """The production program: `check` and `score`."""
    serve(importlib.import_module("sandbox_runner.work").KINDS)


def serve(kinds: Mapping[str, Work]) -> NoReturn:
    """Serve one request of one of these kinds. Never returns."""
    with socket.socket(fileno=0) as requests, os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # what a library prints is no answer
        requests.send(b"ready")
        message, files, _, _ = socket.recv_fds(requests, REQUEST_BYTES, FILES)
        if not message:
            os._exit(0)  # the runner left
        request: Request = json.loads(message)
        streams = {role: os.fdopen(file, "rb") for role, file in zip(request["roles"], files, strict=True)}
        requests.send(b"began")
        requests.close()
        _limit(request["cpu_s"], request["memory_mb"])
        bpf.confine(bpf.run_filter())
        answers.writelines(_done(kinds[request["kind"]], streams, request))
        answers.flush()
        os._exit(0)


def _done(work: Work, streams: Mapping[str, BinaryIO], request: Request) -> list[bytes]:
    try:
        return _encoded(work(streams, request))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except Told as told:
        message = str(told)
    except Exception as error:
        message = f"{place(error)}: {error}" if request["quote"] else place(error)
    return _encoded(Answer({"outcome": "internal", "message": message[:500]}))


def place(error: BaseException) -> str:
    """Type of an exception and the line of our code that it comes from."""
    frames = traceback.extract_tb(error.__traceback__)
    home = str(Path(__file__).parent.parent)
    ours = [frame for frame in frames if frame.filename.startswith(home)] or frames
    return f"{type(error).__name__} at {ours[-1].filename.removeprefix(home + '/')}:{ours[-1].lineno}"


def _limit(cpu_s: int, memory_mb: int) -> None:
    """Limits for good: CPU seconds from now, address space in MiB, no file written, no process, no core, few files."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int(used.ru_utime + used.ru_stime) + 1 + cpu_s
    _, no_more = resource.getrlimit(resource.RLIMIT_CPU)
    hard = cpu + 1 if no_more == resource.RLIM_INFINITY else min(cpu + 1, no_more)
    resource.setrlimit(resource.RLIMIT_CPU, (min(cpu, hard), hard))
    memory = memory_mb << 20
    for limit, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_NOFILE, FILES + 64),
    ):
        _, hard = resource.getrlimit(limit)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))


def _encoded(answer: Answer) -> list[bytes]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    account = {"cpu_s": used.ru_utime + used.ru_stime, "memory_mb": used.ru_maxrss / 1024}
    blobs = [{"role": role, "size": len(blob)} for role, blob in answer.blobs.items()]
    head = json.dumps({**account, **answer.head, "blobs": blobs}, allow_nan=False).encode()
    return [_HEAD.pack(len(head)), head, *answer.blobs.values()]
