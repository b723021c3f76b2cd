"""Archives: what is handed out, what is refused, and that nothing is handed out before all of it is known."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable

import pytest

from challenges.archive import ArchiveLimits, members
from challenges.problems import FolderError

Files = dict[str, bytes]
GOOD: Files = {"challenge.toml": b"spec = 1", "public/cases.csv": b"id\n" + b"case\n" * 100_000, "empty.txt": b""}


def as_zip(files: Files, method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream


def as_tar(files: Files, mode: str = "w") -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream


def as_tgz(files: Files) -> io.BytesIO:
    return as_tar(files, "w:gz")


KINDS = [as_zip, as_tar, as_tgz]
Make = Callable[[Files], io.BytesIO]


def read(stream: io.BytesIO, limits: ArchiveLimits | None = None) -> Files:
    return {path: content.read() for path, content in members(stream, limits or ArchiveLimits())}


def codes(stream: io.BytesIO, limits: ArchiveLimits | None = None) -> list[str]:
    """Codes of the refusal; and nothing was handed out before it."""
    handed = members(stream, limits or ArchiveLimits())
    try:
        first = next(handed)
    except FolderError as error:
        assert all(problem.text for problem in error.problems)
        return [problem.code for problem in error.problems]
    pytest.fail(f"{first[0]} was handed out")


@pytest.mark.parametrize("pack", KINDS)
def test_contents_come_back_as_they_were(pack: Make) -> None:
    assert read(pack(GOOD)) == GOOD


@pytest.mark.parametrize("pack", KINDS)
@pytest.mark.parametrize("top", ["./", "cytologia/", "./cytologia/", "défi/"])
def test_one_top_folder_is_taken_away(pack: Make, top: str) -> None:
    assert read(pack({top + name: content for name, content in GOOD.items()})) == GOOD


@pytest.mark.parametrize("pack", KINDS)
def test_noise_of_desktops_is_left_out(pack: Make) -> None:
    noise = {
        "__MACOSX/top/._challenge.toml": b"x",
        "top/.DS_Store": b"x",
        "top/public/Thumbs.db": b"x",
        "top/._notes": b"x",
        "top/starter/__pycache__/a.pyc": b"x",
        "top/.git/config": b"x",
    }
    assert read(pack({**noise, **{f"top/{name}": content for name, content in GOOD.items()}})) == GOOD


@pytest.mark.parametrize("pack", KINDS)
def test_names_are_nfc(pack: Make) -> None:
    assert list(read(pack({"challenge.toml": b"", "pages/re\u0301sume\u0301.md": b"x"}))) == [
        "challenge.toml",
        "pages/résumé.md",
    ]


def test_utf8_names_of_a_zip_that_does_not_say_so() -> None:
    stream = as_zip({"challenge.toml": b"", "pages/r.md": b"x"})
    raw = stream.getvalue().replace(b"pages/r.md", "pages/é".encode() + b".m")
    assert list(read(io.BytesIO(raw))) == ["challenge.toml", "pages/é.m"]


@pytest.mark.parametrize("pack", KINDS)
@pytest.mark.parametrize("name", ["../up", "a/../../up", "/etc/passwd", "a\\..\\b", "a//b", "a/./b", "a\nb", "x" * 300])
def test_names_that_leave_the_folder_or_cannot_be_kept(pack: Make, name: str) -> None:
    reason = {"a\nb": "A-PATH-INVISIBLE", "x" * 300: "A-PATH-LONG"}.get(name, "A-PATH")
    assert codes(pack({**GOOD, name: b"x"})) == [reason]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (tarfile.SYMTYPE, "A-LINK"),
        (tarfile.LNKTYPE, "A-LINK"),
        (tarfile.CHRTYPE, "A-SPECIAL"),
        (tarfile.BLKTYPE, "A-SPECIAL"),
        (tarfile.FIFOTYPE, "A-SPECIAL"),
    ],
)
def test_links_and_devices_in_a_tar(kind: bytes, code: str) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("challenge.toml"))
        info = tarfile.TarInfo("public/cases.csv")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    assert codes(stream) == [code]


@pytest.mark.parametrize(("mode", "code"), [(0o120777, "A-LINK"), (0o010644, "A-SPECIAL"), (0o020644, "A-SPECIAL")])
def test_links_and_devices_in_a_zip(mode: int, code: str) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("challenge.toml", "")
        info = zipfile.ZipInfo("public/cases.csv")
        info.external_attr = mode << 16
        archive.writestr(info, "/etc/passwd")
    assert codes(stream) == [code]


def test_a_sparse_file_in_a_tar() -> None:
    info = tarfile.TarInfo("public/cases.csv")
    info.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[483:495] = b"77777777777\0"
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header[:512]):06o}\0 ".encode()
    toml = tarfile.TarInfo("challenge.toml").tobuf(tarfile.GNU_FORMAT)
    assert codes(io.BytesIO(toml + bytes(header) + bytes(1024))) == ["A-BOMB"]


@pytest.mark.parametrize("pack", KINDS)
def test_all_problems_are_told_at_once(pack: Make) -> None:
    assert codes(pack({"a\\b": b"", "../c": b"", "d": b""})) == ["A-PATH", "A-PATH", "A-NO-SPEC"]


@pytest.mark.parametrize("pack", KINDS)
def test_where_the_spec_was_found_is_said(pack: Make) -> None:
    with pytest.raises(FolderError) as refused:
        read(pack({"a/b/challenge.toml": b"", "a/c": b""}))
    assert [(p.code, p.found) for p in refused.value.problems] == [("A-SPEC-DEEP", "a/b/challenge.toml")]
    assert codes(pack({"a/challenge.toml": b"", "b/c": b""})) == ["A-SPEC-DEEP"]
    assert codes(pack({"a/b": b""})) == ["A-NO-SPEC"]
    assert codes(pack({})) in (["A-NO-SPEC"], ["A-KIND"])


@pytest.mark.parametrize("pack", KINDS)
def test_a_name_twice_or_a_file_that_is_also_a_folder(pack: Make) -> None:
    assert codes(pack({**GOOD, "empty.txt/inner": b""})) == ["A-TWICE"]
    assert codes(pack({**GOOD, "pages/\u00e9": b"", "pages/e\u0301": b""})) == ["A-TWICE"]


@pytest.mark.parametrize("pack", KINDS)
def test_limits_on_number_and_size(pack: Make) -> None:
    assert codes(pack(GOOD), ArchiveLimits(members=2)) == ["A-MANY"]
    assert codes(pack(GOOD), ArchiveLimits(member_bytes=1000)) == ["A-BIG-FILE"]
    assert codes(pack(GOOD), ArchiveLimits(total_bytes=1000)) == ["A-BIG"]


@pytest.mark.parametrize("pack", [as_zip, as_tgz])
def test_a_bomb_is_refused_by_its_ratio(pack: Make) -> None:
    bomb = {"challenge.toml": b"", "public/zeros": bytes(5_000_000)}
    assert codes(pack(bomb), ArchiveLimits(free=1_000_000)) == ["A-BOMB"]
    assert read(pack(bomb)) == bomb


def test_a_zip_whose_members_overlap_is_a_bomb() -> None:
    inner = as_zip({"challenge.toml": b"", "a": bytes(1_000_000)}).getvalue()
    with zipfile.ZipFile(io.BytesIO(inner)) as archive:
        infos = archive.infolist()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("challenge.toml", "")
    start = inner.index(b"PK\x01\x02")
    central = [inner[start:][: 46 + len(infos[0].filename)]]
    second = inner[start + len(central[0]) :][: 46 + 1]
    central += [second[:46] + bytes([97 + i]) for i in range(20)]
    table = b"".join(central)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, len(central), len(central), len(table), start, 0)
    assert codes(io.BytesIO(inner[:start] + table + end), ArchiveLimits(free=1_000_000, ratio=200)) == ["A-BOMB"]


@pytest.mark.parametrize("pack", KINDS)
def test_memory_stays_flat_whatever_the_size(pack: Make) -> None:
    stream = pack({"challenge.toml": b"", "public/big": bytes(40_000_000)})
    tracemalloc.start()
    for _, content in members(stream):
        while content.read(65_536):
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000


def test_an_extended_header_as_large_as_memory_is_not_read() -> None:
    raw = gzip.compress(tarfile.TarInfo("x").tobuf(tarfile.USTAR_FORMAT)[:0] + _pax(50_000_000) + bytes(1024))
    tracemalloc.start()
    assert codes(io.BytesIO(raw)) == ["A-HEADERS"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000


def _pax(size: int) -> bytes:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, size
    return info.tobuf(tarfile.USTAR_FORMAT) + bytes(size)


@pytest.mark.parametrize("pack", KINDS)
def test_every_truncation_is_noticed(pack: Make) -> None:
    files = {"challenge.toml": b"spec = 1", "a": bytes(range(256)) * 20, "b": b"x" * 600}
    raw = pack(files).getvalue()
    for end in [*range(1, len(raw) - 11_000, 97), *range(1, min(len(raw), 3000), 61)]:
        try:
            assert read(io.BytesIO(raw[:end])) == files, f"cut at {end}"
        except FolderError as error:
            assert {problem.code for problem in error.problems} <= {"A-DAMAGED", "A-CUT", "A-KIND"}


def test_damaged_contents_are_named() -> None:
    raw = bytearray(as_zip({"challenge.toml": b"", "public/a.csv": b"x" * 1000}, zipfile.ZIP_STORED).getvalue())
    raw[raw.index(b"xxxx")] = ord("y")
    with pytest.raises(FolderError) as refused:
        read(io.BytesIO(bytes(raw)))
    assert [(p.code, p.file) for p in refused.value.problems] == [("A-DAMAGED", "public/a.csv")]


def test_an_encrypted_member_and_an_unusual_compression() -> None:
    raw = bytearray(as_zip({"challenge.toml": b"x"}).getvalue())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    assert codes(io.BytesIO(bytes(raw))) == ["A-ENCRYPTED", "A-NO-SPEC"]
    assert codes(as_zip({"challenge.toml": b"x"}, zipfile.ZIP_LZMA)) == ["A-METHOD", "A-NO-SPEC"]


@pytest.mark.parametrize(
    ("raw", "code", "found"),
    [
        (b"", "A-EMPTY", None),
        (b"spec = 1", "A-KIND", None),
        (b"7z\xbc\xaf\x27\x1c", "A-KIND-NAMED", "7-Zip"),
        (b"BZh91AY", "A-KIND-NAMED", "bzip2"),
        (b"Rar!\x1a\x07", "A-KIND-NAMED", "RAR"),
        (b"\xfd7zXZ\x00", "A-KIND-NAMED", "xz"),
    ],
)
def test_other_kinds_of_file_are_named(raw: bytes, code: str, found: str | None) -> None:
    with pytest.raises(FolderError) as refused:
        read(io.BytesIO(raw))
    assert [(p.code, p.found) for p in refused.value.problems] == [(code, found)]
