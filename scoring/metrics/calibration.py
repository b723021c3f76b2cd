"""Calibration of probabilities of two classes: slope, intercept, observed to expected, and what recalibrating gains."""

from dataclasses import dataclass

import numpy as np

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.columns import Floats, numbers, truth
from scoring.issues import Issue
from scoring.metric import MetricCard, Params, ratio
from scoring.metrics.logistic import Line, fit, has_fit, likelihood
from scoring.metrics.probabilities import check_probabilities
from scoring.metrics.schema import LABEL, POSITIVE, SCORE, Schema, schema
from scoring.tables import Table
from scoring.weighted import Weights, chunks

DECIMALS = 10  # what a fit by iteration is good for, whatever the order of its sums
_EPS: Schema = {
    "type": "number",
    "exclusiveMinimum": 0,
    "exclusiveMaximum": 0.5,
    "default": 1e-8,
    "description": "probabilities are taken as at least this and at most 1 minus this, since 0 and 1 have no logit",
}

CARD = MetricCard(
    key="calibration",
    version="1",
    title="Calibration of probabilities",
    task_category="classification",
    direction="lower",
    range=(-np.inf, np.inf),
    outputs=("calibration", "slope", "intercept", "in_the_large", "observed_expected"),
    sufficiency="custom",
    params=schema(
        {"label": LABEL, "score": SCORE, "positive": POSITIVE, "eps": _EPS}, required=("label", "score", "positive")
    ),
    undefined={"*": "not-fitted", "in_the_large": "one-class", "observed_expected": "nothing-expected"},
    missing="A missing case is as wrong as can be: a positive one has the probability eps, a negative one 1 minus eps.",
)


@dataclass(frozen=True)
class Calibration:
    """Logistic recalibration: the line logit(q) = intercept + slope · logit(p) under which the truth is most likely.

    `slope`: 1 is right, below 1 probabilities are too extreme, above 1 too timid. `intercept`: 0 is right.
    `in_the_large`: the intercept where the slope is held at 1; above 0 probabilities are too low on the whole.
    `observed_expected`: positive cases by the sum of probabilities; 1 is right.
    `calibration`, in nats per case and 0 or more: by how much log loss falls when p is replaced by q. The others cannot
    rank, being best in the middle; this one is 0 just where slope is 1 and intercept 0. It says nothing of
    discrimination: near the prevalence for everybody little is to be gained.

    p is clipped to [eps, 1 - eps], except in `observed_expected`. Slope and intercept have no finite fit
    ("not-fitted") with one class, where one logit parts the classes, or where all p are the same. They are fitted by
    weighted Newton steps in float64, and given to ten decimals.
    Source: Cox 1958 (Biometrika 45, 562) for the line; Van Calster et al. 2019 (BMC Med. 17, 230) for how it is read.
    """

    card: MetricCard = CARD

    def outputs(self, params: Params) -> tuple[str, ...]:  # noqa: ARG002
        """What recalibrating gains, then the measures of calibration."""
        return self.card.outputs

    def validate(self, cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:
        """E-RANGE for what is no probability."""
        return check_probabilities(cases, entry, params)

    def tabulate(self, reference: Table, entry: Table, params: Params) -> CaseTable:
        """Whether each case is positive, its probability, and the logit of that."""
        positive = truth(reference, params["label"]) == params["positive"]
        given = np.where(entry.missing, ~positive * 1.0, numbers(entry, params["score"]))
        clipped = np.clip(given, params["eps"], 1 - params["eps"])
        columns = {"positive": positive, "given": given, "logit": np.log(clipped) - np.log1p(-clipped)}
        return CaseTable(len(positive), {"cases": Rows(np.arange(len(positive)), columns)})

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """(B, 5)."""
        rows = table.rows["cases"]
        logit, positive = rows.columns["logit"], rows.columns["positive"]
        out = np.full((len(weights), 5), np.nan)
        for part, weight in chunks(rows.case, weights):
            out[part, 4] = ratio(weight @ positive, weight @ rows.columns["given"])
            out[part, :4] = _fitted(logit, positive.astype(np.float64), weight)
        return out

    def case_values(self, table: CaseTable) -> None:  # noqa: ARG002
        """A line through one case says nothing."""
        return


def _fitted(logit: Floats, true: Floats, weight: Floats) -> Floats:
    """(b, 4): gain, slope, intercept, and the intercept of slope 1; `weight` (b, n)."""
    out = np.full((len(weight), 4), np.nan)
    both = ((weight @ true) > 0) & ((weight @ (1 - true)) > 0)
    out[both, 3] = fit(logit, true, weight[both], slope=1.0).intercept
    fits = has_fit(logit, true > 0, weight)
    kept = weight[fits]
    line = fit(logit, true, kept)
    same = Line(np.zeros(len(kept)), np.ones(len(kept)))
    gain = ratio(likelihood(line, logit, true, kept) - likelihood(same, logit, true, kept), kept.sum(axis=1))
    out[fits, :3] = np.column_stack([np.maximum(gain, 0), line.slope, line.intercept])
    return np.round(out, DECIMALS)


calibration = Calibration()
