"""One sandbox from the outside: started ahead of need, bound to one challenge, killed by the wall clock.

The template inside gets each request and its files as descriptors over a socket pair; a fork of it does the work once
and answers over a pipe of its own. Before the first request is sent, the host's /proc must show that the template has
no privilege left; otherwise it is killed unused.
"""

import array
import contextlib
import os
import selectors
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox_runner import bpf, bubblewrap
from sandbox_runner.bubblewrap import Layout, SandboxUnavailable

START_S = 30
PREPARE_S = 120
_LAST_WORD_S = 1.0
_CHUNK = 1 << 16
_CREDENTIALS = struct.Struct("3i")
_NO_CAPABILITY = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


@dataclass(frozen=True)
class Ended:
    """How a job ended. `stopped`: we killed the sandbox, and why. `status`: exit code, or 128 + signal.

    `prepared`: it held the challenge by then; `wall_s` runs from there.
    """

    stopped: Literal["time", "output", "cancel"] | None
    answer: bytes | bytearray
    status: int
    wall_s: float
    prepared: bool = True


class Sandbox:
    """A started sandbox. The thread that starts it must outlive it: its end takes the sandbox along.

    For whoever keeps it: `holds`, a name of the challenge that its template was given (empty before the first job);
    `code`, the digest of the code that it was started with; `room`, the bytes of memory that it took, and
    `unused_since`, on the clock of `time.monotonic`, when it was given back.
    """

    def __init__(self, layout: Layout, *, number: int) -> None:
        """Start it; `wait_ready` comes next. `number`: another for each sandbox. Raises SandboxUnavailable."""
        uid = bubblewrap.slot_uid(number) if bubblewrap.tier() == "root" else None
        self.pid = 0
        self.holds = self.code = ""
        self.room, self.unused_since = 0, 0.0
        self._cancelled = False
        self._lock = threading.Lock()
        self._socket, inner = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        seccomp = _filled_pipe(_start_filter())
        try:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603
                bubblewrap.command(layout, seccomp=seccomp, uid=uid),
                stdin=inner.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, bufsize=0,
                env={},  # bubblewrap's init keeps its own environment whatever --clearenv says
                pass_fds=(seccomp,),
                start_new_session=True,  # Ctrl-C is for the runner, which ends its sandboxes in order
            )  # fmt: skip
        finally:
            os.close(seccomp)
            inner.close()

    def wait_ready(self, timeout_s: float = START_S) -> None:
        """Until the child has imported all it needs and is proven closed. Raises SandboxUnavailable and says why."""
        self._socket.settimeout(timeout_s)
        try:
            hello, ancillary, _, _ = self._socket.recvmsg(16, socket.CMSG_SPACE(_CREDENTIALS.size))
        except TimeoutError:
            hello, ancillary = b"", []
        if hello != b"ready":
            self.kill()
            raise SandboxUnavailable(self._last_words() or f"The sandbox did not start within {timeout_s:.0f} s.")
        self.pid = _CREDENTIALS.unpack(ancillary[0][2][: _CREDENTIALS.size])[0]
        with contextlib.suppress(OSError):
            Path(f"/proc/{self.pid}/oom_score_adj").write_text("500")  # where memory runs out, it goes first
        faults = privileges(self.pid)
        if faults:
            self.kill()
            raise SandboxUnavailable(f"The sandbox is not closed and was not used: {', '.join(faults)}.")

    def run(
        self, request: bytes, files: Sequence[int], *, wall_s: float, output_bytes: int, prepare_s: float = PREPARE_S
    ) -> Ended:
        """Send the request with its open files, read the answer to its end. `wall_s` seconds, at most `output_bytes`.

        `prepare_s`: seconds that it has before, to hold the challenge. Afterwards it is `alive` where it may do another
        job. Raises SandboxUnavailable where it died before it began: another may do the work.
        """
        read = self._sent(request, files)
        with os.fdopen(read, "rb", buffering=0):
            taken, how = self._prepared(time.monotonic() + prepare_s)
            if how != "prepared":
                return self._unprepared(taken, how)
            began = time.monotonic()
            answer, stopped = self._read(read, began + wall_s, output_bytes)
        status = self._told(0.0 if stopped else max(_LAST_WORD_S, began + wall_s - time.monotonic()))
        if status is None or self._cancelled:
            # A fork may close its pipe and go on: that is time, too.
            stopped = stopped or ("time" if time.monotonic() - began >= wall_s else None)
            self.kill()
            status = self._reap()
        return Ended("cancel" if self._cancelled else stopped, answer, status, time.monotonic() - began)

    def _prepared(self, deadline: float) -> tuple[bool, Literal["prepared", "time", "gone"]]:
        """Whether the template took the request, and whether it holds the challenge; then it is told its own size."""
        taken = False
        try:
            while (left_s := deadline - time.monotonic()) > 0:
                self._socket.settimeout(left_s)
                word = self._socket.recv(16)
                if word == b"prepared":
                    self._socket.send(b"%d" % _pages(self.pid)[0])
                    return True, "prepared"
                if word != b"began":
                    return taken, "gone"
                taken = True
        except TimeoutError:
            return taken, "time"
        except OSError:
            return taken, "gone"
        return taken, "time"

    def _unprepared(self, taken: bool, why: str) -> Ended:
        if why == "time":
            self.kill()
        status = self._reap()
        if not (taken or why == "time" or self._cancelled):
            raise SandboxUnavailable("A sandbox ended before it began its work.")
        stopped: Literal["time", "cancel"] | None = "cancel" if self._cancelled else "time" if why == "time" else None
        return Ended(stopped, b"", status, 0.0, prepared=False)

    def _sent(self, request: bytes, files: Sequence[int]) -> int:
        """Hand over the request; where its answer can be read."""
        read, write = os.pipe()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [write, *files]))]
        try:
            self._socket.sendmsg([request], rights)
        except OSError:
            os.close(read)
            self.discard()
            raise SandboxUnavailable("A sandbox ended while it waited for work.") from None
        finally:
            os.close(write)
        return read

    def _told(self, wait_s: float) -> int | None:
        """How the fork ended; None where the template did not say so in time."""
        self._socket.settimeout(wait_s)
        try:
            word, _, number = self._socket.recv(16).partition(b" ")
        except OSError:
            return None
        return int(number) if word == b"ended" else None

    @property
    def alive(self) -> bool:
        """Not yet ended and waited for."""
        return self._process.returncode is None

    @property
    def fit(self) -> bool:
        """Alive, and nobody has cancelled it: another job may use it."""
        return self.alive and not self._cancelled

    def resident(self) -> int:
        """Bytes of memory that its template takes, with what it shares with others; 0 where it is gone."""
        return _pages(self.pid)[1]

    def cancel(self) -> None:
        """End it from another thread; `run` then returns with stopped = "cancel"."""
        self._cancelled = True
        self.kill()

    def kill(self) -> None:
        """End it and all in it: with bubblewrap goes the init of its pid namespace, and with that every process."""
        with self._lock:
            if self.alive:
                os.kill(self._process.pid, signal.SIGKILL)  # not Popen.kill, which may reap it

    def discard(self) -> None:
        """End a sandbox that is not at work, and wait for it."""
        if self.alive:
            self.kill()
            self._reap()

    def _reap(self) -> int:
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)  # not yet reaped: its pid is still its own
        with self._lock:
            code: int = self._process.wait()
        self._socket.close()
        if self._process.stderr is not None:
            self._process.stderr.close()
        return 128 - code if code < 0 else code

    def _read(self, pipe: int, deadline: float, most: int) -> tuple[bytearray, Literal["time", "output"] | None]:
        answer = bytearray()  # never copied: it may be large
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while (left_s := deadline - time.monotonic()) > 0 and selector.select(left_s):
                chunk = os.read(pipe, _CHUNK)
                if not chunk:
                    return answer, None
                answer += chunk
                if len(answer) > most:
                    return bytearray(), "output"
        return bytearray(), "time"

    def _last_words(self) -> str:
        assert self._process.stderr is not None
        text = self._process.stderr.read(2000).decode(errors="replace").strip()
        return text.splitlines()[-1] if text else ""


