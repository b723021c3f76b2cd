"""One upload of several tables: archives told by their first bytes, each table's file found, everything else told."""

import gzip
import io
import random
import tarfile
import tracemalloc
import zipfile
from collections.abc import Mapping

import pytest

from scoring.issues import IssueLog
from scoring.messages import explain
from scoring.read import Limits, read_upload, split_entry
from tests.scoring.entries import GOOD, boxes, gzipped, index_of, one, read, told, zipped

SCORES, BOXES = one(), boxes(key=("image",))
INDEX = index_of(SCORES, BOXES)
FILES = {"predictions.csv": GOOD, "boxes.csv": b"image,x,kind\na,1,LY\n"}
SMALL = Limits(expanded_bytes=1_000_000, ratio=50, ratio_from_bytes=100_000)


def tarred(files: Mapping[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def special(kind: bytes) -> bytes:
    """A tar whose predictions.csv is no ordinary file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("predictions.csv")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
        archive.addfile(replaced("boxes.csv", len(FILES["boxes.csv"])), io.BytesIO(FILES["boxes.csv"]))
    return buffer.getvalue()


def replaced(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    return member


def split(raw: bytes, limits: Limits = SMALL) -> tuple[dict[str, bytes], IssueLog]:
    log = IssueLog()
    streams = split_entry(io.BytesIO(raw), INDEX.tables, limits, log)
    return {name: stream.read() for name, stream in streams.items()}, log


FORMS = {
    "zip": zipped(FILES),
    "zip with folders and litter": zipped(
        {"sub/predictions.csv": GOOD, "sub/._boxes.csv": b"x", "__MACOSX/boxes.csv": b"y",
         "other/boxes.csv": FILES["boxes.csv"]}
    ),
    "tar": tarred(FILES),
    "GNU tar": tarred({f"{'long/' * 40}{name}": data for name, data in FILES.items()}, tarfile.GNU_FORMAT),
    "pax tar": tarred({f"{'é/' * 90}{name}": data for name, data in FILES.items()}),
    "ustar": tarred({f"{'abc/' * 30}{name}": data for name, data in FILES.items()}, tarfile.USTAR_FORMAT),
    "tar.gz": gzipped(tarred(FILES)),
    "tar.gz in members": gzipped(tarred(FILES)[:700]) + gzipped(tarred(FILES)[700:]),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_archive_gives_the_tables(form: str) -> None:
    streams, log = split(FORMS[form])
    assert streams == {"scores": FILES["predictions.csv"], "boxes": FILES["boxes.csv"]}
    assert log.total == {}
    assert read_upload(io.BytesIO(FORMS[form]), index=INDEX).entry is not None


def test_one_table_is_the_upload_itself() -> None:
    stream, log = io.BytesIO(b"anything"), IssueLog()
    assert split_entry(stream, (SCORES,), SMALL, log) == {"scores": stream}
    assert log.total == {}


Told = list[tuple[str, str | None, str | None]]

WRONG: dict[str, tuple[bytes, Told]] = {
    "one is missing": (zipped({"predictions.csv": GOOD, "notes.txt": b"x"}),
                       [("E-FILE-MISSING", "boxes", "boxes.csv"), ("W-FILE-EXTRA", None, "notes.txt")]),
    "nothing inside": (zipped({}), [("E-FILE-MISSING", "boxes", "boxes.csv"),
                                    ("E-FILE-MISSING", "scores", "predictions.csv")]),
    "capitals in a name": (tarred({"Predictions.CSV": GOOD, "boxes.csv": FILES["boxes.csv"]}),
                           [("E-FILE-NAME", "scores", "Predictions.CSV")]),
    "capitals beside the right name": (tarred({"Predictions.csv": b"x", **FILES}),
                                       [("W-FILE-EXTRA", None, "Predictions.csv")]),
    "two files of one table": (zipped({"a/boxes.csv": b"", **FILES}), [("E-FILE-TWICE", "boxes", "boxes.csv")]),
    "the same name twice": (tarred({"./boxes.csv": b"x", **FILES}),
                            [("E-FILE-TWICE", "boxes", "boxes.csv")]),
    "plain CSV": (GOOD, [("E-ARCHIVE-TABLES", None, None)]),
    "CSV in gz": (gzipped(GOOD), [("E-ARCHIVE-TABLES", None, None)]),
    "empty": (b"", [("E-EMPTY", None, None)]),
    "symbolic link": (special(tarfile.SYMTYPE), [("E-ARCHIVE-LINK", "scores", "predictions.csv")]),
    "hard link": (special(tarfile.LNKTYPE), [("E-ARCHIVE-LINK", "scores", "predictions.csv")]),
    "device": (special(tarfile.CHRTYPE), [("E-ARCHIVE-LINK", "scores", "predictions.csv")]),
    "pipe": (special(tarfile.FIFOTYPE), [("E-ARCHIVE-LINK", "scores", "predictions.csv")]),
    "zip in zip": (zipped({"entry.zip": zipped(FILES)}),
                   [("E-FILE-MISSING", "boxes", "boxes.csv"), ("E-FILE-MISSING", "scores", "predictions.csv"),
                    ("W-FILE-EXTRA", None, "entry.zip")]),
    "zip under the name of a table": (zipped({**FILES, "boxes.csv": zipped({"boxes.csv": b"x"})}),
                                      [("E-ARCHIVE-NESTED", "boxes", "boxes.csv")]),
    "gz under the name of a table": (tarred({**FILES, "boxes.csv": gzipped(b"x")}),
                                     [("E-ARCHIVE-NESTED", "boxes", "boxes.csv")]),
    "tar.gz in gz": (gzipped(gzipped(tarred(FILES))), [("E-ARCHIVE-TABLES", None, None)]),
    "workbook": (zipped({"[Content_Types].xml": b"<x/>"}), [("E-WORKBOOK", None, None)]),
    "tar cut in a file": (tarred({"predictions.csv": GOOD * 100})[:1500], [("E-ARCHIVE-DAMAGED", None, None)]),
    "tar cut between files": (tarred(FILES)[:1024], [("E-ARCHIVE-DAMAGED", None, None)]),
    "tar.gz cut": (gzipped(tarred(FILES))[:-9], [("E-ARCHIVE-DAMAGED", None, None)]),
    "tar with a wrong checksum": (tarred(FILES).replace(b"boxes.csv", b"boxes.cs\0"),
                                  [("E-ARCHIVE-DAMAGED", None, None)]),
    "zip cut": (zipped(FILES)[:-30], [("E-ARCHIVE-DAMAGED", None, None)]),
    "zip bomb": (zipped({**FILES, "boxes.csv": bytes(900_000)}), [("E-ARCHIVE-BOMB", None, None)]),
    "tar.gz bomb": (gzipped(tarred({**FILES, "boxes.csv": bytes(900_000)})), [("E-ARCHIVE-BOMB", None, None)]),
    "too large in all": (zipped({**FILES, "boxes.csv": bytes(1_000_000)}), [("E-SIZE", None, None)]),
    "large tar": (tarred({**FILES, "boxes.csv": bytes(1_000_000)}), [("E-SIZE", None, None)]),
    "many files": (zipped(dict.fromkeys(map(str, range(10_001)), b"")), [("E-ARCHIVE-MANY", None, None)]),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_archives_that_are_not_right(name: str) -> None:
    raw, expected = WRONG[name]
    _, log = split(raw)
    assert [(issue.code, issue.table, issue.value) for issue in log.errors + log.warnings] == expected
    for issue in log.errors + log.warnings:
        words = explain(issue.to_json())
        assert "?" not in words.text + words.fix
    assert read_upload(io.BytesIO(raw), index=INDEX, limits=SMALL).issues.refused == log.refused


def test_what_is_missing_names_what_was_found() -> None:
    _, log = split(zipped({"predictions.csv": GOOD, "box.csv": b"x"}))
    assert log.errors[0].fields == {"found": "predictions.csv, box.csv"}
    assert explain(log.errors[0].to_json()).text == (
        "The entry has no file for the table boxes. It has: predictions.csv, box.csv."
    )


def test_files_with_nearly_the_right_name_are_read_for_their_other_faults() -> None:
    raw = zipped({"PREDICTIONS.csv": GOOD + b"zz,1\n", "boxes.csv": FILES["boxes.csv"]})
    assert told(read_upload(io.BytesIO(raw), index=INDEX))[:2] == [
        ("E-ID-UNKNOWN", 6, "id", "zz"),
        ("E-FILE-NAME", None, None, "PREDICTIONS.csv"),
    ]


def test_counts_of_each_table() -> None:
    result = read_upload(io.BytesIO(zipped(FILES)), index=INDEX)
    assert result.counts == {"rows": 5, "missing": 3, "duplicates": 0, "extra_columns": 0}
    assert result.to_json()["counts"] == {
        **result.counts, "rows/scores": 4, "missing/scores": 0, "rows/boxes": 1, "missing/boxes": 3
    }  # fmt: skip
    assert read(GOOD).to_json()["counts"] == {"rows": 4, "missing": 0, "duplicates": 0, "extra_columns": 0}


def test_encrypted_and_strange_members_of_a_zip() -> None:
    for flag, method, code in ((1, 8, "E-ARCHIVE-ENCRYPTED"), (0, 14, "E-ARCHIVE-METHOD")):
        raw = bytearray(zipped(FILES))
        local, central = raw.index(b"PK\3\4"), raw.index(b"PK\1\2")
        raw[local + 6], raw[central + 8] = flag, flag
        raw[local + 8], raw[central + 10] = method, method
        streams, log = split(bytes(raw))
        assert [(issue.code, issue.table) for issue in log.errors] == [(code, "scores")]
        assert list(streams) == ["boxes"]


def test_symbolic_link_in_a_zip() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("predictions.csv")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("boxes.csv", FILES["boxes.csv"])
    assert [issue.code for issue in split(buffer.getvalue())[1].errors] == ["E-ARCHIVE-LINK"]


def test_a_member_without_a_name() -> None:
    raw = bytearray(zipped({"x": GOOD}))
    for magic, at in ((b"PK\3\4", 26), (b"PK\1\2", 28)):
        start = raw.index(magic) + at
        raw[start : start + 4] = b"\0\0\1\0"  # no name, and one byte of extra data
    assert told(read(bytes(raw))) == []
    assert list(split(bytes(raw))[1].total) == ["E-FILE-MISSING", "W-FILE-EXTRA"]


def test_hundred_thousand_members_end_soon_in_little_memory() -> None:
    header = tarred({"x": b""})[:512]
    for raw in (header * 100_000 + bytes(1024), gzip.compress(header * 100_000, 1)):
        tracemalloc.start()
        _, log = split(raw, Limits())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert list(log.total)[-1] == "E-ARCHIVE-MANY"
        assert peak < 20_000_000


def test_a_bomb_among_files_that_nobody_asked_for_is_not_unpacked() -> None:
    raw = zipped({**FILES, "bomb": bytes(100_000_000)})
    tracemalloc.start()
    streams, log = split(raw)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (set(streams), log.total) == ({"scores", "boxes"}, {"W-FILE-EXTRA": 1})
    assert peak < 2_000_000


def test_damage_anywhere_raises_nothing() -> None:
    chance = random.Random(7)
    for packed in (zipped(FILES), tarred(FILES), gzipped(tarred(FILES))):
        for _ in range(300):
            raw = bytearray(packed)
            for _ in range(chance.randint(1, 4)):
                raw[chance.randrange(len(raw))] = chance.randrange(256)
            result = read_upload(io.BytesIO(bytes(raw[: chance.randint(1, len(raw))])), index=INDEX, limits=SMALL)
            assert result.issues.refused == (result.entry is None)
