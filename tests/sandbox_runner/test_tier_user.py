"""The tests of this folder that run sandboxes, once more as an ordinary user, where the suite itself runs as root."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
USER = 12_345
SUITE = (
    "tests/sandbox_runner/test_sandbox.py",
    "tests/sandbox_runner/test_template.py",
    "tests/sandbox_runner/test_local.py::test_the_doctor_finds_a_working_sandbox",
)

pytestmark = pytest.mark.sandbox


def test_the_same_holds_for_an_ordinary_user(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("the suite runs as an ordinary user already")
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, USER, USER)
    command = [*_reachable(home), "setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups"]
    command += [sys.executable, "-B", "-m", "pytest", *SUITE, "-q", "-p", "no:cacheprovider"]
    command += [f"--basetemp={home}/pytest"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home)}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False)
    last = ended.stdout.strip().splitlines()[-1] if ended.stdout.strip() else ended.stderr
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-2000:]
    assert " passed" in last
    assert "failed" not in last


def _reachable(home: Path) -> list[str]:
    """A mount namespace in which another user can reach code and interpreter even under a home of mode 0700."""
    needed = {
        ROOT,
        home,
        Path(sys.prefix),
        Path(sys.base_prefix).resolve(),
        Path(sysconfig.get_path("purelib")),
    }
    closed = {parent for path in needed for parent in path.parents if not parent.stat().st_mode & 0o001}
    bwrap = shutil.which("bwrap")
    assert bwrap is not None
    line = [bwrap, "--dev-bind", "/", "/", "--cap-add", "ALL", "--die-with-parent"]
    for parent in sorted(closed):
        line += ["--tmpfs", str(parent)]
    for path in sorted(needed):
        if any(parent in closed for parent in path.parents):
            for parent in sorted(set(path.parents) - {Path("/")}):
                line += ["--dir", str(parent)] if any(up in closed for up in parent.parents) else []
            line += ["--dev-bind", str(path), str(path)]
    return [*line, "--chdir", str(ROOT), "--"]
