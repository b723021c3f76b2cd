"""The filters, run instruction by instruction as the kernel would, on both machines."""

import os
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox_runner import bpf

ALLOW, REFUSE, KILL = "allow", "ENOSYS", "kill"
VERDICTS = {0x7FFF0000: ALLOW, 0x00050000 | 38: REFUSE, 0x80000000: KILL}
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
MACHINES = sorted(bpf.AUDIT_ARCH)
FILTERS = {bpf.start_filter: bpf.START, bpf.template_filter: bpf.TEMPLATE, bpf.run_filter: bpf.RUN}
SIGCHLD = 17


def verdict(program: bytes, *, arch: int, number: int, first: int = 0, flags: int = 0) -> str:
    """What the kernel would say to a call with this number, first and third argument."""
    data = struct.pack("<IIQ6Q", number, arch, 0, first, 0, flags, 0, 0, 0)
    code, accumulator, at = list(struct.iter_unpack("<HBBI", program)), 0, 0
    while True:
        operation, yes, no, k = code[at]
        at += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, k)
        elif operation == 0x54:
            accumulator &= k
        elif operation in (0x15, 0x35):
            at += yes if (accumulator == k if operation == 0x15 else accumulator >= k) else no
        else:
            assert operation == 0x06
            return VERDICTS[k]


@pytest.mark.parametrize("machine", MACHINES)
def test_every_number_is_allowed_exactly_where_it_is_listed(machine: str) -> None:
    column = {"x86_64": 0, "aarch64": 1}[machine]
    for make, table in FILTERS.items():
        program, arch = make(machine), bpf.AUDIT_ARCH[machine]
        listed = {row[column] for row in table.values()} - {None}
        found = {number for number in range(600) if verdict(program, arch=arch, number=number, first=SIGCHLD) == ALLOW}
        assert found == listed


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("make", FILTERS)
def test_foreign_abis_are_killed(machine: str, make: type) -> None:
    program = make(machine)
    other = {"x86_64": 0x40000003, "aarch64": 0x40000028}[machine]  # i386, arm
    assert verdict(program, arch=other, number=1) == KILL
    x32 = verdict(program, arch=bpf.AUDIT_ARCH[machine], number=0x40000000 | 1)
    assert x32 == {"x86_64": KILL, "aarch64": REFUSE}[machine]


@pytest.mark.parametrize("machine", MACHINES)
def test_nothing_but_a_plain_fork_is_started(machine: str) -> None:
    arch, clone = bpf.AUDIT_ARCH[machine], {"x86_64": 56, "aarch64": 220}[machine]
    forks = [SIGCHLD, 0x01200000 | SIGCHLD]
    others = [0, 0x100 | SIGCHLD, 0x10000000 | SIGCHLD, 0x3D0F00, 0x4000 | SIGCHLD, 0x8000 | SIGCHLD, 9]
    for make, wanted in ((bpf.start_filter, ALLOW), (bpf.template_filter, ALLOW), (bpf.run_filter, REFUSE)):
        found = [verdict(make(machine), arch=arch, number=clone, first=flags) for flags in forks + others]
        assert found == [wanted] * len(forks) + [REFUSE] * len(others)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("make", [bpf.template_filter, bpf.run_filter])
def test_files_are_opened_for_reading_only(machine: str, make: Callable[[str], bytes]) -> None:
    program, arch = make(machine), bpf.AUDIT_ARCH[machine]
    openat = {"x86_64": 257, "aarch64": 56}[machine]
    reading = [os.O_RDONLY, os.O_RDONLY | os.O_CLOEXEC, os.O_RDONLY | os.O_DIRECTORY]
    writing = [os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, os.O_TMPFILE | 2]
    assert [verdict(program, arch=arch, number=openat, flags=flags) for flags in reading] == [ALLOW] * 3
    assert [verdict(program, arch=arch, number=openat, flags=flags) for flags in writing] == [REFUSE] * 6


@pytest.mark.parametrize("machine", MACHINES)
def test_numbers_are_those_of_the_kernel_headers(machine: str) -> None:
    if not HEADERS[machine].exists():
        pytest.skip(f"kernel headers are not installed: numbers of {machine} not compared")
    text = HEADERS[machine].read_text()
    numbers = {name: int(value) for name, value in re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)", text)}
    renamed = {"newfstatat": "fstatat"} if machine == "aarch64" else {}
    column = {"x86_64": 0, "aarch64": 1}[machine]
    for name, row in bpf.START.items():
        assert (name, row[column]) == (name, numbers.get(renamed.get(name, name)))


def test_other_machines_refuse() -> None:
    with pytest.raises(bpf.UnsupportedMachine) as refused:
        bpf.run_filter("riscv64")
    assert str(refused.value) == (
        "This machine is riscv64: the sandbox's system-call filters exist for x86_64 and aarch64 only. "
        "Run the runner on one of these."
    )
