"""Folders and their problems: each names file, line, key, what was expected and what was found."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from challenges import messages
from challenges.folder import open_folder
from challenges.problems import FolderError, Problem

Make = Callable[..., Path]
CODE = re.compile(r'"([ACEFRTW]-[A-Z]+(?:-[A-Z]+)*)"')


def problems_of(root: Path) -> list[Problem]:
    try:
        open_folder(root)
    except FolderError as error:
        return list(error.problems)
    return []


def told(root: Path) -> list[tuple[str, int | None, str | None]]:
    return [(problem.code, problem.line, problem.key) for problem in problems_of(root)]


def test_a_right_folder_opens(make: Make) -> None:
    folder = open_folder(make())
    assert folder.spec.slug == "small"
    assert list(folder.files) == sorted(folder.files)
    assert folder.files["public/cases.csv"].read_text().startswith("id")


def test_all_problems_are_told_at_once_with_their_lines(make: Make) -> None:
    root = make(
        replace={
            'slug = "small"': 'slug = "Small Challenge"',
            'zone = "Europe/Paris"': 'zone = "Europe/Pariss"',
            "version = 1": "versoin = 1",
            'type = "probability"': 'type = "probabilty"',
            "opens = 2026-01-01T00:00:00Z": "opens = 2031-01-01T00:00:00Z",
            'ranking = {metric = "auroc"}': 'ranking = {metric = "auc"}\nquota = {day = 3}',
        },
        files={"documents/rules.en.md": None, "public/sample_submission.csv": None},
    )
    assert told(root) == [
        ("T-SLUG", 2, "slug"),
        ("W-ZONE", 3, "zone"),
        ("T-MISSING-KEY", 7, "documents[0].version"),
        ("T-UNKNOWN-NEAR", 9, "documents[0].versoin"),
        ("F-MISSING", 11, "documents[0].file.en"),
        ("T-CHOICE", 16, "entry.tables.risks.columns.risk.type"),
        ("R-DATES", 34, "phases[0].closes"),
        ("R-METRIC-ID", 40, "phases[0].ranking.metric"),
        ("T-UNKNOWN-NEAR", 41, "phases[0].quota"),
        ("F-MISSING-SAMPLE", None, None),
    ]


def test_a_sentence_says_what_was_expected_and_found(make: Make) -> None:
    root = make(replace={'ranking = {metric = "auroc"}': 'ranking = {metric = "auroc"}\nquotaz = {day = 3}'})
    (problem,) = problems_of(root)
    assert str(problem) == (
        "challenge.toml, line 41: The key phases[0].quotaz is not known; did you mean quotas? "
        "Correct its spelling or remove it."
    )


RISK = "entry.tables.risks.columns.risk"

ONE = [
    ('title = {fr = "Petit", en = "Small"}', 'title = {fr = "Petit"}', "T-LANGUAGE", 5, "title"),
    ("version = 1", 'version = "1"', "T-WHOLE", 9, "documents[0].version"),
    ("version = 1", "version = 0", "T-LEAST", 9, "documents[0].version"),
    ("version = 1", "version = 1.0", "T-WHOLE", 9, "documents[0].version"),
    ("opens = 2026-01-01T00:00:00Z", "opens = 2026-01-01", "T-MOMENT", 33, "phases[0].opens"),
    ("opens = 2026-01-01T00:00:00Z", "opens = 2026-01-01T09:00:00", "T-MOMENT", 33, "phases[0].opens"),
    ("opens = 2026-01-01T00:00:00Z", "opens = 5", "T-MOMENT", 33, "phases[0].opens"),
    ('slug = "final"', 'slug = "final"\nkinds = ["image"]', "T-LATER-CONTAINER", 33, "phases[0].kinds[0]"),
    ('slug = "final"', 'slug = "final"\nguard = {kind = "ladder"}', "T-LATER-GUARD", 33, "phases[0].guard.kind"),
    ('case = "id"', 'case = "id"\nformat = "nifti"', "T-LATER-FORMAT", 15, "entry.tables.risks.format"),
    ('sensitivity = "open"', 'sensitivity = "code-to-data"', "T-LATER-CONTAINER", 4, "sensitivity"),
    ('sensitivity = "open"', 'sensitivity = "open"\njury = {size = 5}', "T-LATER-KEY", 5, "jury.size"),
    ('use = "auroc"', 'use = "auc"', "R-UNKNOWN-METRIC", 27, "metrics[0].use"),
    ('table = "risks"', 'table = "risk"', "R-UNKNOWN-TABLE", 28, "metrics[0].table"),
    ('positive = "1"}', 'positve = "1"}', "R-PARAMS", 29, "metrics[0].params"),
    ('score = "risk"', 'score = "risks"', "R-PARAMS", 29, "metrics[0].params"),
    ('metric = "auroc"}', 'metric = "auroc", output = "auc"}', "R-OUTPUT", 40, "phases[0].ranking.output"),
    ('metric = "auroc"}', 'metric = "auroc", finals = 2}', "R-FINALS", 40, "phases[0].ranking.finals"),
    ('metric = "auroc"}', 'metric = "auroc"}\nquotas = {day = 101}', "R-QUOTA", 41, "phases[0].quotas.day"),
    ('visible = "live", value = "Public"', 'visible = "live"', "R-SPLIT-HOW", 37, "phases[0].splits[0]"),
    ('value = "Public"', 'value = "Public", share = 0.5', "R-SPLIT-BOTH", 37, "phases[0].splits[0]"),
    ('visible = "live"', 'visible = "after_close"', "R-SPLIT-FINAL", 36, "phases[0].splits"),
    ('name = "private"', 'name = "public"', "R-TWICE", 38, "phases[0].splits[1].name"),
    ('file = "reference/cases.csv"', 'file = "public/attributes.csv"', "R-CASES-FILE", 19, "cases.file"),
    ('subgroups = ["sex"]', 'subgroups = ["patient"]', "R-TWICE", 22, "cases.subgroups[0]"),
    ('type = "probability"', 'type = "label"', "R-LABELS", 15, "entry.tables.risks.columns.risk"),
    ('type = "probability"', 'type = "number"\nlabels = ["a"]', "R-NO-LABELS", 17, f"{RISK}.labels"),
    ('type = "probability"', 'type = "number"\nrange = [1, 0]', "R-RANGE", 17, f"{RISK}.range"),
    ('type = "probability"', 'type = "probability"\nrange = [0, inf]', "R-RANGE-PROBABILITY", 17, f"{RISK}.range"),
    ('case = "id"', 'case = "id"\nkey = ["row"]', "R-CASE-COLUMN", 15, "entry.tables.risks.key"),
    (f"[{RISK}]", f"[entry.tables.risks.columns.id]\ntype='text'\n[{RISK}]", "R-COLUMN-ID", 15,
     "entry.tables.risks.columns.id"),
    ('id = "auroc"', 'id = "AUROC"', "T-NAME", 26, "metrics[0].id"),
    ('slug = "small"', 'slug = "small\u200b"', "T-SLUG", 2, "slug"),
    ('title = {fr = "Petit"', 'title = {fr = "Pe\u200btit"', "W-INVISIBLE", 5, "title.fr"),
    ('params = {label = "label"', 'params = {label = 2026-01-01', "W-JSON", 29, "metrics[0].params"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "line", "key"), ONE, ids=[f"{row[2]}-{row[4]}" for row in ONE])
def test_one_change_one_problem(make: Make, old: str, new: str, code: str, line: int, key: str) -> None:
    found = told(make(replace={old: new}))
    assert found[0] == (code, line, key)
    assert all(other[0] in {"R-UNKNOWN-TABLE", "R-PARAMS", "F-MISSING"} for other in found[1:])


def test_a_moment_without_offset_is_answered_with_the_offset_of_the_zone(make: Make) -> None:
    (problem,) = problems_of(make(replace={"opens = 2026-01-01T00:00:00Z": "opens = 2026-07-01T23:59:00"}))
    assert problem.expected == "2026-07-01T23:59:00+02:00"


@pytest.mark.parametrize(
    ("spec", "code", "line"),
    [
        ("spec = 1\nslug = 'a\n", "T-SYNTAX", 2),
        ("spec = 1\nspec = 2\n", "T-SYNTAX", 2),
        ("a = " + "[" * 5000, "T-DEEP", None),
        ("a = " + "9" * 5000, "T-SYNTAX", None),
        ("x" * 1_000_001, "F-TOO-BIG", None),
    ],
)
def test_a_text_that_is_no_toml_is_one_problem(make: Make, spec: str, code: str, line: int | None) -> None:
    assert [(p.code, p.line) for p in problems_of(make(files={"challenge.toml": spec}))] == [(code, line)]


def test_no_folder_and_no_spec(make: Make, tmp_path: Path) -> None:
    assert [p.code for p in problems_of(tmp_path / "nowhere")] == ["F-NOT-A-FOLDER"]
    root = make()
    (root / "challenge.toml").unlink()
    assert [p.code for p in problems_of(root)] == ["F-NO-SPEC"]


def test_files_that_cannot_be_taken_are_named(make: Make, tmp_path: Path) -> None:
    root = make(
        files={
            "metric.py": "x",
            "inputs/a.txt": "x",
            "notes/a.txt": "x",
            "public/.DS_Store": "x",
            "__MACOSX/a": "x",
            "public/a\nb.txt": "x",
            "pages/data.fr.md": "Données",
            "pages/overview.en.md": " \n",
        }
    )
    (root / "public" / "link").symlink_to(tmp_path)
    (root / "pages" / "overview.fr.md").write_bytes("# D\né".encode("latin-1"))
    assert [(p.code, p.file) for p in problems_of(root)] == [
        ("T-LATER-INPUTS", "inputs/a.txt"),
        ("T-LATER-METRIC", "metric.py"),
        ("F-PLACE", "notes/a.txt"),
        ("F-MISSING-PAGE", "pages/data.en.md"),
        ("F-EMPTY", "pages/overview.en.md"),
        ("F-ENCODING", "pages/overview.fr.md"),
        ("F-PATH", "public/a\\nb.txt"),
        ("F-LINK", "public/link"),
    ]


def test_a_document_in_a_secret_place_is_refused(make: Make) -> None:
    root = make(
        replace={'fr = "documents/rules.fr.md"': 'fr = "reference/rules.md"'}, files={"reference/rules.md": "Règle"}
    )
    assert told(root) == [("F-HIDDEN", 11, "documents[0].file.fr")]


def test_missing_data_files_are_named_with_the_key_that_needs_them(make: Make) -> None:
    root = make(files={"public/cases.csv": None, "reference/cases.csv": None, "reference/predictions.csv": None})
    assert [(p.code, p.expected, p.key) for p in problems_of(root)] == [
        ("F-MISSING", "reference/predictions.csv", "entry.tables.risks.file"),
        ("F-MISSING", "reference/cases.csv", "cases.file"),
        ("F-MISSING-CASES", "public/cases.csv", None),
    ]


def test_every_sentence_can_be_made(make: Make) -> None:
    root = make(replace={old: new for old, new, *_ in ONE[:1]}, files={"metric.py": "x", "public/cases.csv": None})
    assert all(problem.text and "%" not in problem.text for problem in problems_of(root))


def test_problems_of_case_files_have_lines_and_columns(make: Make) -> None:
    root = make(
        files={
            "public/cases.csv": "id,Usage\na,Public\nb\u200b,Public\n,Private\n",
            "reference/cases.csv": "id,patient,sex,Usage\na,1,F,Public\n",
        }
    )
    assert [(p.code, p.line, p.key, p.issue and p.issue["code"]) for p in problems_of(root)] == [
        ("C-ISSUE", 3, "id", "E-ID-HIDDEN"),
        ("C-ISSUE", 4, "id", "E-CELL-EMPTY"),
    ]


def test_a_split_column_in_the_public_file_is_refused_and_so_is_a_case_twice(make: Make) -> None:
    root = make(files={"public/cases.csv": "id,Usage\na,Public\nb,Public\nc,Private\nd,Private\nd,Private\n"})
    assert [(p.code, p.file, p.found) for p in problems_of(root)] == [
        ("C-ID-TWICE", "public/cases.csv", "d"),
        ("C-SECRET-COLUMN", "public/cases.csv", "Usage"),
    ]


def test_attributes_that_cannot_be_used_are_told(make: Make) -> None:
    wrong = "id,patient,sex,Usage\na,1,F,Public\nb,1,F,Private\nc,2,M,private\n"
    problems = problems_of(make(files={"reference/cases.csv": wrong}))
    assert {(p.code, p.file, p.issue and p.issue["code"]) for p in problems} == {
        ("C-ISSUE", "reference/cases.csv", "E-ID-MISSING"),
    }
    wrong += "d,3,F,Private\n"
    problems = problems_of(make(name="second", files={"reference/cases.csv": wrong}))
    assert "c" in str(problems) and "private" in str(problems)
    assert {p.file for p in problems} == {"reference/cases.csv"}


def test_a_broken_page_does_not_hide_a_broken_case_file(make: Make) -> None:
    root = make(
        replace={'title = {fr = "Petit", en = "Small"}': 'title = {fr = "Petit"}'},
        files={"pages/overview.en.md": None, "public/cases.csv": "case\na\n"},
    )
    assert [(p.code, p.file) for p in problems_of(root)] == [
        ("T-LANGUAGE", "challenge.toml"),
        ("F-MISSING-PAGE", "pages/overview.en.md"),
        ("C-ISSUE", "public/cases.csv"),
    ]


def test_every_code_has_a_sentence_and_every_sentence_a_use() -> None:
    sources = {p.name: p.read_text(encoding="utf-8") for p in Path(messages.__file__).parent.glob("*.py")}
    used = {code for name, text in sources.items() if name != "messages.py" for code in CODE.findall(text)}
    assert used == set(messages.TEMPLATES)
