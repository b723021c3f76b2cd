# ruff: noqa: PTH110, PTH123, PTH208, SIM115
"""Runs inside a sandbox in tests only: tries what must not be possible there, and misbehaves on request."""

import contextlib
import ctypes
import errno
import mmap
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from typing import BinaryIO, NoReturn

import numpy as np

from sandbox_runner.child import Answer, Request, Task, serve

Files = Mapping[str, BinaryIO]
CALLS = {  # by number on x86_64
    "clone": (56, signal.SIGCHLD, 0, 0, 0, 0), "clone_thread": (56, 0x10F00, 0, 0, 0, 0), "clone3": (435, 0, 0),
    "fork": (57,), "vfork": (58,), "execve": (59, 0, 0, 0), "execveat": (322, -100, 0, 0, 0, 0), "setuid": (105, 0),
    "setresuid": (117, 0, 0, 0), "setreuid": (113, 0, 0), "setgroups": (116, 0, 0), "capset": (126, 0, 0),
    "socket_inet": (41, 2, 1, 0), "socket_unix": (41, 1, 1, 0), "socket_vsock": (41, 40, 1, 0),
    "socket_netlink": (41, 16, 3, 0), "socketpair": (53, 1, 1, 0, 0), "connect": (42, 0, 0, 0),
    "io_uring_setup": (425, 1, 0), "io_uring_enter": (426, 0, 0, 0, 0, 0), "keyctl": (250, 0, -3, 0),
    "add_key": (248, 0, 0, 0, 0, -3), "request_key": (249, 0, 0, 0, 0), "ptrace": (101, 0, 0, 0, 0),
    "process_vm_readv": (310, 1, 0, 0, 0, 0, 0), "userfaultfd": (323, 0), "perf_event_open": (298, 0, 0, -1, -1, 0),
    "bpf": (321, 0, 0, 0), "mount": (165, 0, 0, 0, 0, 0), "umount2": (166, 0, 0), "pivot_root": (155, 0, 0),
    "fsopen": (430, 0, 0), "move_mount": (429, 0, 0, 0, 0, 0), "open_tree": (428, 0, 0, 0), "flock": (73, 0, 2),
    "fcntl_lock": (72, 1, 6, 0), "unshare_user": (272, 0x10000000), "setns": (308, 0, 0), "memfd_create": (319, 0, 0),
    "kill": (62, 1, 9), "tgkill": (234, 1, 1, 9), "prctl": (157, 4, 1, 0, 0, 0), "seccomp": (317, 1, 0, 0),
    "prlimit64": (302, 0, 9, 0, 0), "ioctl": (16, 0, 0x5412, 0), "open_by_handle_at": (304, 0, 0, 0),
    "name_to_handle_at": (303, 0, 0, 0, 0, 0), "shmget": (29, 0, 4096, 0o1600), "msgget": (68, 0, 0o1600),
    "mq_open": (240, 0, 0, 0, 0), "chmod": (90, 0, 0), "mkdir": (83, 0, 0), "unlink": (87, 0), "symlink": (88, 0, 0),
    "mknod": (133, 0, 0, 0), "open": (2, 0, 0), "openat2": (437, -100, 0, 0, 0), "sendmsg": (46, 1, 0, 0),
    "recvmsg": (47, 1, 0, 0), "personality": (135, 0), "modify_ldt": (154, 0, 0, 0), "init_module": (175, 0, 0, 0),
    "kexec_load": (246, 0, 0, 0, 0), "pidfd_open": (434, 1, 0),
}  # fmt: skip


def attempts(files: Files, request: Request) -> Answer:
    """Every forbidden call by number, and which of them gave another errno or ("") went through."""
    libc = ctypes.CDLL(None, use_errno=True)
    found = {}
    for name, (number, *arguments) in CALLS.items():
        ctypes.set_errno(0)
        result = libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
        found[name] = errno.errorcode[ctypes.get_errno()] if result == -1 else ""
    strange = {name: code for name, code in found.items() if code != "ENOSYS"}
    return Answer({"outcome": "ok", "message": f"{len(found)} calls; not ENOSYS: {strange}"})


