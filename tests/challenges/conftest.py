"""A small valid challenge folder that tests change in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from challenges.case_files import case_index
from challenges.check import Score, Scored
from challenges.folder import ChallengeFolder
from challenges.scoring_spec import scoring_spec
from scoring.cases import read_attributes
from scoring.evaluation import evaluate, validate
from scoring.read import read_entry, read_reference, read_upload

SPEC = """\
spec = 1
slug = "small"
zone = "Europe/Paris"
sensitivity = "open"
title = {fr = "Petit", en = "Small"}

[[documents]]
slug = "rules"
version = 1
title = {fr = "Règlement", en = "Rules"}
file = {fr = "documents/rules.fr.md", en = "documents/rules.en.md"}

[entry.tables.risks]
case = "id"
[entry.tables.risks.columns.risk]
type = "probability"

[cases]
file = "reference/cases.csv"
id = "id"
cluster = "patient"
subgroups = ["sex"]
split = "Usage"

[[metrics]]
id = "auroc"
use = "auroc"
table = "risks"
params = {label = "label", score = "risk", positive = "1"}

[[phases]]
slug = "final"
opens = 2026-01-01T00:00:00Z
closes = 2030-01-01T00:00:00Z
metrics = ["auroc"]
splits = [
    {name = "public", visible = "live", value = "Public"},
    {name = "private", visible = "after_close", value = "Private"},
]
ranking = {metric = "auroc"}
"""

FILES = {
    "pages/overview.fr.md": "# Un petit défi\n",
    "pages/overview.en.md": "# A small challenge\n",
    "documents/rules.fr.md": "Une règle.\n",
    "documents/rules.en.md": "A rule.\n",
    "public/cases.csv": "id\na\nb\nc\nd\n",
    "public/sample_submission.csv": "id,risk\na,0.5\nb,0.5\nc,0.5\nd,0.5\n",
    "reference/cases.csv": "id,patient,sex,Usage\na,1,F,Public\nb,1,F,Public\nc,2,M,Private\nd,3,F,Private\n",
    "reference/predictions.csv": "id,label\na,0\nb,1\nc,0\nd,1\n",
    "examples/perfect/predictions.csv": "id,risk\na,0\nb,1\nc,0\nd,1\n",
    "examples/perfect/expected.toml": 'outcome = "ok"\ncodes = []\n[values]\nauroc = 1.0\n',
}

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """`make(replace={old: new}, files={path: text or None})` writes the folder so changed and gives its path."""

    def build(
        replace: dict[str, str] | None = None,
        files: dict[str, str | None] | None = None,
        name: str = "small",
    ) -> Path:
        spec = SPEC
        for old, new in (replace or {}).items():
            assert spec.count(old) == 1, f"{old!r} stands {spec.count(old)} times in the spec"
            spec = spec.replace(old, new)
        contents: dict[str, str | None] = {**FILES, "challenge.toml": spec, **(files or {})}
        for path, text in contents.items():
            if text is not None:
                (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name / path).write_bytes(text.encode())
        return tmp_path / name

    return build


def score_here(*, folder: ChallengeFolder, phase: str, entry: Mapping[str, Path]) -> Scored:
    """Score an entry in this process: the reader and the metrics without their sandbox."""
    spec = scoring_spec(folder.spec, phase)
    index = case_index(folder.spec, folder.files["public/cases.csv"])
    with folder.files[folder.spec.cases.file].open("rb") as stream:
        attributes = read_attributes(stream, index=index, cases=spec.cases, splits=spec.splits, seed=1)
    with ExitStack() as stack:
        streams = {name: stack.enter_context(path.open("rb")) for name, path in entry.items()}
        read = read_upload(streams[""], index=index) if "" in streams else read_entry(streams, index=index)
        paths = {table.name: folder.files[f"reference/{table.file}"] for table in spec.tables}
        answers = read_reference({n: stack.enter_context(p.open("rb")) for n, p in paths.items()}, index=index)
    found = validate(spec=spec, index=index, entry=read.entry) if read.entry else []
    codes = sorted({*read.issues.total, *(issue.code for issue in found)})
    if read.entry is None or any(issue.level == "error" for issue in found):
        return Scored("invalid", codes)
    assert answers.entry is not None
    result = evaluate(spec=spec, index=index, attributes=attributes, reference=answers.entry, entry=read.entry, seed=1)
    return Scored("ok", codes, [value.to_json() for value in result.values])


@pytest.fixture
def score() -> Score:
    """The in-process scorer of `check_folder`."""
    return score_here
