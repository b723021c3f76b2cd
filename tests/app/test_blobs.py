"""The blob stores."""

import errno
import hashlib
from pathlib import Path

import pytest

from app.errors import DiskFull
from app.files.blobs import Blobs
from app.http.body import WithRoom


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs", tmp_path / "secret", keep_free=0)


def test_bytes_are_found_under_their_digest(blobs: Blobs) -> None:
    stored = blobs.write("entries", [b"id,risk\n", b"1,0.5\n"])
    assert stored.sha256 == hashlib.sha256(b"id,risk\n1,0.5\n").hexdigest()
    assert stored.size == 14
    assert blobs.read("entries", stored.sha256) == b"id,risk\n1,0.5\n"


def test_secret_stores_have_a_root_of_their_own_that_only_the_owner_enters(blobs: Blobs) -> None:
    stored = blobs.write("reference", [b"answers"])
    path = blobs.path("reference", stored.sha256)
    assert blobs.secret_root in path.parents
    assert blobs.secret_root.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_failed_write_leaves_nothing(blobs: Blobs) -> None:
    def chunks() -> "list[bytes]":
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        blobs.write("entries", (chunk for _ in [0] for chunk in chunks()))
    assert [path for path in blobs.public_root.rglob("*") if path.is_file()] == []


def test_too_little_room_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    full = Blobs(tmp_path / "blobs", tmp_path / "secret", keep_free=2**62)
    with pytest.raises(DiskFull):
        full.begin("entries")


def test_the_reserve_is_kept_while_a_large_body_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    partial = Blobs(tmp_path / "blobs", tmp_path / "secret", keep_free=10**6).begin("entries")
    partial.write(b"x" * 100)
    monkeypatch.setattr(partial, "_keep_free", 2**62)
    with pytest.raises(DiskFull):
        partial.write(b"x" * 100)
    assert not partial.path.exists()
    with (tmp_path / "archive").open("wb") as file, pytest.raises(DiskFull):
        WithRoom(file, tmp_path, 2**62).write(b"x")
    assert (tmp_path / "archive").read_bytes() == b""


def test_a_disk_that_fills_up_while_writing(blobs: Blobs) -> None:
    partial = blobs.begin("entries")
    partial._file.close()
    # /dev/full refuses every write with ENOSPC, as a full disk does.
    partial._file = open("/dev/full", "wb", buffering=0)  # type: ignore[assignment]  # noqa: SIM115, PTH123
    with pytest.raises(DiskFull) as caught:
        partial.write(b"x" * 100)
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOSPC
    assert not partial.path.exists()
