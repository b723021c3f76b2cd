"""Probabilities of an entry: what each case gave to its true label, and what is wrong with them before any score.

Binary: one column with the probability of `positive`. Several labels: one column per label, summing to 1.
"""

from functools import partial

import numpy as np

from scoring.cases import CaseIndex
from scoring.columns import Codes, Floats, known, numbers, truth
from scoring.issues import Issue, make_issue
from scoring.metric import Params
from scoring.metrics.listing import listed
from scoring.metrics.schema import LABEL, POSITIVE, PROBABILITIES, SCORE
from scoring.tables import Table

SUM_TOLERANCE = 1e-3
PROPERTIES = {"label": LABEL, "score": SCORE, "positive": POSITIVE, "probabilities": PROBABILITIES}
WAYS = (("score", "positive"), ("probabilities",))


def probabilities(entry: Table, params: Params) -> Floats:
    """(n_cases, labels); in the binary form columns are negative and positive. nan where the case is missing."""
    if "score" in params:
        positive = numbers(entry, params["score"])
        return np.column_stack([1 - positive, positive])
    return np.column_stack([numbers(entry, column) for column in params["probabilities"].values()])


def true_codes(reference: Table, params: Params) -> Codes:
    """Column of `probabilities` that holds the true label of each case. Raises ReferenceRefused for other labels."""
    label = truth(reference, params["label"])
    if "score" in params:
        return np.asarray(label == params["positive"], dtype=np.intp)
    return known(label, list(params["probabilities"]), params["label"])


def check_probabilities(cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:
    """E-RANGE for each probability outside [0, 1]; E-PROB-SUM where a case's do not sum to 1 within 0.001."""
    columns = [params["score"]] if "score" in params else list(params["probabilities"].values())
    total, outside = np.zeros(len(cases.ids)), np.zeros(len(cases.ids), dtype=bool)
    found: list[Issue] = []
    for column in columns:
        values = numbers(entry, column)
        wrong = (values < 0) | (values > 1)
        found += listed(wrong, partial(_range, cases, column, values))
        total, outside = total + values, outside | wrong
    if "score" in params:
        return found
    return found + listed(~outside & (np.abs(total - 1) > SUM_TOLERANCE + 1e-12), partial(_sum, cases, total))


def _range(cases: CaseIndex, column: str, values: Floats, row: int) -> Issue:
    read = f"{values[row]:.12g}"
    return make_issue("E-RANGE", column=column, value=read, low=0.0, high=1.0, case=cases.ids[row])


def _sum(cases: CaseIndex, total: Floats, row: int) -> Issue:
    return make_issue("E-PROB-SUM", value=f"{total[row]:.12g}", case=cases.ids[row])
