"""The check of whole folders: examples end as they say, or the difference is told."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from challenges.check import Score, Scored, check_folder
from challenges.folder import ChallengeFolder

Make = Callable[..., Path]
EXPECTED = "examples/perfect/expected.toml"


def told(root: Path, score: Score) -> list[tuple[str, str, str | None, str | None]]:
    return [(p.code, p.file, p.expected, p.found) for p in check_folder(root, score=score)]


def test_a_right_folder_has_no_problems(make: Make, score: Score) -> None:
    assert check_folder(make(), score=score) == []


def test_an_output_is_named_with_its_metric(make: Make, score: Score) -> None:
    text = 'outcome = "ok"\n[values]\nauroc = 1.0\n"auroc.auroc" = 1.0\n'
    assert check_folder(make(files={EXPECTED: text}), score=score) == []


def test_a_compressed_entry_is_an_entry(make: Make, score: Score) -> None:
    root = make(files={"examples/perfect/predictions.csv": None})
    plain = b"id,risk\na,0\nb,1\nc,0\nd,1\n"
    (root / "examples/perfect/predictions.csv.gz").write_bytes(gzip.compress(plain, mtime=0))
    assert check_folder(root, score=score) == []


@pytest.mark.parametrize(
    ("text", "told_as"),
    [
        ('outcome = "ok"\n[values]\nauroc = 0.5\n', ("E-VALUE", EXPECTED, "0.5", "1")),
        ('outcome = "ok"\n[values]\nauroc = nan\n', ("E-VALUE", EXPECTED, "nan", "1")),
        ('outcome = "ok"\n[values]\nauc = 1.0\n', ("E-METRIC", EXPECTED, "auroc.auroc", None)),
        ('outcome = "ok"\ncodes = ["W-BOM"]\n', ("E-CODES", EXPECTED, "W-BOM", "none")),
        ('outcome = "invalid"\n', ("E-OUTCOME", EXPECTED, "invalid", "ok")),
        ('outcome = "fine"\n', ("E-EXPECTED", EXPECTED, None, None)),
        ('outcome = "ok"\nvalue = 1\n', ("E-EXPECTED", EXPECTED, None, None)),
        ("outcome", ("E-EXPECTED", EXPECTED, None, None)),
        ('outcome = "ok"\nphase = "first"\n', ("E-EXPECTED", EXPECTED, None, None)),
    ],
)
def test_what_does_not_hold_is_told(
    make: Make, score: Score, text: str, told_as: tuple[str, str, str | None, str | None]
) -> None:
    assert told(make(files={EXPECTED: text}), score) == [told_as]


def test_a_crash_is_told_with_its_message(make: Make) -> None:
    def crash(*, folder: ChallengeFolder, phase: str, entry: Mapping[str, Path]) -> Scored:
        return Scored("crash", message="no such column")

    assert told(make(), crash) == [("E-OUTCOME", EXPECTED, "ok", "crash (no such column)")]


def test_an_undefined_value_is_expected_as_nan(make: Make, score: Score) -> None:
    files = {
        "reference/predictions.csv": "id,label\na,1\nb,1\nc,1\nd,1\n",
        EXPECTED: 'outcome = "ok"\n[values]\nauroc = nan\n',
    }
    assert check_folder(make(files=files), score=score) == []


def test_missing_files_of_examples_and_no_example_at_all(make: Make, score: Score) -> None:
    root = make(files={"examples/perfect/predictions.csv": None, "examples/other/predictions.csv": "id,risk\n"})
    assert [(code, file) for code, file, *_ in told(root, score)] == [
        ("F-MISSING-EXAMPLE", "examples/other/expected.toml"),
        ("F-MISSING-EXAMPLE", "examples/perfect/predictions.csv"),
    ]
    none = make(name="none", files={"examples/perfect/predictions.csv": None, EXPECTED: None})
    assert [code for code, *_ in told(none, score)] == ["E-NONE"]


def test_a_sample_that_would_be_refused_and_a_reference_that_cannot_be_read(make: Make, score: Score) -> None:
    root = make(
        files={
            "public/sample_submission.csv": "id,risk\na,0.5\nb,50%\nc,0.5\n",
            "reference/predictions.csv": "id,label\na,0\nb,1\nc,0\n",
            EXPECTED: None,
            "examples/perfect/predictions.csv": None,
        }
    )
    issues = [
        (p.file, p.line, p.issue and p.issue["code"]) for p in check_folder(root, score=score) if p.code == "C-ISSUE"
    ]
    assert issues == [
        ("public/sample_submission.csv", 3, "E-PERCENT"),
        ("public/sample_submission.csv", None, "E-ID-MISSING"),
        ("reference/predictions.csv", None, "E-ID-MISSING"),
    ]


def test_a_folder_with_problems_is_not_scored(make: Make) -> None:
    def never(*, folder: ChallengeFolder, phase: str, entry: Mapping[str, Path]) -> Scored:
        pytest.fail("nothing should be scored")

    assert [code for code, *_ in told(make(files={"pages/overview.fr.md": None}), never)] == ["F-MISSING-PAGE"]
