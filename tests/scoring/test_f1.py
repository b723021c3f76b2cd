"""F1 by hand: absent labels, missing cases, labels outside the set."""

import numpy as np

from scoring.metrics.f1 import macro_f1, micro_f1
from tests.scoring.builders import table, value

LABELS = ["a", "b", "c"]
MACRO = {"label": "label", "prediction": "answer", "labels": LABELS, "subset": False, "absent": "nan"}
MICRO = {"label": "label", "prediction": "answer", "labels": LABELS, "subset": False}
REFERENCE = table({"label": list("aabc")})


def test_macro_is_the_mean_over_labels_and_each_label_stands_beside_it() -> None:
    made = macro_f1.tabulate(REFERENCE, table({"answer": list("abbc")}), MACRO)
    assert macro_f1.outputs(MACRO) == ("macro_f1", "f1/a", "f1/b", "f1/c")
    assert macro_f1.aggregate(made, np.ones((1, 4))).tolist() == [[(2 / 3 + 2 / 3 + 1) / 3, 2 / 3, 2 / 3, 1.0]]


def test_a_label_only_answered_has_zero_and_one_that_occurs_nowhere_is_undefined() -> None:
    made = macro_f1.tabulate(table({"label": list("aa")}), table({"answer": list("ab")}), MACRO)
    found = macro_f1.aggregate(made, np.ones((1, 2)))[0]
    assert found[1:3].tolist() == [2 / 3, 0.0]
    assert np.isnan(found[[0, 3]]).all()
    assert macro_f1.card.reason("f1/c") == macro_f1.card.reason("macro_f1") == "label-absent"


def test_absent_labels_are_left_out_of_the_mean_where_declared() -> None:
    entry = table({"answer": list("ab")})
    assert value(macro_f1, table({"label": list("aa")}), entry, MACRO | {"absent": "skip"}) == 1 / 3


def test_a_missing_case_is_a_miss_and_for_micro_also_a_wrong_answer() -> None:
    entry = table({"answer": ["a", "", "b", "c"]}, missing=[0, 1, 0, 0])
    assert value(macro_f1, REFERENCE, entry, MACRO) == (2 / 3 + 1 + 1) / 3
    assert value(micro_f1, REFERENCE, entry, MICRO) == 0.75
    wrong = table({"answer": list("abbc")})
    assert value(micro_f1, REFERENCE, wrong, MICRO) == 0.75


def test_labels_outside_a_subset_count_as_none() -> None:
    params = {**MICRO, "labels": ["b", "c"], "subset": True}
    assert value(micro_f1, REFERENCE, table({"answer": list("aabc")}), params) == 1.0
    assert value(micro_f1, REFERENCE, table({"answer": list("baac")}), params) == 0.5
    assert np.isnan(value(micro_f1, table({"label": list("aa")}), table({"answer": list("aa")}), params))


def test_the_order_of_labels_only_orders_the_outputs() -> None:
    entry = table({"answer": list("abbc")})
    assert value(macro_f1, REFERENCE, entry, MACRO | {"labels": ["c", "a", "b"]}) == value(
        macro_f1, REFERENCE, entry, MACRO
    )
