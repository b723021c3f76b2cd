"""Errors of predicted numbers: the mean of their size (MAE), and the root of the mean of their squares (RMSE)."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.columns import Floats, numbers, true_numbers
from scoring.issues import Issue, make_issue
from scoring.metric import MetricCard, Params, ParamsRefused, ReferenceRefused, mean_metric, ratio
from scoring.metrics.listing import listed
from scoring.metrics.schema import VALUE, Schema, schema
from scoring.tables import Table
from scoring.weighted import Weights, sums

LARGEST = 1e100  # the square of the difference of two such numbers, summed over any number of cases, is still finite

_TRUE: Schema = {"type": "string", "x-column": "reference", "description": "column of the reference with the number"}
_WORST: Schema = {
    "type": "number",
    "exclusiveMinimum": 0,
    "x-needed": "missing",
    "description": (
        "the error that a missing case counts as; make it as large as an error can be, else leaving a case out may pay"
    ),
}
_PARAMS = schema({"label": _TRUE, "value": VALUE, "worst": _WORST}, required=("label", "value"))
_MISSING = "A missing case counts as the error that the challenge declares for it (worst)."


def errors(reference: Table, entry: Table, params: Params) -> Floats:
    """(n_cases,) sizes of the errors, 0 or more; `worst` for a missing case."""
    true = true_numbers(reference, params["label"])
    if (np.abs(true) > LARGEST).any():
        raise ReferenceRefused(f"column {params['label']!r} of the reference holds numbers beyond {LARGEST:g}")
    if entry.missing.any() and "worst" not in params:
        raise ParamsRefused("a case is missing, and the parameter 'worst' does not say what error it counts as")
    found = np.abs(numbers(entry, params["value"]) - true)
    return np.where(entry.missing, params.get("worst", np.nan), found)


def check_numbers(cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:
    """E-RANGE for numbers beyond ±1e100, whose squares could not be summed."""
    values = numbers(entry, params["value"])
    return listed(np.abs(values) > LARGEST, partial(_range, cases, params["value"], values))


def _range(cases: CaseIndex, column: str, values: Floats, row: int) -> Issue:
    read = f"{values[row]:.12g}"
    return make_issue("E-RANGE", column=column, value=read, low=-LARGEST, high=LARGEST, case=cases.ids[row])


mae = mean_metric(
    key="mae",
    title="Mean absolute error",
    task_category="regression",
    direction="lower",
    range=(0.0, np.inf),
    params=_PARAMS,
    missing=_MISSING,
    check=check_numbers,
)(errors)

RMSE = MetricCard(
    key="rmse",
    version="1",
    title="Root mean squared error",
    task_category="regression",
    direction="lower",
    range=(0.0, np.inf),
    outputs=("rmse",),
    sufficiency="sums",
    params=_PARAMS,
    undefined={"*": "no-cases"},
    missing=_MISSING,
)


@dataclass(frozen=True)
class Rmse:
    """The root of the mean of squared errors, in the unit of the number; a missing case counts as the error `worst`."""

    card: MetricCard = RMSE

    def outputs(self, params: Params) -> tuple[str, ...]:  # noqa: ARG002
        """One output."""
        return self.card.outputs

    def validate(self, cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:
        """E-RANGE for numbers whose squares could not be summed."""
        return check_numbers(cases, entry, params)

    def tabulate(self, reference: Table, entry: Table, params: Params) -> CaseTable:
        """The squared error of each case."""
        square = errors(reference, entry, params) ** 2
        return CaseTable(len(square), {"cases": Rows(np.arange(len(square)), {"square": square})})

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """(B, 1); nan where no case has weight."""
        rows = table.rows["cases"]
        square = rows.columns["square"]
        total = sums(rows.case, np.column_stack([square, np.ones_like(square)]), weights)
        return np.sqrt(ratio(total[:, :1], total[:, 1:]))

    def case_values(self, table: CaseTable) -> None:  # noqa: ARG002
        """The root of a mean is no mean."""
        return


rmse = Rmse()
