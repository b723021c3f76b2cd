"""Macro one-vs-rest AUROC by hand: the mean of AUROC of each label, and what it is where a label is absent."""

import numpy as np
import pytest

from scoring.metric import ReferenceRefused
from scoring.metrics.auroc import auroc
from scoring.metrics.macro_ovr_auroc import macro_ovr_auroc
from scoring.params import check_params, resolve_params
from scoring.tables import Table
from tests.scoring.builders import index, spec, table, value

LABELS = ["a", "b", "c"]
PROBABILITIES = {name: f"p_{name}" for name in LABELS}
PARAMS = {"label": "label", "probabilities": PROBABILITIES, "labels": LABELS, "absent": "nan"}
TABLE = spec(p_a="probability", p_b="probability", p_c="probability")


def entry(*rows: tuple[float, float, float], missing: list[int] | None = None) -> Table:
    return table({f"p_{name}": [row[i] for row in rows] for i, name in enumerate(LABELS)}, missing=missing)


ROWS = [(0.6, 0.3, 0.1), (0.2, 0.5, 0.3), (0.5, 0.1, 0.4), (0.1, 0.8, 0.1), (0.3, 0.3, 0.4)]


def test_each_label_is_its_own_auroc_and_the_first_is_their_mean() -> None:
    reference = table({"label": list("abcab")})
    made = macro_ovr_auroc.tabulate(reference, entry(*ROWS), PARAMS)
    found = macro_ovr_auroc.aggregate(made, np.ones((1, 5)))[0].tolist()
    assert macro_ovr_auroc.outputs(PARAMS) == ("macro_ovr_auroc", "auroc/a", "auroc/b", "auroc/c")
    each = [
        value(auroc, reference, entry(*ROWS), {"label": "label", "score": f"p_{name}", "positive": name})
        for name in LABELS
    ]
    assert found[1:] == each
    assert found[0] == sum(each) / 3


def test_a_label_without_cases_or_with_all_of_them_has_no_area() -> None:
    made = macro_ovr_auroc.tabulate(table({"label": list("abab")}), entry(*ROWS[:4]), PARAMS)
    found = macro_ovr_auroc.aggregate(made, np.ones((1, 4)))[0]
    assert np.isnan(found).tolist() == [True, False, False, True]
    reasons = [macro_ovr_auroc.card.reason(output) for output in macro_ovr_auroc.outputs(PARAMS)]
    assert reasons == ["label-absent", "one-class", "one-class", "one-class"]
    one = macro_ovr_auroc.tabulate(table({"label": list("aaaa")}), entry(*ROWS[:4]), PARAMS | {"absent": "skip"})
    assert np.isnan(macro_ovr_auroc.aggregate(one, np.ones((1, 4)))).all()


def test_absent_labels_are_left_out_where_declared() -> None:
    made = macro_ovr_auroc.tabulate(table({"label": list("abab")}), entry(*ROWS[:4]), PARAMS | {"absent": "skip"})
    found = macro_ovr_auroc.aggregate(made, np.ones((1, 4)))[0]
    assert found[0] == (found[1] + found[2]) / 2


def test_a_missing_case_is_as_wrong_as_can_be_for_every_label() -> None:
    perfect = [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]
    reference, nan = table({"label": list("abc")}), float("nan")
    assert value(macro_ovr_auroc, reference, entry(*perfect), PARAMS) == 1.0
    left_out = entry(perfect[0], perfect[1], (nan, nan, nan), missing=[0, 0, 1])
    made = macro_ovr_auroc.tabulate(reference, left_out, PARAMS)
    assert macro_ovr_auroc.aggregate(made, np.ones((1, 3))).tolist() == [[1 / 3, 0.5, 0.5, 0.0]]


def test_labels_come_from_the_probabilities_in_alphabetical_order_or_as_declared() -> None:
    given = {"label": "label", "probabilities": dict(reversed(PROBABILITIES.items()))}
    assert resolve_params(macro_ovr_auroc.card, given, TABLE)["labels"] == LABELS
    assert resolve_params(macro_ovr_auroc.card, given | {"labels": ["c", "a", "b"]}, TABLE)["labels"] == ["c", "a", "b"]


def test_labels_and_probabilities_must_be_of_the_same_labels() -> None:
    given = {"label": "label", "probabilities": PROBABILITIES, "labels": ["a", "b", "d"]}
    assert check_params(macro_ovr_auroc.card, given, TABLE) == [
        "parameter labels of macro_ovr_auroc and probabilities must have the same labels: only one of them has c, d"
    ]


def test_probabilities_are_checked_before_any_score() -> None:
    found = macro_ovr_auroc.validate(index(2), entry((0.5, 0.2, 0.2), (1.5, 0.0, -0.5)), PARAMS)
    assert [(issue.code, issue.column) for issue in found] == [
        ("E-RANGE", "p_a"),
        ("E-RANGE", "p_c"),
        ("E-PROB-SUM", None),
    ]


def test_a_label_of_the_reference_that_is_not_declared_is_refused() -> None:
    with pytest.raises(ReferenceRefused, match="'label' of the reference holds 'd', none of the declared labels"):
        macro_ovr_auroc.tabulate(table({"label": ["d"]}), entry(ROWS[0]), PARAMS)
