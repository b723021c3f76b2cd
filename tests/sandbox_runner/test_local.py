"""Scoring a folder on this machine: `arbitre-runner score` and `doctor`, as programs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox_runner import bubblewrap, doctor, local
from sandbox_runner.bubblewrap import Layout
from sandbox_runner.contract import Finish, Limits
from tests.sandbox_runner.risk import job_files

pytestmark = pytest.mark.sandbox

ROOT = Path(__file__).resolve().parents[2]
ORDINARY = " as an ordinary user (--user 10001) and" if os.geteuid() == 0 else ""
SPEC = """\
spec = 1
slug = "risks"
zone = "Europe/Paris"
sensitivity = "open"
[title]
fr = "Risques"
en = "Risks"
[entry.tables.risks]
file = "risks.csv"
case = "id"
[entry.tables.risks.columns.risk]
type = "probability"
[cases]
id = "id"
[[metrics]]
id = "auroc"
use = "auroc"
table = "risks"
params = { label = "label", score = "risk", positive = "1" }
[[phases]]
slug = "first"
opens = 2026-11-01T00:00:00Z
closes = 2026-12-01T00:00:00Z
metrics = ["auroc"]
splits = [
  { name = "public", visible = "live", share = 0.5 },
  { name = "private", visible = "after_close", share = 0.5 },
]
ranking = { metric = "auroc" }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A challenge of 60 cases, and a good entry beside it."""
    files, root = job_files(), tmp_path / "risks"
    for path, content in {
        "challenge.toml": SPEC.encode(),
        "public/cases.csv": files["cases"],
        "public/sample_submission.csv": files["entry"],
        "reference/risks.csv": files["reference/risks"],
        "pages/overview.fr.md": b"# Risques\n",
        "pages/overview.en.md": b"# Risks\n",
        "../entry.csv": files["entry"],
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root


def program(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The real program, from the source folder."""
    command = [sys.executable, "-B", "-m", "sandbox_runner.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_scores_a_folder(folder: Path) -> None:
    entry = str(folder.parent / "entry.csv")
    ended = program("score", str(folder), "--entry", entry, "--json")
    document = json.loads(ended.stdout)
    assert (ended.returncode, document["outcome"]) == (0, "ok")
    assert [value["slice"] for value in document["values"]] == ["all", "split:public", "split:private"]
    plain = program("score", str(folder), "--entry", f"risks={entry}", "--phase", "first")
    value = document["values"][0]
    assert plain.stdout.splitlines()[0] == (
        f"auroc.auroc  all  {value['value']:.12g}  {value['low']:.12g} to {value['high']:.12g}"
    )


def test_checks_and_explains_what_is_wrong(folder: Path) -> None:
    bad = folder.parent / "bad.csv"
    bad.write_text((folder.parent / "entry.csv").read_text().replace("0.", "0,"))
    ended = program("score", str(folder), "--entry", str(bad), "--check", "--json")
    document = json.loads(ended.stdout)
    assert (ended.returncode, document["outcome"], document["values"]) == (1, "invalid", [])
    assert document["detail"]["issues"][0]["text"] != ""
    assert "error E-" in ended.stderr


def test_what_is_not_there_is_a_sentence(folder: Path) -> None:
    entry = str(folder.parent / "entry.csv")
    for arguments, code, words in (
        ((str(folder), "--entry", "nowhere.csv"), 2, "No such file or directory: 'nowhere.csv'"),
        ((str(folder), "--entry", entry, "--phase", "second"), 2, "No phase 'second' in risks: there are first."),
        ((str(folder.parent), "--entry", entry), 1, "challenge.toml"),
    ):
        ended = program("score", *arguments)
        assert (ended.returncode, words in ended.stderr, "Traceback" in ended.stderr) == (code, True, False)


def test_the_doctor_finds_a_working_sandbox() -> None:
    ended = program("doctor", "--json")
    found = json.loads(ended.stdout)
    tier = "root" if os.geteuid() == 0 else "user"
    assert (ended.returncode, found["works"], found["tier"], found["problem"]) == (0, True, tier, None)


def test_an_entry_may_not_expand_beyond_its_limit() -> None:
    limits = Limits(entry_mb=1)
    entry = b"id,risk\n" + b"p0,0.5" + b" " * 1_100_000 + b"\n"
    finish = local.run_files("score", dict(job_files(entry=entry)), limits=limits)
    assert (finish.outcome, list(finish.detail.total)) == ("invalid", ["E-SIZE"])


@pytest.mark.parametrize(
    ("machine", "problem", "fix"),
    [
        (
            {"container": True},
            "bwrap: No permissions to create new namespace",
            f"Start the runner's container{ORDINARY} with --security-opt seccomp={doctor.PROFILE}, "
            "--security-opt apparmor=unconfined.",
        ),
        (
            {"container": True},
            "bwrap: Can't mount proc on /newroot/proc: Operation not permitted",
            f"Start the runner's container{ORDINARY} with --security-opt seccomp={doctor.PROFILE}, "
            "--security-opt apparmor=unconfined, --security-opt systempaths=unconfined.",
        ),
        (
            {"kernel/apparmor_restrict_unprivileged_userns": "1"},
            "bwrap: setting up uid map: Permission denied",
            "AppArmor forbids user namespaces to bubblewrap. As root, write this to /etc/apparmor.d/bwrap and run "
            f"apparmor_parser -r /etc/apparmor.d/bwrap:\n{doctor.APPARMOR}",
        ),
        (
            {"kernel/unprivileged_userns_clone": "0"},
            "bwrap: No permissions to create new namespace",
            "This kernel forbids user namespaces. As root, run: sysctl -w kernel.unprivileged_userns_clone=1",
        ),
        (
            {"user/max_user_namespaces": "0"},
            "bwrap: Creating new namespace failed",
            "This kernel forbids user namespaces. As root, run: sysctl -w user.max_user_namespaces=10000",
        ),
        (
            {},
            "The program bwrap is missing. Install it as root: apt-get install -y bubblewrap",
            "Do that, then try again: arbitre-runner doctor",
        ),
    ],
)
def test_the_doctor_names_cause_and_fix(
    monkeypatch: pytest.MonkeyPatch, machine: dict[str, str | bool], problem: str, fix: str
) -> None:
    monkeypatch.setattr(doctor, "_in_container", lambda: bool(machine.get("container")))
    monkeypatch.setattr(doctor, "_setting", lambda name: machine.get(name, ""))
    assert doctor._fix(problem) == fix


def test_the_doctor_tells_what_bubblewrap_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(doctor, "_in_container", lambda: False)
    monkeypatch.setattr(doctor, "_setting", {"kernel/apparmor_restrict_unprivileged_userns": "1"}.get)
    found = doctor.examine()
    assert (found.works, found.problem) == (
        False,
        "The sandbox does not work: bwrap: setting up uid map: Permission denied",
    )
    assert (found.fix or "").endswith(doctor.APPARMOR)


def test_a_layout_closed_to_other_users_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only the root tier reads as another user")
    closed = tmp_path / "scoring"
    closed.mkdir(mode=0o700)
    production = bubblewrap.layout()
    broken = Layout(((closed, "/arbitre/scoring"),), production.links, (), production.interpreter)
    monkeypatch.setattr(bubblewrap, "layout", lambda: broken)
    found = doctor.examine()
    assert (found.works, found.problem, found.fix) == (
        False,
        f"The sandbox's user may not read {closed}.",
        f"Let other users read it: chmod -R o+rX {closed}",
    )


def test_reports_are_the_contract(folder: Path) -> None:
    finish = local.run_files(
        "check", {k: v for k, v in job_files().items() if k in ("spec", "cases", "entry")}, limits=Limits()
    )
    assert Finish.model_validate_json(finish.model_dump_json()) == finish