def words(files: Files, request: Request) -> Answer:
    """The same in Python's words, and what can be seen."""

    def tried(act: Callable[[], object]) -> str:
        try:
            return repr(act())
        except OSError as error:
            return type(error).__name__ if error.errno is None else errno.errorcode[error.errno]
        except RuntimeError as error:
            return str(error)

    seen = {
        "environment": sorted(os.environ),
        "root": sorted(os.listdir("/")),
        "pid": os.getpid(),
        "fork": tried(os.fork),
        "thread": tried(threading.Thread(target=print).start),
        "socket": tried(socket.socket),
        "write": tried(lambda: open("/arbitre/x", "w")),
        "write_tmp": tried(lambda: open("/tmp/x", "w")),
        "proc": tried(lambda: os.listdir("/proc")),
        "dev": tried(lambda: os.listdir("/dev")),
        "passwd": tried(lambda: open("/etc/passwd").read()),
        "home": tried(lambda: os.listdir(os.environ.get("HOME", "/root"))),
    }
    return Answer({"outcome": "ok", "message": repr(seen)})


def secret(files: Files, request: Request) -> Answer:
    """Reads a root-only file bound in."""
    try:
        return Answer({"outcome": "ok", "message": open("/secret").read()})
    except OSError as error:
        return Answer({"outcome": "ok", "message": errno.errorcode[error.errno or 0]})


def hang(files: Files, request: Request) -> Answer:
    """Never ends, without using the CPU much: reads from a pipe that nobody writes."""
    files["entry"].read()
    raise AssertionError


def spin(files: Files, request: Request) -> Answer:
    """Never ends, busy."""
    while True:
        pass


def hoard(files: Files, request: Request) -> Answer:
    """Memory bomb."""
    kept = []
    while True:
        kept.append(np.ones(1 << 20))


def flood(files: Files, request: Request) -> Answer:
    """More output than allowed."""
    return Answer({"outcome": "ok"}, {"replicates": b"x" * (8 << 20)})


def babble(files: Files, request: Request) -> Answer:
    """Something that is no answer."""
    return Answer({"outcome": "splendid"})


def drip(files: Files, request: Request) -> Answer:
    """Always has a little more to say."""
    while True:
        for descriptor in range(3, 20):
            with contextlib.suppress(OSError):
                os.write(descriptor, b"x")


def nan(files: Files, request: Request) -> Answer:
    """An answer that JSON cannot hold."""
    return Answer({"outcome": "ok", "values": [float("nan")]})


def lie(files: Files, request: Request) -> Answer:
    """Writes its own answer into every descriptor it has: raw bytes from the file."""
    raw = files["entry"].read()
    for descriptor in range(3, 20):
        with contextlib.suppress(OSError):
            os.write(descriptor, raw)
    os._exit(0)


def abort(files: Files, request: Request) -> Answer:
    """Ends by a signal."""
    ctypes.string_at(0)
    raise AssertionError


def leave(files: Files, request: Request) -> Answer:
    """Ends without an answer."""
    os._exit(3)


def quote(files: Files, request: Request) -> Answer:
    """Raises with the file's content in the text."""
    raise ValueError(files["entry"].read().decode())


def interpret(files: Files, request: Request) -> Answer:
    """Imports parts of scipy that scoring imports late: the second filter must let them come."""
    import scipy.optimize
    import scipy.stats

    value = float(scipy.stats.norm.cdf(0.0)) + float(scipy.optimize.brentq(lambda x: x - 1, 0, 3))
    return Answer({"outcome": "ok", "message": repr(value)})


def echo(files: Files, request: Request) -> Answer:
    """Says what the file holds."""
    return Answer({"outcome": "ok", "message": files["entry"].read().decode()})


def shut(files: Files, request: Request) -> Answer:
    """Closes its pipe, so that the answer seems to be over, and goes on."""
    os.closerange(3, 20)
    while True:
        pass


