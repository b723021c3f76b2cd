"""Agreement of predicted numbers with true ones: R², Lin's concordance, Spearman's rank correlation."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.columns import Floats, numbers, true_numbers
from scoring.issues import Issue
from scoring.metric import MetricCard, Params, ParamsRefused, ReferenceRefused, ratio
from scoring.metrics.errors import LARGEST, check_numbers
from scoring.metrics.schema import VALUE, Schema, schema
from scoring.tables import Table
from scoring.weighted import Weights, chunks

Values = Callable[[Floats, Floats, Floats], Floats]

_TRUE: Schema = {"type": "string", "x-column": "reference", "description": "column of the reference with the number"}
_STAND_IN: Schema = {
    "type": "number",
    "minimum": -LARGEST,
    "maximum": LARGEST,
    "x-needed": "missing",
    "description": (
        "the number that a missing case counts as having answered; one that nobody would answer in earnest, else "
        "leaving a case out may pay"
    ),
}


def _card(key: str, title: str, low: float, why: str, *, ranked: bool = False) -> MetricCard:
    return MetricCard(
        key=key,
        version="1",
        title=title,
        task_category="regression",
        direction="higher",
        range=(low, 1.0),
        outputs=(key,),
        sufficiency="ranked" if ranked else "sums",
        params=schema({"label": _TRUE, "value": VALUE, "stand_in": _STAND_IN}, required=("label", "value")),
        undefined={"*": why},
        missing=(
            "A missing case counts as if it had answered the number that the challenge declares for it (stand_in)."
        ),
    )


@dataclass(frozen=True)
class Agreement:
    """One number for how well predicted numbers x and true ones y agree; 1 is perfect.

    `r2`: 1 - Σ (y - x)² / Σ (y - ȳ)², with ȳ the mean of these cases. 0 is what their mean for everybody has, and there
    is no lowest value. It is no squared correlation: a shift counts. Undefined ("constant-truth") where all y are the
    same. Source: Kvålseth 1985 (Am. Stat. 39, 279), the first of his eight.
    `ccc`: 2·s_xy / (s_x² + s_y² + (x̄ - ȳ)²), moments divided by n; -1 to 1, and 0 for one number for everybody.
    Undefined ("constant-numbers") where all x and y are one number. Source: Lin 1989 (Biometrics 45, 255).
    `spearman`: the correlation of midranks, -1 to 1. A case with the weight k holds k places of the ranking. Undefined
    ("constant-numbers") where all x or all y are the same. Source: Spearman 1904; Kendall 1948 for ties.

    A missing case counts as having answered the number `stand_in`, so leaving one out is never better than an answer.
    """

    card: MetricCard
    values: Values

    def outputs(self, params: Params) -> tuple[str, ...]:  # noqa: ARG002
        """One output."""
        return self.card.outputs

    def validate(self, cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:
        """E-RANGE for numbers whose squares could not be summed."""
        return check_numbers(cases, entry, params)

    def tabulate(self, reference: Table, entry: Table, params: Params) -> CaseTable:
        """True and predicted number of each case."""
        true = true_numbers(reference, params["label"])
        if (np.abs(true) > LARGEST).any():
            raise ReferenceRefused(f"column {params['label']!r} of the reference holds numbers beyond {LARGEST:g}")
        if entry.missing.any() and "stand_in" not in params:
            raise ParamsRefused("a case is missing, and the parameter 'stand_in' does not say what answer it counts as")
        given = np.where(entry.missing, params.get("stand_in", np.nan), numbers(entry, params["value"]))
        return CaseTable(len(true), {"cases": Rows(np.arange(len(true)), {"true": true, "given": given})})

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """(B, 1)."""
        rows = table.rows["cases"]
        out = np.full((len(weights), 1), np.nan)
        for part, weight in chunks(rows.case, weights):
            if table.n_cases:
                out[part, 0] = self.values(rows.columns["true"], rows.columns["given"], weight)
        return out

    def case_values(self, table: CaseTable) -> None:  # noqa: ARG002
        """A case alone agrees with nothing."""
        return


def _r2(true: Floats, given: Floats, weight: Floats) -> Floats:
    return 1 - ratio(weight @ (true - given) ** 2, _spread(_centred(true, weight)[0], weight))


def _ccc(true: Floats, given: Floats, weight: Floats) -> Floats:
    (y, y_mean), (x, x_mean) = _centred(true, weight), _centred(given, weight)
    total = weight.sum(axis=1)
    apart = _spread(x, weight) + _spread(y, weight) + total * (x_mean - y_mean) ** 2
    return ratio(2 * (weight * x * y).sum(axis=1), apart)


def _spearman(true: Floats, given: Floats, weight: Floats) -> Floats:
    x, y = _midranks(given, weight), _midranks(true, weight)
    middle = weight.sum(axis=1, keepdims=True) / 2
    x, y = x - middle, y - middle
    return ratio((weight * x * y).sum(axis=1), np.sqrt(_spread(x, weight)) * np.sqrt(_spread(y, weight)))


def _centred(values: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """`values` (n,) less their weighted mean, (b, n), and that mean, (b,). First less their least: the same number for
    every case then leaves exactly nothing, where a mean would leave its rounding error."""
    least = np.where(weight > 0, values, np.inf).min(axis=1, keepdims=True)
    above = values - np.where(np.isfinite(least), least, 0.0)
    mean = ratio((weight * above).sum(axis=1, keepdims=True), weight.sum(axis=1, keepdims=True))
    return above - mean, (least + mean)[:, 0]


def _spread(centred: Floats, weight: Floats) -> Floats:
    """(b,): weighted sum of squares."""
    return np.asarray((weight * centred**2).sum(axis=1))


def _midranks(values: Floats, weight: Floats) -> Floats:
    """(b, n): weight of the cases below, and half of that of the cases with the same value; exact for whole weights.
    That is the midrank less one half, with the weighted mean Σ weight / 2."""
    different, code = np.unique(values, return_inverse=True)
    order = np.argsort(code, kind="stable")
    start = np.searchsorted(code[order], np.arange(len(different)))
    each = np.add.reduceat(weight[:, order], start, axis=1)
    return np.asarray(np.take(np.cumsum(each, axis=1) - each / 2, code, axis=1))


r2 = Agreement(_card("r2", "Coefficient of determination (R²)", -np.inf, "constant-truth"), _r2)
ccc = Agreement(_card("ccc", "Concordance correlation coefficient (Lin)", -1.0, "constant-numbers"), _ccc)
spearman = Agreement(_card("spearman", "Spearman's rank correlation", -1.0, "constant-numbers", ranked=True), _spearman)
