"""The system-call list of the runner's container: what it refuses on paper, and what it does in a real container."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.docker.compose import PROJECT, run_options

REFUSED = {
    *("add_key", "bpf", "clock_settime", "delete_module", "finit_module", "fsmount", "fsopen", "init_module"),
    *("io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm", "iopl", "kexec_file_load", "kexec_load"),
    *("keyctl", "mknod", "mknodat", "move_mount", "open_by_handle_at", "open_tree", "perf_event_open", "pidfd_getfd"),
    *("process_vm_readv", "process_vm_writev", "ptrace", "reboot", "request_key", "settimeofday", "swapon", "syslog"),
    "userfaultfd",
}
SOCKETS = """
import socket
for family in (1, 2, 40):
    try:
        socket.socket(family).close()
        print(family)
    except PermissionError:
        pass
"""
URING = "import ctypes; print(ctypes.CDLL(None, use_errno=True).syscall(425, 8, ctypes.create_string_buffer(120)))"
SANDBOX = ["bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib"]
SANDBOX += ["--symlink", "usr/lib64", "/lib64", "/usr/bin/id", "-u"]


@pytest.fixture(scope="module")
def profile() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(PROJECT.joinpath("sandbox_runner/seccomp.json").read_text())
    return document


def test_what_is_not_named_is_refused(profile: dict[str, Any]) -> None:
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    allowed = {name for rule in profile["syscalls"] if not rule["args"] for name in rule["names"]}
    assert allowed & REFUSED == set()
    assert {rule["action"] for rule in profile["syscalls"]} == {"SCMP_ACT_ALLOW"}


def test_sockets_and_personalities_are_allowed_by_argument_only(profile: dict[str, Any]) -> None:
    bounded = [(rule["names"], rule["args"]) for rule in profile["syscalls"] if rule["args"]]
    assert bounded == [
        (["socket"], [{"index": 0, "value": 40, "op": "SCMP_CMP_NE"}]),
        (["personality"], [{"index": 0, "value": 0, "op": "SCMP_CMP_EQ"}]),
        (["personality"], [{"index": 0, "value": 0xFFFFFFFF, "op": "SCMP_CMP_EQ"}]),
    ]


def contained(image: str, *command: str, service: str = "runner") -> tuple[int, str]:
    """(exit code, stdout) of a command in a container of the image, confined as a service of compose.yaml is."""
    whole = ["docker", "run", *run_options(service), image, *command]
    ended = subprocess.run(whole, cwd=PROJECT, capture_output=True, text=True)
    return ended.returncode, ended.stdout


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_container_under_the_list_builds_a_sandbox_and_gets_neither_vsock_nor_io_uring(image: str) -> None:
    assert contained(image, *SANDBOX) == (0, "10001\n")
    assert contained(image, "python3", "-c", SOCKETS) == (0, "1\n2\n")
    assert contained(image, "python3", "-c", URING) == (0, "-1\n")


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_without_the_list_the_engine_lets_no_sandbox_be_built(image: str) -> None:
    assert contained(image, *SANDBOX, service="web") == (1, "")