def litter(files: Files, request: Request) -> Answer:
    """Leaves whatever it can for the next job, and says what it found left."""
    found = traces()
    HELD["label"] = os.environ["LEFT"] = "left"
    sys.modules["left"] = sys
    np.float64 = np.float32  # type: ignore[assignment,misc]
    for path in ("/tmp/left", "/left", "/arbitre/left", "/dev/shm/left"):
        with contextlib.suppress(OSError):
            open(path, "w").close()
    with contextlib.suppress(OSError):
        os.open("/arbitre", os.O_RDONLY)
    with contextlib.suppress(OSError, RuntimeError):
        threading.Thread(target=signal.pause).start()
    kept = mmap.mmap(-1, 4096)
    kept[:4] = b"left"
    with contextlib.suppress(OSError, ValueError):
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    for descriptor in range(3):
        with contextlib.suppress(OSError):
            os.write(descriptor, b"left" * 100_000)
    return Answer({"outcome": "ok", "message": repr(found)})


def traces() -> dict[str, object]:
    """What a job finds that another may have left."""
    libc = ctypes.CDLL(None, use_errno=True)
    return {
        "held": HELD["label"],
        "environment": os.environ.get("LEFT"),
        "module": "left" in sys.modules,
        "type": np.float64.__name__,
        "files": [path for path in ("/tmp/left", "/left", "/arbitre/left", "/dev/shm/left") if os.path.exists(path)],
        "threads": threading.active_count(),
        "handler": signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL,
        "segment": libc.shmget(0x4C454654, 4096, 0) != -1,
        "standard": [number for number in range(3) if is_open(number)],
        "descriptors": sum(map(is_open, range(64))),
    }


def is_open(descriptor: int) -> bool:
    """Whether the number is in use."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def reach(files: Files, request: Request) -> Answer:
    """Tries to end, stop, trace, limit or write to every other process of the sandbox."""
    libc = ctypes.CDLL(None, use_errno=True)
    found = set()
    for pid in range(1, 8):
        for number, *arguments in (
            (62, pid, 9), (234, pid, pid, 9), (200, pid, 9), (129, pid, 10, 0), (101, 16, pid, 0, 0),
            (311, pid, 0, 0, 0, 0, 0), (310, pid, 0, 0, 0, 0, 0), (302, pid, 0, 0, 0), (434, pid, 0), (203, pid, 0, 0),
            (141, 0, pid, 19), (144, pid, 0, 0), (247, 0, pid, 0, 0, 0), (61, pid, 0, 0, 0), (312, pid, pid, 0, 0, 0),
        ):  # fmt: skip
            ctypes.set_errno(0)
            result = libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
            found.add((number, errno.errorcode[ctypes.get_errno()] if result == -1 else ""))
    strange = sorted(each for each in found if each[1] != "ENOSYS")
    return Answer({"outcome": "ok", "message": repr(strange)})


def check(files: Files, request: Request) -> Answer:
    """A reader that a hostile file took over: hands out as arrays whatever the file says."""
    return Answer({"outcome": "ok"}, {"arrays": files["entry"].read()})


def mark(files: Files, request: Request) -> Answer:
    """Which scoring package was imported."""
    import scoring

    return Answer({"outcome": "ok", "message": getattr(scoring, "MARK", "as it was")})


def main() -> NoReturn:
    """The test's program: each kind is a function of the job's own files; nothing is prepared but a dictionary."""

    def task(act: Callable[[Files, Request], Answer]) -> Task:
        return Task(lambda *_: HELD, lambda _, files, request: act(files, request))

    tasks = {name: task(act) for name, act in globals().items() if callable(act) and name in KINDS}
    tasks["late"] = Task(lambda *_: threading.Event().wait(1.2), tasks["echo"].work)
    serve(tasks)


HELD: dict[str, str] = {"label": "of the challenge"}


KINDS = {
    *("attempts", "words", "secret", "hang", "spin", "hoard", "flood", "babble", "lie", "abort", "leave", "quote"),
    *("echo", "interpret", "drip", "nan", "shut", "litter", "reach"),
    *("check", "mark"),
}
