"""What peers do: one `docker run` of a Python scorer per submission.

Generous to them: the image holds Python and numpy only (no pandas, no scikit-learn), is there already, and is started
by one command; their own queue, database, second container and upload are not counted.
"""

from __future__ import annotations

import io
import json
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy

from tests.docker import base, engine, image
from tests.docker.engine import docker

NAME = "arbitre-bench-peer"
SCORER = Path(__file__).with_name("peer_scorer.py")


@dataclass(frozen=True)
class Peer:
    """`reason`: why it cannot be run here, else None. `folder`: what the container sees as /data, read-only."""

    reason: str | None
    folder: Path

    def score(self, entry: bytes, *, replicates: int) -> dict[str, float]:
        """Start a container for this entry, and read what it prints."""
        (self.folder / "predictions.csv").write_bytes(entry)
        mounts = ["-v", f"{self.folder}:/data:ro", "-v", f"{SCORER}:/scorer.py:ro"]
        program = ["python3", "/scorer.py", "/data/reference.csv", "/data/predictions.csv", str(replicates)]
        found: dict[str, float] = json.loads(docker("run", "--rm", "--network", "none", *mounts, NAME, *program))
        return found


@contextmanager
def scorer(files: dict[str, bytes]) -> Iterator[Peer]:
    """A scorer of this challenge folder; its image is made, and removed at the end."""
    reason = _missing()
    with tempfile.TemporaryDirectory(prefix="arbitre-bench-") as folder:
        Path(folder, "reference.csv").write_bytes(files["reference/predictions.csv"])
        if reason is None:
            _build()
        try:
            yield Peer(reason, Path(folder))
        finally:
            if reason is None:
                docker("image", "rm", NAME)


def _missing() -> str | None:
    if not engine.answers():
        return "no Docker Engine answers on DOCKER_HOST"
    if sys.version_info[:2] != tuple(int(part) for part in base.PYTHON.split(".")):
        return f"Python in the image is {base.PYTHON}, so the numpy of this one cannot be put into it"
    return base.missing()


def _build() -> None:
    """The base of the other container tests, and in it the very numpy that runs here."""
    lines = [f"FROM {base.import_base(image.CACHE, image.BASE)}", "COPY numpy /usr/lib/python3/dist-packages/"]
    with tempfile.TemporaryFile() as context:
        with tarfile.open(fileobj=context, mode="w") as archive:
            text = "\n".join(lines).encode()
            member = tarfile.TarInfo("Dockerfile")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
            for path in _numpy():
                archive.add(path, f"numpy/{path.name}")
        context.seek(0)
        docker("build", "--network", "none", "-t", NAME, "-", stdin=context)


def _numpy() -> list[Path]:
    package = Path(numpy.__file__).parent
    return [path for path in (package, package.with_name("numpy.libs")) if path.is_dir()]
