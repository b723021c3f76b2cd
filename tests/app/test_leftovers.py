"""What killed processes left is removed a day later; what is being written is not."""

import os
from pathlib import Path

from app.files.blobs import open_blobs
from app.files.leftovers import OLD_S, sweep
from app.settings import Settings

NOW = 1_800_000_000.0


def test_only_old_leftovers_go(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, keep_free=0)
    blobs = open_blobs(settings)
    kept = blobs.write("entries", [b"kept"])
    partials = [blobs.begin(store) for store in ("entries", "entries", "reference")]
    work = tmp_path / "work" / "folder-x"
    (work / "public").mkdir(parents=True)
    old = [partials[0].path, partials[2].path, work, blobs.path("entries", kept.sha256)]
    for path in old:
        os.utime(path, (NOW - OLD_S - 1,) * 2)
    os.utime(partials[1].path, (NOW - 60,) * 2)
    assert sweep(settings, now=NOW) == 3
    assert [path.exists() for path in (*old, partials[1].path)] == [False, False, False, True, True]
    for partial in partials:
        partial.abort()
    assert sweep(Settings(data=tmp_path / "empty"), now=NOW) == 0
