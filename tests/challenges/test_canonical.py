"""The canonical form: what changes it, what does not, and that an export is the same challenge."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from challenges.canonical import canonical, digest, exported, plain
from challenges.folder import open_folder, read_spec
from challenges.json_schema import SCHEMA_FILE, schema_text
from challenges.scoring_spec import scoring_digest, scoring_spec
from challenges.spec import ChallengeSpec
from challenges.toml_text import to_toml
from scoring import spec as scoring

Make = Callable[..., Path]


def write(files: Mapping[str, bytes | Path], root: Path) -> Path:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    return root


def test_an_export_opened_again_is_the_same_challenge(make: Make, tmp_path: Path) -> None:
    first = open_folder(make())
    second = open_folder(write(exported(first), tmp_path / "again"))
    assert canonical(second) == canonical(first)
    assert exported(second)["challenge.toml"] == exported(first)["challenge.toml"]


def test_writing_a_key_with_its_default_changes_no_digest(make: Make) -> None:
    short = open_folder(make())
    long = open_folder(
        make(
            name="long",
            replace={
                'case = "id"': '# a comment\ncase = "id"\nfile = "predictions.csv"\nrows = "one"\nmissing = "refuse"',
                "opens = 2026-01-01T00:00:00Z": "opens = 2026-01-01T01:00:00+01:00",
                'ranking = {metric = "auroc"}': 'ranking = {metric = "auroc", alpha = 0.05}\nquotas = {day = 5}',
                "version = 1\n": "version = 1\nrequired = true\n",
            },
        )
    )
    assert digest(long) == digest(short)
    assert scoring_digest(scoring_spec(long.spec, "final")) == scoring_digest(scoring_spec(short.spec, "final"))


def test_a_page_changes_the_folder_but_not_the_scoring(make: Make) -> None:
    first = open_folder(make())
    second = open_folder(make(name="other", files={"pages/overview.en.md": "# Another text\n"}))
    assert digest(second) != digest(first)
    assert scoring_digest(scoring_spec(second.spec, "final")) == scoring_digest(scoring_spec(first.spec, "final"))


def test_what_changes_scores_changes_the_scoring_digest(make: Make) -> None:
    changes = {
        'case = "id"': 'case = "id"\nmissing = "worst"',
        'cluster = "patient"': "",
        'value = "Public"': 'value = "public"',
        'positive = "1"': 'positive = "0"',
        'ranking = {metric = "auroc"}': 'ranking = {metric = "auroc", ties = "exact"}',
    }
    folders = [make(name=f"f{i}", replace={old: new}) for i, (old, new) in enumerate(changes.items())]
    folders.append(make(name="same"))
    specs = [read_spec((folder / "challenge.toml").read_bytes())[0] for folder in folders]
    digests = [scoring_digest(scoring_spec(spec, "final")) for spec in specs if spec]
    assert len(set(digests)) == len(changes) + 1


def test_the_scoring_spec_says_what_the_challenge_says(make: Make) -> None:
    spec = scoring_spec(open_folder(make()).spec, "final")
    risk = scoring.ColumnSpec(name="risk", type="probability", low=0.0, high=1.0)
    table = scoring.TableSpec(name="risks", file="predictions.csv", case="id", key=("id",), columns=(risk,))
    assert spec.tables == (table,)
    assert spec.cases == scoring.CasesSpec(id="id", cluster="patient", subgroups=("sex",), split="Usage")
    assert spec.splits[1] == scoring.SplitSpec(name="private", visible="after_close", value="Private")
    assert spec.metrics[0].version == "1"
    assert spec.ranking == scoring.RankingSpec(metric="auroc", output="auroc", direction="higher")
    assert scoring.from_json(json.loads(json.dumps(scoring.to_json(spec)))) == spec


def test_the_order_of_columns_changes_no_scoring_digest(make: Make) -> None:
    first = '[entry.tables.risks.columns.risk]\ntype = "probability"\n'
    other = '[entry.tables.risks.columns.age]\ntype = "number"\n'
    specs = []
    for name, text in (("ab", first + other), ("ba", other + first)):
        files = {"public/sample_submission.csv": "id,risk,age\n"}
        root = make(name=name, replace={first: text}, files=files)
        specs.append(read_spec((root / "challenge.toml").read_bytes())[0])
    assert specs[0] and specs[1]
    assert scoring_digest(scoring_spec(specs[0], "final")) == scoring_digest(scoring_spec(specs[1], "final"))


def test_the_schema_in_the_repository_is_current() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text()


TEXTS = st.text(
    st.characters(blacklist_categories=["Cc", "Cf", "Co", "Cs", "Zl", "Zp"]), min_size=1, max_size=12
).filter(lambda text: text == text.strip())
SCALARS = (
    TEXTS | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
PARAMS = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))


@given(
    params=st.dictionaries(TEXTS, PARAMS, max_size=4),
    labels=st.lists(TEXTS, min_size=1, max_size=4, unique=True),
    low=st.none() | st.floats(-1e9, 1e9),
    opens=st.datetimes(timezones=st.timezones()),
)
def test_any_spec_written_as_toml_reads_back_equal(
    params: dict[str, Any], labels: list[str], low: float | None, opens: Any
) -> None:
    spec = ChallengeSpec.model_validate(
        {
            "spec": 1,
            "slug": "a",
            "zone": "UTC",
            "sensitivity": "open",
            "title": {"fr": labels[0], "en": "b"},
            "entry": {
                "tables": {
                    "t": {
                        "case": "id",
                        "columns": {
                            labels[0]: {"type": "label", "labels": labels},
                            "x y": {"type": "number", "range": [low, None]},
                        },
                    }
                }
            },
            "cases": {"id": "id"},
            "metrics": [{"id": "m", "use": "auroc", "table": "t", "params": params}],
            "phases": [
                {
                    "opens": opens,
                    "closes": "2030-01-01T00:00:00Z",
                    "splits": [{"name": "a", "visible": "live", "share": 1.0}],
                    "metrics": ["m"],
                    "ranking": {"metric": "m"},
                }
            ],
        }
    )
    again, _, problems = read_spec(to_toml(spec).encode())
    assert (again, problems) == (spec, [])
    assert again is not None
    assert plain(again) == plain(spec)
