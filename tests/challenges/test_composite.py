"""Composites in challenge.toml: what they may be made of, and that the folder's check scores and ranks with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from challenges.check import Score, check_folder
from challenges.folder import open_folder
from challenges.problems import FolderError, Problem
from challenges.scoring_spec import scoring_spec
from scoring.spec import from_json, to_json

Make = Callable[..., Path]

METRICS = """\
[[metrics]]
id = "brier"
use = "brier"
table = "risks"
params = {label = "label", score = "risk", positive = "1"}

[[metrics]]
id = "score"
use = "composite"
[metrics.params]
offset = 0.5
terms = [
    {metric = "auroc", weight = 0.5},
    {metric = "brier", output = "brier", weight = -0.5},
]

[[phases]]
"""
CHANGES = {
    "[[phases]]\n": METRICS,
    'metrics = ["auroc"]': 'metrics = ["auroc", "brier", "score"]',
    'ranking = {metric = "auroc"}': 'ranking = {metric = "score"}',
}
EXPECTED = 'outcome = "ok"\ncodes = []\n[values]\nauroc = 1.0\n'


def written(make: Make, old: str = "", new: str = "") -> Path:
    root = make(
        replace=CHANGES,
        files={"examples/perfect/expected.toml": EXPECTED + 'score = 1.0\n"score.composite" = 1.0\n'},
    )
    text = (root / "challenge.toml").read_text()
    assert not old or text.count(old) == 1
    (root / "challenge.toml").write_text(text.replace(old, new) if old else text)
    return root


def problems_of(root: Path) -> tuple[Problem, ...]:
    with pytest.raises(FolderError) as refused:
        open_folder(root)
    return refused.value.problems


def test_a_composite_is_checked_scored_and_ranks(make: Make, score: Score) -> None:
    root = written(make)
    assert check_folder(root, score=score) == []
    spec = scoring_spec(open_folder(root).spec, "final")
    assert (spec.ranking.metric, spec.ranking.output, spec.ranking.direction) == ("score", "composite", "higher")
    assert [(metric.id, metric.table) for metric in spec.metrics] == [
        ("auroc", "risks"),
        ("brier", "risks"),
        ("score", ""),
    ]
    assert from_json(to_json(spec)) == spec


def test_an_example_that_expects_another_composite_is_told(make: Make, score: Score) -> None:
    root = written(make)
    (root / "examples/perfect/expected.toml").write_text(EXPECTED + "score = 0.9\n")
    (problem,) = check_folder(root, score=score)
    assert str(problem) == (
        "examples/perfect/expected.toml: The example perfect should have values.score = 0.9; it has 1."
    )


@pytest.mark.parametrize(
    ("old", "new", "place", "told"),
    [
        (
            'metric = "brier", output',
            'metric = "brer", output',
            (44, "metrics[2].params.terms[1].metric"),
            "metrics[2].params.terms[1].metric: no [[metrics]] has the id brer. There are: auroc, brier, score.",
        ),
        (
            'output = "brier"',
            'output = "brie"',
            (44, "metrics[2].params.terms[1].output"),
            "metrics[2].params.terms[1].output: this metric has no output brie. It has: brier.",
        ),
        (
            '{metric = "auroc", weight',
            '{metric = "score", weight',
            (43, "metrics[2].params.terms[0].metric"),
            "metrics[2].params.terms[0].metric: score is a composite, and a composite is made of other metrics. "
            "Name one of auroc, brier.",
        ),
        (
            '{metric = "brier", output = "brier", weight',
            '{metric = "auroc", weight',
            (44, "metrics[2].params.terms[1]"),
            "metrics[2].params.terms[1] repeats auroc, which is already used above. Each must be different.",
        ),
        (
            'use = "composite"',
            'use = "composite"\ntable = "risks"',
            (40, "metrics[2].table"),
            "metrics[2].table: this metric reads no table, but outputs of other metrics. Remove the key.",
        ),
        (
            'use = "brier"\ntable = "risks"',
            'use = "brier"',
            (31, "metrics[1].table"),
            "metrics[1].table: this metric reads a table. Name one: risks.",
        ),
        (
            "offset = 0.5",
            'offset = "half"',
            (40, "metrics[2].params"),
            "metrics[2].params: parameter offset of composite must be a number, not 'half'. "
            "Correct the parameters or the columns of the table.",
        ),
        (
            '{metric = "auroc", weight = 0.5}',
            '{metric = "auroc", wieght = 0.5}',
            (40, "metrics[2].params"),
            "metrics[2].params: parameter terms of composite, place 1 has no 'wieght': it has metric, output, weight. "
            "Correct the parameters or the columns of the table.",
        ),
        (
            'metrics = ["auroc", "brier", "score"]',
            'metrics = ["auroc", "score"]',
            (51, "phases[0].metrics[1]"),
            "phases[0].metrics[1]: score is made of brier, which is not among this phase's metrics. Add it.",
        ),
        (
            'ranking = {metric = "score"}',
            'ranking = {metric = "score", output = "sum"}',
            (56, "phases[0].ranking.output"),
            "phases[0].ranking.output: this metric has no output sum. It has: composite.",
        ),
    ],
)
def test_what_a_composite_cannot_be_made_of(make: Make, old: str, new: str, place: tuple[int, str], told: str) -> None:
    problem, *others = problems_of(written(make, old, new))
    assert ((problem.line, problem.key), problem.text) == (place, told)
    assert {other.code for other in others} <= {"R-PARAMS"}


def test_a_table_that_cannot_be_read_is_told_once(make: Make) -> None:
    old, new = 'id = "brier"\nuse = "brier"\ntable = "risks"', 'id = "brier"\nuse = "brier"\ntable = 5'
    assert [problem.code for problem in problems_of(written(make, old, new))] == ["T-TEXT"]
