"""Can this machine score? One real sandbox does one real job; where it cannot, the cause and the one fix are named."""

import json
import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

from sandbox_runner import bubblewrap
from sandbox_runner.bubblewrap import Layout, SandboxUnavailable
from sandbox_runner.contract import Finish, Limits
from sandbox_runner.local import run_files
from scoring.spec import (
    CasesSpec,
    ColumnSpec,
    MetricUse,
    RankingSpec,
    ResampleSpec,
    ScoringSpec,
    SplitSpec,
    TableSpec,
    to_json,
)

PROFILE = Path(__file__).with_name("seccomp.json")
APPARMOR = """\
abi <abi/4.0>,
include <tunables/global>
profile bwrap /usr/bin/bwrap flags=(unconfined) {
  userns,
  include if exists <local/bwrap>
}
"""
_SPEC = ScoringSpec(
    tables=(TableSpec("answers", "answers.csv", "id", ("id",), (ColumnSpec("answer", "label", labels=("a", "b")),)),),
    cases=CasesSpec("id"),
    metrics=(MetricUse("accuracy", "accuracy", "answers", {"label": "answer", "prediction": "answer"}),),
    splits=(SplitSpec("all_cases", "live", share=1.0),),
    ranking=RankingSpec("accuracy", "accuracy", "higher"),
    resample=ResampleSpec(replicates=10),
)
_CASES = b"id\n1\n2\n3\n4\n"
_JOB: dict[str, Path | bytes] = {
    "spec": json.dumps(to_json(_SPEC)).encode(),
    "cases": _CASES,
    "attributes": _CASES,
    "plan": b'{"seed": 1}',
    "reference/answers": b"id,answer\n1,a\n2,b\n3,a\n4,b\n",
    "entry": b"id,answer\n1,a\n2,b\n3,a\n4,a\n",
}


@dataclass(frozen=True)
class Diagnosis:
    """`problem` and `fix`: a sentence each, None where all is well."""

    works: bool
    tier: str
    machine: str
    problem: str | None = None
    fix: str | None = None


def examine() -> Diagnosis:
    """Score four cases in a sandbox. Takes about a second."""
    tier, machine = bubblewrap.tier(), platform.machine()
    try:
        closed = _closed_to_others(bubblewrap.layout()) if tier == "root" else None
    except SandboxUnavailable as error:
        return Diagnosis(False, tier, machine, str(error), "Do that, then try again: arbitre-runner doctor")
    if closed:
        fix = f"Let other users read it: chmod -R o+rX {closed}"
        return Diagnosis(False, tier, machine, f"The sandbox's user may not read {closed}.", fix)
    finish = run_files("score", _JOB, limits=Limits(wall_s=60, cpu_s=30, memory_mb=2048))
    if finish.outcome == "ok" and finish.values[0].value == 0.75:
        return Diagnosis(True, tier, machine)
    problem = _told(finish)
    return Diagnosis(False, tier, machine, f"The sandbox does not work: {problem}", _fix(problem))


def _told(finish: Finish) -> str:
    if finish.outcome == "ok":
        return f"it scored 4 cases as {finish.values[0].value} and not as 0.75."
    return finish.detail.message or finish.outcome


def _fix(problem: str) -> str:
    """What to do about what bubblewrap said, by what this machine is."""
    if "Install it as root" in problem or "Run the runner on" in problem or "Start the runner as" in problem:
        return "Do that, then try again: arbitre-runner doctor"
    if _in_container():
        paths = ", --security-opt systempaths=unconfined" if re.search(r"mount proc", problem) else ""
        user = " as an ordinary user (--user 10001) and" if bubblewrap.tier() == "root" else ""
        return (
            f"Start the runner's container{user} with --security-opt seccomp={PROFILE}, "
            f"--security-opt apparmor=unconfined{paths}."
        )
    if _setting("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return (
            "AppArmor forbids user namespaces to bubblewrap. As root, write this to /etc/apparmor.d/bwrap and run "
            f"apparmor_parser -r /etc/apparmor.d/bwrap:\n{APPARMOR}"
        )
    if _setting("kernel/unprivileged_userns_clone") == "0":
        return "This kernel forbids user namespaces. As root, run: sysctl -w kernel.unprivileged_userns_clone=1"
    if _setting("user/max_user_namespaces") == "0":
        return "This kernel forbids user namespaces. As root, run: sysctl -w user.max_user_namespaces=10000"
    return "Send that sentence with the output of `bwrap --version` and `uname -a` to the maintainers."


def _in_container() -> bool:
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists() or "container" in os.environ:
        return True
    control = Path("/proc/1/cgroup")
    return control.exists() and re.search(r"docker|kubepods|containerd|lxc", control.read_text()) is not None


def _setting(name: str) -> str:
    path = Path("/proc/sys", name)
    return path.read_text().strip() if path.exists() else ""


def _closed_to_others(layout: Layout) -> Path | None:
    """What another user, as which a sandbox runs, could not read if it stood before it; parents do not matter."""
    for path, _ in layout.binds:
        wanted = 0o5 if path.is_dir() else 0o4
        first = path / "__init__.py"
        if path.stat().st_mode & wanted != wanted or (first.exists() and not first.stat().st_mode & 0o4):
            return path
    return None
