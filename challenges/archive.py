"""Members of an uploaded archive (zip, tar or tar.gz) of a challenge folder, safely and without unpacking it to disk.

The archive is read twice: first only names, kinds and sizes, so that everything wrong with it is told at once and
before anything is handed out; then the contents, one member after the other, in bounded memory.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from challenges.archive_kinds import DAMAGED, Archive, Member, Refused, open_archive
from challenges.layout import SPEC_FILE, is_noise
from challenges.problems import FolderError, Problem, shown
from challenges.words import WordRefused, check_path

MB = 1_000_000
_TOLD = 50


@dataclass(frozen=True)
class ArchiveLimits:
    """Largest archive accepted, as expanded. `ratio`: expanded bytes per archive byte, where more than `free` bytes."""

    members: int = 100_000
    member_bytes: int = 20_000 * MB
    total_bytes: int = 50_000 * MB
    ratio: int = 200
    free: int = 100 * MB


DEFAULT_LIMITS = ArchiveLimits()


def members(stream: BinaryIO, limits: ArchiveLimits = DEFAULT_LIMITS) -> Iterator[tuple[str, BinaryIO]]:
    """Path and contents of each file of the archive, in archive order; noise of desktops is left out.

    `stream` is seekable and read from its start. One top folder around everything is taken away. Paths are NFC,
    relative, with forward slashes. Each content is a read-only stream, valid until the next one is asked for.
    Errors: FolderError with every problem (first 50) before anything is handed out; and, for a member whose contents
    are damaged or shorter than declared, while that member is read.
    """
    try:
        archive = open_archive(stream)
        kept, problems = _survey(archive, _allowed(stream, limits), limits)
    except Refused as error:
        problem = Problem(error.code, file="archive", expected=error.limit, found=error.found)
        raise FolderError((problem,)) from error
    except DAMAGED as error:
        raise FolderError((Problem("A-DAMAGED", file="archive", found=shown(str(error))),)) from error
    problems += _clashes([path for path, _ in kept])
    top, missing = _top([path for path, _ in kept])
    if problems or missing:
        raise FolderError((*problems, *missing)[:_TOLD])
    for path, member in kept:
        yield path.removeprefix(top), _content(archive, member, path.removeprefix(top))


def _allowed(stream: BinaryIO, limits: ArchiveLimits) -> int:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    return min(limits.total_bytes, max(limits.free, limits.ratio * size))


def _survey(archive: Archive, allowed: int, limits: ArchiveLimits) -> tuple[list[tuple[str, Member]], list[Problem]]:
    """The files to keep with their NFC paths, and what is wrong with single members.

    Errors: Refused at the first member that makes the whole too big, so that nothing after it is expanded.
    """
    kept: list[tuple[str, Member]] = []
    problems: list[Problem] = []
    total = 0
    for number, member in enumerate(archive.members(), start=1):
        total += member.size
        _stop(number, member, total, allowed, limits)
        if member.kind == "folder" or is_noise(member.name):
            continue
        path = unicodedata.normalize("NFC", member.name)
        wrong = _wrong(path, member)
        problems += wrong
        if not wrong:
            kept.append((path, member))
    return kept, problems


def _stop(number: int, member: Member, total: int, allowed: int, limits: ArchiveLimits) -> None:
    if number > limits.members:
        raise Refused("A-MANY", f"{limits.members:,}")
    if member.size > limits.member_bytes:
        raise Refused("A-BIG-FILE", f"{limits.member_bytes:,}", shown(member.name))
    if total > allowed:
        code = "A-BIG" if allowed == limits.total_bytes else "A-BOMB"
        raise Refused(code, f"{allowed:,}")


_PATHS = {"W-PATH": "A-PATH", "W-INVISIBLE": "A-PATH-INVISIBLE", "W-LONG": "A-PATH-LONG"}
_KINDS = {"link": "A-LINK", "special": "A-SPECIAL", "encrypted": "A-ENCRYPTED", "method": "A-METHOD"}


def _wrong(path: str, member: Member) -> list[Problem]:
    if member.kind != "file":
        return [Problem(_KINDS[member.kind], file="archive", found=shown(path))]
    try:
        check_path(path)
    except WordRefused as refused:
        return [Problem(_PATHS[refused.code], file="archive", found=shown(path), expected=refused.found)]
    return []


def _clashes(paths: list[str]) -> list[Problem]:
    """Two members with one path, or a path that is both a file and a folder: which one counts would be a guess."""
    seen: set[str] = set()
    folders = {path[:at] for path in paths for at, character in enumerate(path) if character == "/"}
    problems = []
    for path in paths:
        if path in seen or path in folders:
            problems.append(Problem("A-TWICE", file="archive", found=shown(path)))
        seen.add(path)
    return problems


def _top(paths: list[str]) -> tuple[str, tuple[Problem, ...]]:
    """What stands in front of every path, nothing or one folder; a problem where challenge.toml is in neither."""
    if SPEC_FILE in paths:
        return "", ()
    tops = {path.split("/")[0] for path in paths}
    if len(tops) == 1 and f"{(top := tops.pop())}/{SPEC_FILE}" in paths:
        return f"{top}/", ()
    near = [path for path in paths if path.endswith(f"/{SPEC_FILE}")]
    if near:
        return "", (Problem("A-SPEC-DEEP", file="archive", found=shown(near[0])),)
    return "", (Problem("A-NO-SPEC", file="archive"),)


class _Content(io.RawIOBase):
    """The contents of one member; damage becomes a FolderError that names the member."""

    def __init__(self, archive: Archive, member: Member, path: str) -> None:
        self.archive = archive
        self.member = member
        self.path = path
        self.left = member.size
        self.stream: BinaryIO | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        try:
            if self.stream is None:
                self.stream = self.archive.open(self.member)
            piece = self.stream.read(min(len(view), max(self.left, 1)))
        except DAMAGED as error:
            raise self._damaged(str(error)) from error
        if len(piece) > self.left or (not piece and self.left and len(view)):
            raise self._damaged(f"{self.member.size - self.left:,} / {self.member.size:,}")
        self.left -= len(piece)
        view[: len(piece)] = piece
        return len(piece)

    def _damaged(self, why: str) -> FolderError:
        return FolderError((Problem("A-DAMAGED", file=self.path, found=shown(why)),))


def _content(archive: Archive, member: Member, path: str) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(_Content(archive, member, path), 65_536))