def privileges(pid: int) -> list[str]:
    """What a sandboxed process should not have, by the host's own account of it; [] where all is well."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    status = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    faults = [f"{name} is {status[name][0]}" for name in _NO_CAPABILITY if int(status[name][0], 16) != 0]
    if "0" in status["Uid"] or "0" in status["Gid"]:
        faults.append("it runs as root")
    if status["Seccomp"] != ["2"] or status["NoNewPrivs"] != ["1"]:
        faults.append("the system-call filter is not loaded")
    return faults


def _pages(pid: int) -> tuple[int, int]:
    """Bytes of address space and of memory of a process; 0 where it is gone."""
    try:
        space, resident, *_ = map(int, Path(f"/proc/{pid}/statm").read_text().split())
    except (OSError, ValueError):
        return 0, 0
    return space * os.sysconf("SC_PAGE_SIZE"), resident * os.sysconf("SC_PAGE_SIZE")


def _start_filter() -> bytes:
    try:
        return bpf.start_filter()
    except bpf.UnsupportedMachine as error:
        raise SandboxUnavailable(str(error)) from None


def _filled_pipe(content: bytes) -> int:
    """A descriptor from which `content` (at most 64 KiB, what a pipe holds) can be read."""
    read, write = os.pipe()
    with os.fdopen(write, "wb") as pipe:
        pipe.write(content)
    return read
