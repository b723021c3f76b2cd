"""From an uploaded archive to a checked challenge folder whose files are blobs. Touches no database."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import rfc8785

from app.errors import N_, DiskFull, Invalid
from app.files.blobs import FULL, Blobs, Stored, need_room
from challenges.archive import ArchiveLimits, members
from challenges.canonical import digest
from challenges.folder import ChallengeFolder, open_folder
from challenges.layout import CASES_FILE, store_of
from challenges.problems import FolderError
from challenges.scoring_spec import scoring_digest, scoring_spec
from scoring import spec as scoring

CHUNK = 1 << 20


@dataclass(frozen=True)
class PhaseInputs:
    """What one phase pins: its scoring spec, the digests of that and of cases and answers, and its inputs by role."""

    spec: scoring.ScoringSpec
    scoring_digest: str
    reference_digest: str
    roles: Mapping[str, tuple[str, Stored]]


@dataclass(frozen=True)
class Kept:
    """A checked folder whose files are in the blob stores: path -> (store, digest and size)."""

    folder: ChallengeFolder
    digest: str
    files: Mapping[str, tuple[str, Stored]]
    phases: Mapping[str, PhaseInputs]


@contextmanager
def kept_archive(archive: Path, *, blobs: Blobs, work: Path, limits: ArchiveLimits) -> Iterator[Kept]:
    """Unpack and check an archive, keep its files, and yield them.

    Raises Invalid with every problem found (file, line, key, expected, found); DiskFull when there is no room.
    """
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    root = Path(tempfile.mkdtemp(prefix="folder-", dir=work))
    try:
        _unpack(archive, root, limits, keep_free=blobs.keep_free)
        yield keep_folder(root, blobs=blobs)
    except FolderError as error:
        raise refusal(error) from error
    except OSError as error:
        raise (DiskFull() if error.errno in FULL else error) from error
    finally:
        shutil.rmtree(root, ignore_errors=True)


def keep_folder(root: Path, *, blobs: Blobs) -> Kept:
    """Check a folder on this host and keep its files as blobs. Raises FolderError."""
    folder = open_folder(root)
    files = {path: (store_of(path), _keep(blobs, store_of(path), root / path)) for path in folder.files}
    phases = {phase.slug: _phase_inputs(folder, phase.slug, files, blobs) for phase in folder.spec.phases}
    return Kept(folder, digest(folder), files, phases)


def refusal(error: FolderError) -> Invalid:
    """All problems of a folder as one refusal."""
    problems = [
        {
            "where": ":".join(str(part) for part in (problem.file, problem.line, problem.key) if part),
            "text": problem.text,
            "code": problem.code,
            "expected": problem.expected,
            "found": problem.found,
        }
        for problem in error.problems
    ]
    return Invalid(
        N_("The challenge folder has %(count)s problems; nothing was changed."), problems=problems, count=len(problems)
    )


def _unpack(archive: Path, root: Path, limits: ArchiveLimits, *, keep_free: int) -> None:
    with archive.open("rb") as stream:
        for path, content in members(stream, limits):
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                while piece := content.read(CHUNK):
                    need_room(root, keep_free)
                    file.write(piece)


def _keep(blobs: Blobs, store: str, path: Path) -> Stored:
    with path.open("rb") as stream:
        return blobs.write(store, _chunks(stream))


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


def _phase_inputs(
    folder: ChallengeFolder, slug: str, files: Mapping[str, tuple[str, Stored]], blobs: Blobs
) -> PhaseInputs:
    """Every input of this phase's scoring jobs but the entry and the plan."""
    spec = scoring_spec(folder.spec, slug)
    document = blobs.write("reference", [rfc8785.dumps(scoring.to_json(spec))])
    roles: dict[str, tuple[str, Stored]] = {
        "spec": ("reference", document),
        "cases": files[CASES_FILE],
        "attributes": files[folder.spec.cases.file],
    }
    for name, table in folder.spec.entry.tables.items():
        roles[f"reference/{name}"] = files[f"reference/{table.file}"]
    answers = {role: stored.sha256 for role, (_, stored) in roles.items() if role != "spec"}
    reference = hashlib.sha256(json.dumps(answers, sort_keys=True).encode()).hexdigest()
    return PhaseInputs(spec, scoring_digest(spec), reference, roles)
