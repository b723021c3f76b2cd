"""Hard-label metrics take probabilities: the most probable label is the answer, ties to the first in declared order."""

import numpy as np
import pytest

from scoring.metric import Params
from scoring.metrics.accuracy import accuracy
from scoring.metrics.answers import answers
from scoring.params import check_params, resolve_params
from scoring.registry import get
from tests.scoring.builders import index, spec, table, value

LABELS = ["a", "b", "c"]
PROBABILITIES = {name: f"p_{name}" for name in LABELS}
TABLE = spec(p_a="probability", p_b="probability", p_c="probability", answer=LABELS)
ENTRY = table({"p_a": [0.5, 0.2, 0.4, 0.2], "p_b": [0.3, 0.5, 0.4, 0.4], "p_c": [0.2, 0.3, 0.2, 0.4]})
HARD = ("accuracy", "balanced_accuracy", "macro_f1", "micro_f1", "cohen_kappa", "mean_cost")
MORE = {"mean_cost": {"costs": [[0, 1, 2], [1, 0, 1], [2, 1, 0]]}}


def chosen(labels: list[str]) -> str:
    return "".join(answers(ENTRY, {"probabilities": PROBABILITIES, "labels": labels}).tolist())


def resolved(key: str, params: Params) -> dict[str, object]:
    return resolve_params(get(key).card, {"label": "label", "labels": LABELS, **MORE.get(key, {}), **params}, TABLE)


def test_the_most_probable_label_and_of_equal_ones_the_first_declared() -> None:
    assert chosen(["a", "b", "c"]) == "abab"
    assert chosen(["c", "b", "a"]) == "abbc"


def test_labels_outside_the_set_can_be_the_answer_and_come_last() -> None:
    assert chosen(["c"]) == "abac"
    assert chosen([]) == "abab"


@pytest.mark.parametrize("key", HARD)
def test_probabilities_give_what_the_written_labels_give(key: str) -> None:
    reference, written = table({"label": list("abbc")}), table({"answer": list("abab")})
    with_labels = value(get(key), reference, written, resolved(key, {"prediction": "answer"}))
    assert value(get(key), reference, ENTRY, resolved(key, {"probabilities": PROBABILITIES})) == with_labels


@pytest.mark.parametrize("key", HARD)
def test_a_missing_case_is_missing_in_both_forms(key: str) -> None:
    reference, missing = table({"label": list("abc")}), [0, 0, 1]
    written = table({"answer": ["a", "c", ""]}, missing=missing)
    rows = np.array([[0.6, 0.2, 0.2], [0.2, 0.2, 0.6], [np.nan] * 3])
    likely = table({f"p_{name}": rows[:, i] for i, name in enumerate(LABELS)}, missing=missing)
    with_labels = value(get(key), reference, written, resolved(key, {"prediction": "answer"}))
    assert value(get(key), reference, likely, resolved(key, {"probabilities": PROBABILITIES})) == with_labels


@pytest.mark.parametrize("key", HARD)
def test_probabilities_are_checked_and_labels_are_not(key: str) -> None:
    wrong = table({"p_a": [0.9], "p_b": [0.9], "p_c": [0.0], "answer": ["a"]})
    found = get(key).validate(index(1), wrong, resolved(key, {"probabilities": PROBABILITIES}))
    assert [issue.code for issue in found] == ["E-PROB-SUM"]
    assert get(key).validate(index(1), wrong, resolved(key, {"prediction": "answer"})) == []


@pytest.mark.parametrize("key", HARD)
def test_one_form_or_the_other(key: str) -> None:
    given = {"label": "label", "labels": LABELS, **MORE.get(key, {})}
    both = given | {"prediction": "answer", "probabilities": PROBABILITIES}
    assert len(check_params(get(key).card, given, TABLE)) == len(check_params(get(key).card, both, TABLE)) == 1
    assert (
        "exactly one of these sets of parameters: prediction or probab" in check_params(get(key).card, both, TABLE)[0]
    )


def test_labels_come_from_the_keys_in_alphabetical_order_whatever_order_they_are_written_in() -> None:
    given = {"label": "label", "probabilities": {"c": "p_c", "a": "p_a", "b": "p_b"}}
    for key in ("accuracy", "balanced_accuracy", "macro_f1", "micro_f1"):
        assert resolve_params(get(key).card, given, TABLE)["labels"] == LABELS
    assert value(accuracy, table({"label": list("abab")}), ENTRY, resolve_params(accuracy.card, given, TABLE)) == 1.0


def test_where_the_order_of_labels_counts_it_is_declared() -> None:
    given = {"label": "label", "probabilities": PROBABILITIES}
    assert check_params(get("cohen_kappa").card, given, TABLE) == ["cohen_kappa needs the parameter 'labels'"]
    costs = given | MORE["mean_cost"]
    assert check_params(get("mean_cost").card, costs, TABLE) == ["mean_cost needs the parameter 'labels'"]


@pytest.mark.parametrize("source", [{"probabilities": PROBABILITIES}, {"prediction": "answer"}])
def test_ordered_labels_are_all_that_can_be_answered(source: Params) -> None:
    given = {"label": "label", "labels": ["a", "b"], **source}
    (name,) = source
    assert check_params(get("cohen_kappa").card, given, TABLE) == [
        f"parameter labels of cohen_kappa and {name} must have the same labels: only one of them has c"
    ]


def test_a_subset_of_the_labels_is_a_subset_of_the_probabilities() -> None:
    given = {"label": "label", "probabilities": PROBABILITIES, "subset": True}
    assert check_params(get("macro_f1").card, given | {"labels": ["a", "c"]}, TABLE) == []
    assert check_params(get("macro_f1").card, given | {"labels": ["a", "d"]}, TABLE) == [
        "parameter labels of macro_f1 and probabilities must have the same labels: only one of them has d"
    ]
