"""Parameters of metrics: completed from the table, and refused with every problem named."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from scoring.metric import ParamsRefused
from scoring.params import check_params, resolve_params
from scoring.registry import get
from scoring.spec import ColumnSpec, TableSpec
from tests.scoring.builders import spec

TABLE = spec(p="probability", q="probability", answer=["a", "b"])
BOXES = TableSpec(
    "boxes",
    "boxes.csv",
    "image",
    ("id",),
    (
        *(ColumnSpec(side, "number") for side in ("x1", "y1", "x2", "y2")),
        ColumnSpec("class", "label", labels=("a", "b")),
    ),
    rows="many",
)


def problems(key: str, params: Mapping[str, Any], table: TableSpec = TABLE) -> list[str]:
    return check_params(get(key).card, params, table)


def test_labels_come_from_the_prediction_column_and_defaults_from_the_card() -> None:
    found = resolve_params(get("macro_f1").card, {"label": "truth", "prediction": "answer"}, TABLE)
    assert found == {"label": "truth", "prediction": "answer", "labels": ["a", "b"], "subset": False, "absent": "nan"}


def test_boxes_need_no_parameters_where_columns_have_the_usual_names() -> None:
    sides = {name: name for name in ("x1", "y1", "x2", "y2", "class")}
    assert resolve_params(get("cytologia").card, {}, BOXES) == {**sides, "labels": ["a", "b"]}


def test_everything_wrong_is_told_at_once() -> None:
    assert problems("auroc", {"score": "P", "positve": "1", "label": 3}) == [
        "auroc has no parameter 'positve': it has label, positive, score",
        "auroc needs the parameter 'positive'",
        "parameter label of auroc must be a text, not 3",
        "parameter score of auroc names the column 'P', but table answers has answer, p, q",
    ]


@pytest.mark.parametrize(
    ("key", "params", "told"),
    [
        ("macro_f1", {"label": "t", "prediction": "p"}, "macro_f1 needs the parameter 'labels'"),
        (
            "macro_f1",
            {"label": "t", "prediction": "answer", "absent": "zero"},
            "parameter absent of macro_f1 must be one of nan, skip, not 'zero'",
        ),
        (
            "macro_f1",
            {"label": "t", "prediction": "answer", "labels": ["a", "a"]},
            "parameter labels of macro_f1 names something twice",
        ),
        (
            "macro_f1",
            {"label": "t", "prediction": "answer", "labels": []},
            "parameter labels of macro_f1 is empty or too short",
        ),
        (
            "macro_f1",
            {"label": "t", "prediction": "answer", "labels": ["a", 1]},
            "parameter labels of macro_f1, place 2 must be a text, not 1",
        ),
        (
            "log_loss",
            {"label": "t", "score": "p", "positive": "1", "eps": 0},
            "parameter eps of log_loss must be above 0, not 0",
        ),
        (
            "log_loss",
            {"label": "t"},
            "log_loss needs exactly one of these sets of parameters: score and positive or probabilities",
        ),
        (
            "brier",
            {"label": "t", "score": "p", "positive": "1", "probabilities": {"a": "p", "b": "q"}},
            "brier needs exactly one of these sets of parameters: score and positive or probabilities",
        ),
        (
            "brier",
            {"label": "t", "probabilities": {"a": "p", "b": "r"}},
            "parameter probabilities of brier names the column 'r', but table answers has answer, p, q",
        ),
        (
            "brier",
            {"label": "t", "probabilities": {"a": "p", "b": 7}},
            "parameter probabilities of brier, key 'b' must be a text, not 7",
        ),
        (
            "accuracy",
            {"label": "t", "prediction": "answer", "positive": "1"},
            "accuracy needs exactly one of these sets of parameters: "
            "prediction or probabilities or score and threshold and positive",
        ),
        ("accuracy", {"label": "t", "prediction": True}, "parameter prediction of accuracy must be a text, not True"),
    ],
)
def test_each_problem_is_one_sentence(key: str, params: Mapping[str, Any], told: str) -> None:
    assert problems(key, params) == [told]


def test_a_metric_of_one_row_per_case_is_refused_on_many() -> None:
    told = 'accuracy needs one row(s) per case, but table boxes has rows = "many"'
    assert problems("accuracy", {"label": "t", "prediction": "class"}, BOXES) == [told]
    assert problems("cytologia", {}, BOXES) == []
    one = replace(BOXES, rows="one")
    assert problems("cytologia", {}, one) == ['cytologia needs many row(s) per case, but table boxes has rows = "one"']


def test_refusing_joins_the_sentences() -> None:
    with pytest.raises(ParamsRefused, match="needs the parameter 'label'; auroc needs the parameter 'score'"):
        resolve_params(get("auroc").card, {"positive": "1"}, TABLE)
