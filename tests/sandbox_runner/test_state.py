"""What a runner keeps on its disk: keys, who it is, and blobs by digest."""

import base64
import hashlib
import os
import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from sandbox_runner import keys
from sandbox_runner.cache import Cache
from sandbox_runner.client import pause_s
from sandbox_runner.contract import Input
from sandbox_runner.keys import Identity, StateRefused


def item(role: str, content: bytes) -> Input:
    return Input(role=role, sha256=hashlib.sha256(content).hexdigest(), size=len(content), url="/")


class Source:
    """Fetches one content, and counts."""

    def __init__(self, content: bytes) -> None:
        self.content, self.fetched = content, 0

    def __call__(self, into: BinaryIO) -> None:
        self.fetched += 1
        into.write(self.content)
        into.flush()


def read(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def test_shared_inputs_are_fetched_once_and_verified_each_time(tmp_path: Path) -> None:
    cache, source = Cache(tmp_path / "cache"), Source(b"label")
    kept = tmp_path / "cache" / item("reference/a", b"label").sha256
    for _ in range(3):
        assert read(cache.open(item("reference/a", b"label"), source)) == b"label"
    assert (source.fetched, kept.stat().st_mode & 0o777, (tmp_path / "cache").stat().st_mode & 0o777) == (
        1,
        0o600,
        0o700,
    )
    kept.write_bytes(b"label?")
    assert read(cache.open(item("reference/a", b"label"), source)) == b"label"
    assert source.fetched == 2


def test_entries_leave_no_trace(tmp_path: Path) -> None:
    cache, source = Cache(tmp_path), Source(b"theirs")
    descriptor = cache.open(item("entry", b"theirs"), source)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.write(descriptor, b"x")
    assert read(descriptor) == b"theirs"
    assert read(cache.open(item("entry/boxes", b"theirs"), source)) == b"theirs"
    assert (source.fetched, list(tmp_path.iterdir())) == (2, [])


def test_a_link_in_the_cache_is_not_followed(tmp_path: Path) -> None:
    wanted = item("spec", b"x")
    (tmp_path / "secret").write_bytes(b"x")
    cache = Cache(tmp_path / "cache")
    (tmp_path / "cache" / wanted.sha256).symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="symbolic links"):
        cache.open(wanted, Source(b"x"))


def test_the_longest_unused_goes_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, most_bytes=250)
    contents = [bytes([number]) * 100 for number in range(3)]
    for age, content in zip((30, 20, 10), contents, strict=True):
        os.close(cache.open(item("spec", content), Source(content)))
        at = 1_000_000_000 - age
        os.utime(tmp_path / item("spec", content).sha256, (at, at))
        if age == 20:
            os.close(cache.open(item("spec", contents[0]), Source(contents[0])))  # used again: now the newest
    assert {path.name for path in tmp_path.iterdir()} == {item("spec", contents[number]).sha256 for number in (0, 2)}


def test_an_interrupted_download_is_cleared(tmp_path: Path) -> None:
    (tmp_path / "new-abc").write_bytes(b"half")
    cache = Cache(tmp_path)
    with pytest.raises(RuntimeError):
        cache.open(item("spec", b"x"), _fails)
    assert list(tmp_path.iterdir()) == []


def _fails(into: BinaryIO) -> None:
    into.write(b"ha")
    raise RuntimeError


def test_many_slots_may_want_the_same_blob_at_once(tmp_path: Path) -> None:
    cache, content, found = Cache(tmp_path, most_bytes=1), b"y" * 10_000, []
    work = lambda: found.append(read(cache.open(item("spec", content), Source(content))))  # noqa: E731
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [content] * 8


def test_one_key_pair_that_signs(tmp_path: Path) -> None:
    first, again = keys.private_key(tmp_path), keys.private_key(tmp_path)
    assert keys.public_text(first) == keys.public_text(again)
    assert len(keys.public_text(first)) == 44
    first.public_key().verify(base64.b64decode(keys.sign(again, b"body")), b"body")
    assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [0o600]


def test_who_a_runner_is_survives(tmp_path: Path) -> None:
    assert keys.identity(tmp_path) is None
    for runner in ("one", "two"):
        keys.keep(tmp_path, Identity("http://a", runner, "key"))
        assert keys.identity(tmp_path) == Identity("http://a", runner, "key")
    (tmp_path / "runner.json").write_text("{")
    with pytest.raises(StateRefused, match=r"is damaged\. Delete it and register the runner again"):
        keys.identity(tmp_path)


def test_a_state_folder_open_to_others_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    with pytest.raises(StateRefused) as refused:
        keys.prepare(shared)
    assert str(refused.value) == f"{shared} must belong to the runner's user alone. Run: chmod 700 {shared}"


def test_pauses_grow_to_a_cap_with_jitter() -> None:
    assert [0.125 <= pause_s(0) <= 0.25, 7.5 <= pause_s(50) <= 15.0] == [True, True]
    assert len({pause_s(3) for _ in range(20)}) > 1
