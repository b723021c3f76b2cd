"""Running the starter of a challenge as a participant runs it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path


def run_starter(starter: Path, data: Path, out: str) -> bytes:
    """The file named `out` that `starter` writes from the public files in `data`. Errors: CalledProcessError."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / out
        command = [sys.executable, str(starter), "--data", str(data), "--out", str(path)]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 our own starter
        return path.read_bytes()
