"""Hostile entries through real sandboxes: each gets its coded problem, none ends the sandbox, none is scored."""

import gzip
import io
import random
import shutil
import zipfile
import zlib

import pytest

from sandbox_runner.contract import Finish, Limits
from sandbox_runner.local import run_files
from tests.sandbox_runner.risk import job_files

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed: sandbox tests not run"),
]

LIMITS = Limits(wall_s=60, cpu_s=60, memory_mb=1024, entry_mb=50)
GOOD = job_files()["entry"]
HEAD, _, ROWS = GOOD.partition(b"\n")


def scored(entry: bytes, limits: Limits = LIMITS) -> Finish:
    """The report of a `score` job on this entry."""
    return run_files("score", dict(job_files(entry=entry)), limits=limits)


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def zeros_in_gzip(megabytes: int) -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    return b"".join(squeeze.compress(block) for _ in range(megabytes)) + squeeze.flush()


def with_first(cell: bytes) -> bytes:
    """The good entry with another risk in its first row."""
    first, _, others = ROWS.partition(b"\n")
    return HEAD + b"\n" + first.partition(b",")[0] + b"," + cell + b"\n" + others


HOSTILE = {
    "empty": (b"", "E-EMPTY"),
    "NUL": (with_first(b"0.5\0"), "E-NUL"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "E-ENCODING"),
    "not UTF-8": (with_first(b"\xff\xfe\xfa"), "E-UTF8"),
    "semicolons": (GOOD.replace(b",", b";"), "E-DELIM"),
    "nan": (with_first(b"nan"), "E-NAN"),
    "inf": (with_first(b"-Infinity"), "E-INF"),
    "overflow": (with_first(b"1e999"), "E-INF"),
    "underscore": (with_first(b"0_1"), "E-NUMBER"),
    "full-width digits": (with_first("０.５".encode()), "E-NUMBER"),
    "formula": (with_first(b"=cmd|' /C calc'!A0"), "E-NUMBER"),
    "pickle": (b"\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94.", None),
    "gzip bomb": (zeros_in_gzip(600), None),
    "zip bomb": (zipped(("a.csv", bytes(600 << 20))), None),
    "two files in a zip": (zipped(("a.csv", GOOD), ("b.csv", GOOD)), "E-ARCHIVE"),
    "truncated gzip": (gzip.compress(GOOD)[:-20], None),
    "a zip in a zip": (zipped(("a.zip", zipped(("a.csv", GOOD)))), None),
    "one endless line": (HEAD + b"\np0," + b"9" * 20_000_000, None),
    "one endless quote": (HEAD + b'\np0,"' + b"\n" * 5_000_000, None),
    "a million columns": (b",".join(b"c%d" % i for i in range(1_000_000)) + b"\n", None),
    "two million rows": (HEAD + b"\n" + b"p0,0.5\n" * 2_000_000, None),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_entry_is_refused_with_its_code(name: str) -> None:
    entry, code = HOSTILE[name]
    finish = scored(entry)
    assert (finish.outcome, finish.values, finish.blobs, finish.detail.message) == ("invalid", [], [], None)
    assert code is None or code in finish.detail.total
    assert any(issue.code.startswith("E-") for issue in finish.detail.issues)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../b.csv", "x" * 60_000])
def test_names_in_archives_lead_nowhere(name: str) -> None:
    assert scored(zipped((name, GOOD))).outcome in ("ok", "invalid")


def test_random_bytes_never_end_the_sandbox() -> None:
    chance = random.Random(5)
    for _ in range(12):
        entry = bytearray(GOOD if chance.random() < 0.7 else gzip.compress(GOOD))
        for _ in range(chance.randrange(1, 30)):
            entry[chance.randrange(len(entry))] = chance.randrange(256)
        assert scored(bytes(entry)).outcome in ("ok", "invalid")


def test_more_rows_than_allowed_are_refused_within_the_memory() -> None:
    finish = scored(HEAD + b"\n" + b"".join(b"x%d,0.5\n" % i for i in range(3_000)))
    assert finish.outcome == "invalid"


def test_more_memory_than_allowed_is_theirs_and_said_so() -> None:
    files = dict(job_files(rows=20_000))
    assert run_files("score", files, limits=LIMITS).outcome == "ok"
    # What the challenge itself takes is not counted, and no machine resamples 20,000 cases within one MiB besides.
    finish = run_files("score", files, limits=LIMITS.model_copy(update={"memory_mb": 1}))
    assert (finish.outcome, finish.detail.message) == (
        "memory",
        "It needed more than 1 MiB of memory, which is all this phase allows.",
    )


def test_a_good_entry_is_scored_after_all_that() -> None:
    finish = scored(GOOD)
    assert (finish.outcome, finish.detail.issues) == ("ok", [])
