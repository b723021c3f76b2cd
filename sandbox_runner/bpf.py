"""Assembles the system-call filters (classic BPF for seccomp). Standard library only: the child imports it too.

All are allow-lists. A call that is not on the list does not exist (ENOSYS); a call in a foreign ABI (32-bit, x32)
kills the process. bubblewrap loads `start_filter`, under which the loader, setpriv, Python and numpy come up: from
there on no socket can be made and no thread started. The template loads `template_filter` before it reads the files of
a challenge: it can take a request, fork itself and wait. Each fork loads `run_filter` before it reads a hostile byte:
what is left is memory, reading files, writing to what is open, clocks and leaving.

Absent from all: socket and socketpair of any family (vsock too), clone but for a plain fork, unshare, setns, mount,
ptrace, bpf, perf, userfaultfd, io_uring, keyrings, flock, memfd, kill. From the second on besides: execve, set*id,
fcntl (locks), ioctl. From the third besides: clone of any kind, prctl, seccomp, prlimit, wait, sendto, recvmsg.

Only x86_64 and aarch64 are written down; other machines refuse.
"""

import ctypes
import os
import struct

_ENOSYS = 38
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | _ENOSYS, 0x80000000
_LOAD, _AND, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_NR, _ARCH, _ARG0, _ARG2 = 0, 4, 16, 32  # offsets in struct seccomp_data; arguments have 8 bytes, low word first
_X32_BIT = 0x40000000
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC  # the same bits on both machines
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2

_FORK = 17  # SIGCHLD and nothing shared; what is masked only tells parent and child their ids
_TOLD_IDS = 0x00100000 | 0x00200000 | 0x01000000

Table = dict[str, tuple[int | None, int | None]]

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_COLUMN = {"x86_64": 0, "aarch64": 1}

# name: (x86_64, aarch64); None where a machine has no such call
RUN: Table = {
    # memory
    "mmap": (9, 222), "munmap": (11, 215), "mprotect": (10, 226), "mremap": (25, 216), "madvise": (28, 233),
    "brk": (12, 214),
    # files, read only (`openat` is checked for its flags), and pipes already open
    "openat": (257, 56), "close": (3, 57), "read": (0, 63), "readv": (19, 65), "pread64": (17, 67), "lseek": (8, 62),
    "write": (1, 64), "writev": (20, 66), "fstat": (5, 80), "newfstatat": (262, 79), "statx": (332, 291),
    "getdents64": (217, 61), "readlink": (89, None), "readlinkat": (267, 78),
    # signals to oneself, clocks, chance, waiting for a lock of one's own
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "sigaltstack": (131, 132),
    "futex": (202, 98), "restart_syscall": (219, 128), "sched_yield": (24, 124), "sched_getaffinity": (204, 123),
    "clock_gettime": (228, 113), "clock_getres": (229, 114), "gettimeofday": (96, 169), "getrandom": (318, 278),
    "getpid": (39, 172), "gettid": (186, 178), "getrusage": (98, 165), "sysinfo": (99, 179),
    "uname": (63, 160),
    # leaving
    "exit": (60, 93), "exit_group": (231, 94),
}  # fmt: skip
TEMPLATE: Table = RUN | {
    # a request with its files, a fork of itself (`clone` is checked for its flags), its end
    "recvmsg": (47, 212), "sendto": (44, 206), "clone": (56, 220), "wait4": (61, 260),
    # the fork's limits and filter
    "prctl": (157, 167), "seccomp": (317, 277), "prlimit64": (302, 261), "getrlimit": (97, 163),
    "setrlimit": (160, 164), "set_robust_list": (273, 99), "rseq": (334, 293),
}  # fmt: skip
START: Table = TEMPLATE | {
    # setpriv and Python replace bubblewrap's process; its init waits for them
    "execve": (59, 221), "waitid": (247, 95),
    "setresuid": (117, 147), "setresgid": (119, 149), "setreuid": (113, 145), "setregid": (114, 143),
    "setgroups": (116, 159), "capget": (125, 90), "capset": (126, 91),
    "getuid": (102, 174), "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177), "getppid": (110, 173),
    "getresuid": (118, 148), "getresgid": (120, 150), "getgroups": (115, 158),
    # loader and interpreter
    "arch_prctl": (158, None), "set_tid_address": (218, 96),
    "access": (21, None), "faccessat": (269, 48), "faccessat2": (439, 439), "getcwd": (79, 17), "stat": (4, None),
    "lstat": (6, None), "statfs": (137, 43), "fstatfs": (138, 44),
    "ioctl": (16, 29), "fcntl": (72, 25), "dup": (32, 23), "dup2": (33, None), "dup3": (292, 24), "poll": (7, None),
    "ppoll": (271, 73),
    # the socket pair it was started with
    "sendmsg": (46, 211), "recvfrom": (45, 207), "getsockname": (51, 204),
    "getsockopt": (55, 209),
}  # fmt: skip


