"""Pushing a large challenge folder: the memory of the web process, and the time beside a bare copy and digest."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests import scenario
from tests.bench import risks
from tests.bench.report import Report, Row, turns
from tests.bench.server import organiser, serving
from tests.scenario import Person

FILES = 8
PIECE = 1 << 20
NOISE = random.Random(1).randbytes(PIECE)
BLOCK = 512


def run(*, smoke: bool) -> list[Report]:
    """An archive of 400 MiB, of eight files that cannot be compressed; made while it is sent, never in memory."""
    pieces, rounds = (2, 1) if smoke else (50, 5)
    size = FILES * pieces
    with serving(role="web") as instance, tempfile.TemporaryDirectory(prefix="arbitre-bench-") as folder:
        chief, pid, path = organiser(instance), instance.web_pid(), Path(folder, "archive.tar")
        push(chief, _folder("warm"), pieces=0)  # what is loaded once is not counted
        before, slugs = _resident(pid), [f"large-{turn}" for turn in range(rounds)]
        with path.open("wb") as file:
            file.writelines(archive(_folder("bare"), pieces=pieces))
        _forget_peak(pid)
        waiting = iter(slugs)
        ways = {"push": lambda: push(chief, _folder(next(waiting)), pieces=pieces), "copy, digest": lambda: _bare(path)}
        medians = turns(ways, rounds=rounds)
        peak = _peak(pid)
        digests = {row["path"]: row["sha256"] for row in chief.get(f"/challenges/{slugs[-1]}/files")}
    rows = [Row(way, each, f"{size / each:,.0f} MiB/s") for way, each in medians.items()]
    note = f"web process: {before:.0f} MiB before, {peak:.0f} MiB at most while {rounds} archives came in one by one"
    results = {"digests": digests, "expected": _digests(slugs[-1], pieces), "grown": peak - before, "size": size}
    return [Report(f"Pushing a folder of {size} MiB; medians of {rounds}", rows, [note], results)]


def push(who: Person, files: dict[str, bytes], *, pieces: int) -> None:
    """Send the archive as it is made."""
    scenario.said(who.http.post("/challenges", content=archive(files, pieces=pieces), timeout=600))


def archive(files: dict[str, bytes], *, pieces: int) -> Iterator[bytes]:
    """A tar of these files and of `FILES` more of that many MiB under public/, piece by piece."""
    for path, content in files.items():
        yield _header(path, len(content)) + content + bytes(-len(content) % BLOCK)
    for number in range(FILES if pieces else 0):
        yield _header(_path(number), pieces * PIECE)
        yield from _noise(files["challenge.toml"], number, pieces)
    yield bytes(2 * BLOCK)


def _header(path: str, size: int) -> bytes:
    member = tarfile.TarInfo(path)
    member.size = size
    return member.tobuf()


def _path(number: int) -> str:
    return f"public/images-{number}.bin"


def _noise(salt: bytes, number: int, pieces: int) -> Iterator[bytes]:
    """The bytes of one file; each file of each folder has others, so that nothing is kept only once."""
    for piece in range(pieces):
        mark = hashlib.sha256(salt + f"{number}/{piece}".encode()).digest()
        yield mark + NOISE[len(mark) :]


def _digests(slug: str, pieces: int) -> dict[str, str]:
    """What the server must say of the large files of this folder."""
    salt = _folder(slug)["challenge.toml"]
    return {
        _path(number): hashlib.sha256(b"".join(_noise(salt, number, pieces))).hexdigest() for number in range(FILES)
    }


def _folder(slug: str) -> dict[str, bytes]:
    return risks.folder(risks.cases(60), slug=slug, layout=risks.LIKE_PEERS)


def _bare(path: Path) -> None:
    """What any way of keeping the archive does at least: copy it durably, and read it for its digest."""
    copy = path.with_suffix(".copy")
    shutil.copyfile(path, copy)
    with copy.open("rb") as file:
        os.fsync(file.fileno())
        hashlib.file_digest(file, "sha256")
    copy.unlink()


def _status(pid: int, name: str) -> float:
    """MiB of a line in /proc/PID/status."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def _resident(pid: int) -> float:
    return _status(pid, "VmRSS")


def _peak(pid: int) -> float:
    return _status(pid, "VmHWM")


def _forget_peak(pid: int) -> None:
    """From now on the peak is counted anew (proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
