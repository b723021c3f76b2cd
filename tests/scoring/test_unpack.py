"""Bytes out of archives: by magic, streamed, with caps on size and ratio."""

import io
import random
import tracemalloc
import zipfile
import zlib

import pytest

from scoring.readers.limits import Limits, Unusable
from scoring.readers.unpack import drain, open_plain
from tests.scoring.entries import GOOD, gzipped, index_of, read, told, zipped

SMALL = Limits(expanded_bytes=1_000_000, ratio=50, ratio_from_bytes=100_000)


def plain(data: bytes, limits: Limits = SMALL) -> bytes:
    return open_plain(io.BytesIO(data), limits).read()


def refused(data: bytes, limits: Limits = SMALL) -> tuple[str, dict[str, str | int]]:
    with pytest.raises(Unusable) as caught:
        drain(open_plain(io.BytesIO(data), limits))
    return caught.value.code, caught.value.fields


def test_bytes_come_out_as_they_were() -> None:
    data = random.Random(1).randbytes(300_000)
    for packed in (data, gzipped(data), gzipped(data[:9]) + gzipped(data[9:]), zipped({"a": data})):
        assert plain(packed) == data


def test_stored_member_of_a_zip() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.mkdir("folder")
        archive.writestr("folder/entry.csv", GOOD)
    assert plain(buffer.getvalue()) == GOOD


def test_stream_is_read_from_its_start() -> None:
    stream = io.BytesIO(zipped({"a": GOOD}))
    stream.seek(7)
    assert open_plain(stream, SMALL).read() == GOOD


@pytest.mark.parametrize("pack", [gzipped, lambda data: zipped({"a": data})])
def test_ratio_is_capped_above_a_size_that_honest_files_have(pack) -> None:  # type: ignore[no-untyped-def]
    assert plain(pack(bytes(100_000))) == bytes(100_000)
    assert refused(pack(bytes(900_000))) == ("E-ARCHIVE-BOMB", {"ratio": 50})


def test_size_is_capped_packed_or_not() -> None:
    data = random.Random(2).randbytes(1_000_001)
    for packed in (data, gzipped(data), zipped({"a": data})):
        assert refused(packed) == ("E-SIZE", {"megabytes": 1})


def test_bomb_of_valid_rows_is_told_beside_its_rows() -> None:
    bomb = gzipped(b"id,score\n" + b"a,0.1\n" * 400_000)
    result = read(bomb, index_of(), SMALL)
    assert result.entry is None
    assert {"E-ROWS", "E-ARCHIVE-BOMB"} <= set(result.issues.total)


def test_a_bomb_stops_at_the_cap_in_little_memory() -> None:
    packer, million = zlib.compressobj(1, zlib.DEFLATED, 31), bytes(1_000_000)
    bomb = b"".join(packer.compress(million) for _ in range(300)) + packer.flush()
    limits = Limits(ratio=20)
    read(bomb, limits=limits)
    tracemalloc.start()
    result = read(bomb, limits=limits)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.issues.total == {"E-FIELD-SIZE": 1, "E-ARCHIVE-BOMB": 1}
    assert peak < 20_000_000


def test_zip_whose_directory_lies_about_the_size() -> None:
    raw = bytearray(zipped({"a.csv": GOOD * 100}))
    at = raw.rindex(b"PK\x01\x02")
    raw[at + 24 : at + 28] = (10).to_bytes(4, "little")
    assert refused(bytes(raw)) == ("E-ARCHIVE-DAMAGED", {})


def _with_flag(flag: int, method: int) -> bytes:
    raw = bytearray(zipped({"a.csv": GOOD}))
    local, central = raw.index(b"PK\x03\x04"), raw.rindex(b"PK\x01\x02")
    raw[local + 6] |= flag
    raw[central + 8] |= flag
    raw[local + 8], raw[central + 10] = method, method
    return bytes(raw)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (_with_flag(1, 8), "E-ARCHIVE-ENCRYPTED"),
        (_with_flag(0, 12), "E-ARCHIVE-METHOD"),
        (_with_flag(0, 14), "E-ARCHIVE-METHOD"),
        (_with_flag(0, 9), "E-ARCHIVE-METHOD"),
        (_with_flag(0x20, 8), "E-ARCHIVE-DAMAGED"),
        (b"PK\x03\x04", "E-ARCHIVE-DAMAGED"),
        (b"PK\x07\x08" + bytes(40), "E-ARCHIVE-DAMAGED"),
        (b"\x1f\x8b", "E-ARCHIVE-DAMAGED"),
        (b"\x1f\x8b\x08\x08" + b"name" * 50_000, "E-ARCHIVE-DAMAGED"),
        (b"\xfd7zXZ\x00" + bytes(20), "E-FORMAT"),
        (b"\xd0\xcf\x11\xe0" + bytes(20), "E-FORMAT"),
    ],
)
def test_archives_that_cannot_be_read(data: bytes, code: str) -> None:
    assert refused(data)[0] == code


def test_list_of_files_longer_than_memory_should_hold_is_not_read() -> None:
    end = b"PK\5\6" + bytes(4) + (60_000).to_bytes(2, "little") * 2 + (50_000_000).to_bytes(4, "little") + bytes(6)
    assert refused(b"PK\3\4" + bytes(50_000_000) + end)[0] == "E-ARCHIVE-DAMAGED"


def test_gzip_of_endless_empty_members() -> None:
    assert refused(gzipped(b"") * 100_001)[0] == "E-ARCHIVE-DAMAGED"
    assert plain(gzipped(b"") * 1_000 + gzipped(GOOD)) == GOOD


def test_rows_before_the_damage_are_diagnosed_too() -> None:
    numbers = random.Random(5)
    data = "id,score\n" + "".join(f"x{i},{numbers.random()}\n" for i in range(30_000))
    result = read(gzipped(data.encode())[:-5_000], index_of(ids=[f"x{i}" for i in range(1, 30_000)]))
    assert result.issues.total["E-ARCHIVE-DAMAGED"] == 1
    assert result.issues.total["E-ID-UNKNOWN"] == 1
    assert "E-ID-MISSING" not in result.issues.total


def test_damaged_archives_never_raise() -> None:
    random_bits = random.Random(3)
    for packed in (zipped({"a.csv": GOOD}), gzipped(GOOD)):
        for _ in range(600):
            raw = bytearray(packed)
            for _ in range(random_bits.randint(1, 3)):
                raw[random_bits.randrange(len(raw))] = random_bits.randrange(256)
            result = read(bytes(raw[: random_bits.randint(1, len(raw))]))
            assert result.issues.refused == (result.entry is None)


def test_a_disk_that_fails_is_not_the_participants_fault() -> None:
    class Broken(io.BytesIO):
        def read(self, most: int | None = -1, /) -> bytes:
            if self.tell() > 100:
                raise OSError(5, "Input/output error")
            return super().read(most)

    for data in (GOOD * 5_000, gzipped(random.Random(4).randbytes(300_000))):
        with pytest.raises(OSError, match="Input/output"):
            drain(open_plain(Broken(data), SMALL))


def test_an_honest_constant_entry_is_no_bomb() -> None:
    ids = [f"case_{i:06d}" for i in range(60_000)]
    data = ("id,score\n" + "".join(f"{case},0.5000000000000000\n" for case in ids)).encode()
    result = read(zipped({"a.csv": data}), index_of(ids=ids))
    assert told(result) == []
    assert result.entry is not None