class UnsupportedMachine(RuntimeError):
    """The filters are not written down for this processor."""


def start_filter(machine: str | None = None) -> bytes:
    """The filter bubblewrap loads (`--seccomp`): enough to start Python, not to start anything else."""
    return _assemble(START, machine or os.uname().machine, opens_read_only=False)


def template_filter(machine: str | None = None) -> bytes:
    """The filter of the process that holds a challenge's files: it reads, forks itself and waits."""
    return _assemble(TEMPLATE, machine or os.uname().machine, opens_read_only=True)


def run_filter(machine: str | None = None) -> bytes:
    """The filter of the fork that meets an entry: enough to read files that are open, compute, write the answer."""
    return _assemble(RUN, machine or os.uname().machine, opens_read_only=True)


def confine(program: bytes) -> None:
    """Load `program` for this (single-threaded) process, for good. Raises OSError where the kernel refuses it."""

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))

    libc = ctypes.CDLL(None, use_errno=True)
    loaded = Program(len(program) // 8, program)
    # prctl is variadic and takes longs: an int would leave the upper half of the register undefined
    no_new_privs = libc.prctl(*map(ctypes.c_ulong, (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)))
    arguments = map(ctypes.c_ulong, (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(loaded), 0, 0))
    if no_new_privs or libc.prctl(*arguments):
        raise OSError(ctypes.get_errno(), "the kernel refused a system-call filter")


def _assemble(allowed: Table, machine: str, *, opens_read_only: bool) -> bytes:
    """Instructions of 8 bytes: code, jump if true, jump if false, constant. Jumps count instructions to skip."""
    if machine not in AUDIT_ARCH:
        raise UnsupportedMachine(
            f"This machine is {machine or 'unknown'}: the sandbox's system-call filters exist for "
            f"{' and '.join(AUDIT_ARCH)} only. Run the runner on one of these."
        )
    numbers = {name: row[_COLUMN[machine]] for name, row in allowed.items()}
    code = [(_LOAD, 0, 0, _ARCH), (_IF_EQUAL, 1, 0, AUDIT_ARCH[machine]), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, _NR)]
    if machine == "x86_64":
        code += [(_IF_AT_LEAST, 0, 1, _X32_BIT), (_RETURN, 0, 0, _KILL)]
    if opens_read_only:
        code += _where(numbers.pop("openat"), argument=_ARG2, mask=_WRITES, is_=0)
    if "clone" in numbers:
        code += _where(numbers.pop("clone"), argument=_ARG0, mask=0xFFFFFFFF & ~_TOLD_IDS, is_=_FORK)
    plain = sorted({number for number in numbers.values() if number is not None})
    code += [(_IF_EQUAL, len(plain) - i, 0, number) for i, number in enumerate(plain)]
    code += [(_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in code)


def _where(number: int | None, *, argument: int, mask: int, is_: int) -> list[tuple[int, int, int, int]]:
    """Allow this call where the low word of an argument, masked, is a value; refuse it else; go on for other calls."""
    assert number is not None
    code = [(_IF_EQUAL, 0, 5, number), (_LOAD, 0, 0, argument), (_AND, 0, 0, mask), (_IF_EQUAL, 0, 1, is_)]
    return [*code, (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
