"""Tables of an entry in challenge.toml: formats, rows that are combined, and case files that contradict themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from challenges.check import Score, check_folder
from challenges.folder import open_folder
from challenges.problems import FolderError
from tests.challenges.conftest import Make

CASE = 'case = "id"'
PHOTOS = (
    '[entry.tables.risks]\nrows = "many"\nkey = ["photo"]\ncombine = "mean"\nfile = "photos.jsonl"\nformat = "jsonl"'
)
LINES = [{"id": case, "photo": f"{case}{i}", "risk": risk} for case, risk in zip("abcd", (0, 1, 0, 1), strict=True)
         for i in range(2)]  # fmt: skip
JSONL = "".join(json.dumps(line) + "\n" for line in LINES)
ATTRIBUTES = "id,patient,sex,Usage\na,1,F,Public\nb,1,F,Public\nc,2,M,Private\nd,3,F,Private\n"
FILES: dict[str, str | None] = {
    "public/cases.csv": "id,photo\n" + "".join(f"{line['id']},{line['photo']}\n" for line in LINES),
    "public/sample_submission.csv": None,
    "public/sample_submission.jsonl": JSONL,
    "reference/predictions.csv": None,
    "reference/photos.jsonl": "".join(
        json.dumps({"id": c, "label": v}) + "\n" for c, v in zip("abcd", "0101", strict=True)
    ),
    "examples/perfect/predictions.csv": None,
    "examples/perfect/photos.jsonl": JSONL,
}


def told(root: Path) -> list[tuple[str, str, int | None, str | None]]:
    with pytest.raises(FolderError) as caught:
        open_folder(root)
    return [
        (problem.issue["code"] if problem.issue else problem.code, problem.file, problem.line, problem.key)
        for problem in caught.value.problems
    ]


def test_a_folder_of_json_lines_with_photos_combined(make: Make, score: Score) -> None:
    root = make(replace={"[entry.tables.risks]": PHOTOS}, files=FILES)
    assert check_folder(root, score=score) == []


def test_the_sample_of_json_lines_has_its_own_name(make: Make) -> None:
    root = make(replace={"[entry.tables.risks]": PHOTOS}, files={**FILES, "public/sample_submission.jsonl": None})
    assert told(root) == [("F-MISSING-SAMPLE", "public/sample_submission.jsonl", None, None)]


TABLE = "entry.tables.risks"
MORE = '[entry.tables.more]\ncase = "id"\nfile = "x/Predictions.csv"\ncolumns = {x = {type = "number"}}\n'
HIDDEN = "reference/cases.csv"
SCORED = 'params = {label = "label", score = "risk", positive = "1"}'
OF_LABELS = 'params = {label = "label", probabilities = {1 = "risk"}}'


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (CASE, f'{CASE}\ncombine = "max"', ("R-COMBINE-ONE", 15, f"{TABLE}.combine")),
        (CASE, f'{CASE}\ncombine = "median"', ("T-CHOICE", 15, f"{TABLE}.combine")),
        ("[cases]", MORE + "[cases]",
         ("R-TWICE", 20, "entry.tables.more.file")),
        ('type = "probability"', 'type = "probability"\n[entry.tables.risks.columns.note]\ntype = "text"',
         ("R-COMBINE-TYPE", 23, f"{TABLE}.columns.note.type")),
    ],
)  # fmt: skip
def test_tables_that_contradict_themselves(make: Make, old: str, new: str, expected: tuple[str, int, str]) -> None:
    changes, files = {old: new}, {}
    if expected[0] == "R-COMBINE-TYPE":
        changes, files = {**changes, "[entry.tables.risks]": PHOTOS}, FILES
    code, line, key = expected
    assert (code, "challenge.toml", line, key) in told(make(replace=changes, files=files))


def test_the_highest_probabilities_are_none_for_a_metric_of_probabilities(make: Make) -> None:
    changes = {"[entry.tables.risks]": PHOTOS.replace("mean", "max"), SCORED: OF_LABELS}
    assert ("R-COMBINE-MAX", "challenge.toml", 16, f"{TABLE}.combine") in told(make(replace=changes, files=FILES))


def test_rows_that_are_combined_are_known_beforehand(make: Make) -> None:
    files = {**FILES, "public/cases.csv": "id\na\nb\nc\nd\n"}
    expected = ("C-COMBINE-KEYS", "public/cases.csv", 1, None)
    assert told(make(replace={"[entry.tables.risks]": PHOTOS}, files=files)) == [expected]
    free = f'{PHOTOS}\nmissing = "empty"'
    assert open_folder(make(replace={"[entry.tables.risks]": free}, files=files)).spec.entry.tables["risks"].combine


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("public/cases.csv", "id,photo\na,a0\nb,\nc,c0\nd,d0\n", ("E-KEY-EMPTY", "public/cases.csv", 3, "photo")),
        (HIDDEN, ATTRIBUTES + "a,1,M,Public\n", ("E-CASE-CONFLICT", HIDDEN, 6, "sex")),
        (HIDDEN, ATTRIBUTES + "a,2,F,Public\n", ("E-CASE-CONFLICT", HIDDEN, 6, "patient")),
        (HIDDEN, ATTRIBUTES.replace("c,2", "c,1"), ("E-SPLIT-CLUSTER", HIDDEN, None, None)),
    ],
)  # fmt: skip
def test_case_files_that_contradict_themselves(
    make: Make, path: str, text: str, expected: tuple[str, str, int | None, str | None]
) -> None:
    assert told(make(replace={"[entry.tables.risks]": PHOTOS}, files={**FILES, path: text})) == [expected]
