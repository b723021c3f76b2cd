"""The archive of a challenge folder: deterministic, streamed, and nothing that does not belong in it."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from app.cli.archive import archive_bytes, archive_size, folder_members
from app.cli.errors import Invalid, Usage


def make(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


FILES = {
    "challenge.toml": b"spec = 1\n",
    "public/cases.csv": b"id\n1\n",
    "public/images/" + "long" * 30 + ".png": bytes(range(256)) * 5,
    "pages/données.fr.md": "é".encode(),
    "reference/empty.csv": b"",
}
LITTER = {".git/config": b"x", "public/.DS_Store": b"x", "__pycache__/a.pyc": b"x", "starter/__pycache__/b.pyc": b"x"}


def test_the_archive_holds_the_files_sorted_and_no_litter(tmp_path: Path) -> None:
    members = folder_members(make(tmp_path, FILES | LITTER))
    raw = b"".join(archive_bytes(members))
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        read = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
        facts = {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode, m.type) for m in archive}
    assert read == FILES
    assert list(read) == sorted(FILES, key=str.encode)
    assert facts == {(0, 0, 0, "", "", 0o644, tarfile.REGTYPE)}


def test_the_same_files_give_the_same_bytes_whatever_their_times_and_order(tmp_path: Path) -> None:
    first = make(tmp_path / "a", FILES)
    second = make(tmp_path / "b", dict(reversed(FILES.items())))
    os.utime(second / "challenge.toml", (1, 1))
    (second / "public/cases.csv").chmod(0o600)
    digests = [hashlib.sha256(b"".join(archive_bytes(folder_members(root)))).hexdigest() for root in (first, second)]
    assert digests[0] == digests[1]


def test_the_length_is_known_before_the_first_byte_is_read(tmp_path: Path) -> None:
    members = folder_members(make(tmp_path, FILES))
    assert archive_size(members) == len(b"".join(archive_bytes(members)))


def test_a_large_file_passes_in_small_pieces(tmp_path: Path) -> None:
    with (tmp_path / "challenge.toml").open("wb") as file:
        file.truncate(50_000_000)
    pieces = [len(piece) for piece in archive_bytes(folder_members(tmp_path))]
    assert max(pieces) == 1 << 20
    assert sum(pieces) == archive_size(folder_members(tmp_path))


def test_links_are_refused_because_they_could_send_files_from_elsewhere(tmp_path: Path) -> None:
    root = make(tmp_path / "folder", FILES)
    secret = tmp_path / "secret"
    secret.write_text("key")
    (root / "public/link").symlink_to(secret)
    with pytest.raises(Invalid) as refused:
        folder_members(root)
    assert (
        refused.value.text
        == f"{root}/public/link is a link or a special file. Put the file itself there, or remove it."
    )


def test_a_file_that_grows_while_it_is_sent_stops_the_archive(tmp_path: Path) -> None:
    members = folder_members(make(tmp_path, FILES))
    (tmp_path / "public/cases.csv").write_bytes(b"id\n1\n2\n")
    with pytest.raises(Invalid) as refused:
        b"".join(archive_bytes(members))
    assert "changed while it was sent" in refused.value.text


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Usage) as refused:
        folder_members(tmp_path / "nowhere")
    assert refused.value.text == f"There is no folder {tmp_path}/nowhere."
