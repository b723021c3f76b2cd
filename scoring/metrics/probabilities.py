"""Probabilities of an entry: what each case gave to its true label, and what is wrong with them before any score.

Binary: one column with the probability of `positive`. Several labels: one column per label, summing to 1.
"""

import numpy as np
from numpy.typing import NDArray

from scoring.cases import CaseIndex
from scoring.columns import Codes, Floats, known, numbers, truth
from scoring.issues import Issue, make_issue
from scoring.metric import Params
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
    values = np.column_stack([numbers(entry, column) for column in columns])
    outside = (values < 0) | (values > 1)
    found = [_range(cases.ids[i], columns[j], values[i, j]) for i, j in np.argwhere(outside).tolist()]
    if "score" in params:
        return found
    totals = values.sum(axis=1)
    wrong = (np.abs(totals - 1) > SUM_TOLERANCE + 1e-12) & ~_any(outside)
    return found + [_sum(cases.ids[i], totals[i]) for i in np.flatnonzero(wrong).tolist()]


def _any(outside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(outside.any(axis=1))


def _range(case: str, column: str, value: float) -> Issue:
    return make_issue("E-RANGE", column=column, value=f"{value:.12g}", low=0.0, high=1.0, case=case)


def _sum(case: str, total: float) -> Issue:
    return make_issue("E-PROB-SUM", value=f"{total:.12g}", case=case)
