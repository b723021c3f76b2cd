"""What a metric is: a card that describes it, and the steps from files to numbers.

`tabulate` meets reference and predictions once and returns a `CaseTable`; `aggregate` turns that table and rows of case
weights into values. Ones give the value, 0/1 masks a split or subgroup, cluster counts a resample. A weight of 2 is the
same as the case twice, and 0 the same as the case left out; undefined is nan and never 0.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.issues import Issue
from scoring.tables import Table
from scoring.weighted import Weights, sums

Params = Mapping[str, Any]
Floats = NDArray[np.float64]


class ParamsRefused(ValueError):
    """The challenge uses a metric with parameters that it does not have or cannot use. The organiser's to mend."""


class ReferenceRefused(ValueError):
    """The reference does not hold what the metric was told to find there. The organiser's to mend."""


@dataclass(frozen=True)
class MetricCard:
    """A metric described as data: all that the service, the pages and the CLI ever see of it.

    `version`: values of a metric change only with it. `task_category`: as in the BIAS form. `range`: lowest and highest
    possible value, inf where there is no bound. `outputs`: names, the first is the main one; ``f1/<label>`` stands for
    one output per label. `sufficiency`: mean of cases, function of weighted sums, order statistic, or refit.
    `params`: JSON Schema of the parameters; a property with ``x-column`` names a column of the ``entry`` or the
    ``reference`` (the other words of our own: `scoring.metrics.schema`). `undefined`: output (or its part before the
    slash, or ``*``) -> code of why a value can be undefined. `missing`: one sentence on what a missing case counts as.
    `rows`: whether it reads tables of one row or of many rows per case, or no table but outputs of other metrics.
    `labels_from`: the parameter whose entry column lists the labels, where `labels` is not given.
    `interval`: how the interval of each output is made (docs/decisions/0030): ``percentile``, ``basic`` or ``bca`` from
    resampled patients (or cases), ``delong`` for one output whose table has the row sets ``positives`` and
    ``negatives``, each ascending by its column ``score``, ``none`` where all of these mislead. Whatever the method, it
    says how far the value would move with other test patients like these, for this very entry. It covers neither
    another training run, nor other hospitals, nor that the entry may be the best of many tries.
    """

    key: str
    version: str
    title: str
    task_category: str
    direction: Literal["higher", "lower"]
    range: tuple[float, float]
    outputs: tuple[str, ...]
    sufficiency: Literal["mean", "sums", "ranked", "custom"]
    params: Mapping[str, Any]
    undefined: Mapping[str, str]
    missing: str
    interval: Literal["percentile", "basic", "bca", "delong", "none"] = "bca"
    rows: Literal["one", "many", "none"] = "one"
    labels_from: str | None = None

    def reason(self, output: str) -> str:
        """Code of why `output` is undefined where it is nan."""
        keys = (output, output.partition("/")[0], "*")
        return next((self.undefined[key] for key in keys if key in self.undefined), "undefined")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: tuples as lists, an infinite bound of the range as null."""
        plain = {name: list(part) if isinstance(part, tuple) else part for name, part in vars(self).items()}
        return plain | {"range": [bound if np.isfinite(bound) else None for bound in self.range]}


class Metric(Protocol):
    """What every metric offers, built-in or an organiser's own.

    Tables come with label columns as text ("" = none), so that reference and predictions compare as they are written.
    """

    @property
    def card(self) -> MetricCard:
        """The metric described as data."""

    def outputs(self, params: Params) -> tuple[str, ...]:
        """Names of the values, in the order of `aggregate`'s columns; the first is the main one."""

    def validate(self, cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:
        """Problems of an entry that only this metric knows. Never receives the reference."""

    def tabulate(self, reference: Table, entry: Table, params: Params) -> CaseTable:
        """Sufficient statistics of each case: the only slow step, done once. Raises ReferenceRefused."""

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """`weights` (B, n_cases) of 0 or more -> (B, n_outputs); nan where undefined."""

    def case_values(self, table: CaseTable) -> Floats | None:
        """(n_cases,) values whose mean is the metric (nan: the case takes no part), or None where there are none."""


PerCase = Callable[[Table, Table, Params], Floats]
Check = Callable[[CaseIndex, Table, Params], list[Issue]]


@dataclass(frozen=True)
class MeanMetric:
    """A metric that is the mean of one number per case, as `mean_metric` makes it."""

    card: MetricCard
    per_case: PerCase
    check: Check | None = None

    def outputs(self, params: Params) -> tuple[str, ...]:  # noqa: ARG002
        """One output, named as on the card."""
        return self.card.outputs

    def validate(self, cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:
        """What the metric's own check finds."""
        return self.check(cases, entry, params) if self.check else []

    def tabulate(self, reference: Table, entry: Table, params: Params) -> CaseTable:
        """One row per case that takes part."""
        values = np.asarray(self.per_case(reference, entry, params), dtype=np.float64)
        case = np.flatnonzero(~np.isnan(values))
        return CaseTable(len(values), {"cases": Rows(case, {"value": values[case]})})

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """Weighted mean, (B, 1); nan where no case has weight."""
        rows = table.rows["cases"]
        value = rows.columns["value"]
        total = sums(rows.case, np.column_stack([value, np.ones_like(value)]), weights)
        return ratio(total[:, :1], total[:, 1:])

    def case_values(self, table: CaseTable) -> Floats:
        """The number of each case; nan where the case takes no part."""
        rows = table.rows["cases"]
        values = np.full(table.n_cases, np.nan)
        values[rows.case] = rows.columns["value"]
        return values


def mean_metric(
    *,
    key: str,
    title: str,
    task_category: str,
    direction: Literal["higher", "lower"],
    range: tuple[float, float],
    params: Mapping[str, Any],
    missing: str,
    version: str = "1",
    check: Check | None = None,
    labels_from: str | None = None,
) -> Callable[[PerCase], MeanMetric]:
    """Make a metric of a function (reference, entry, params) -> (n_cases,) values, nan where a case takes no part.

    Its one output bears the metric's key, and is undefined ("no-cases") where no case takes part.
    """
    card = MetricCard(
        key=key,
        version=version,
        title=title,
        task_category=task_category,
        direction=direction,
        range=range,
        outputs=(key,),
        sufficiency="mean",
        params=params,
        undefined={"*": "no-cases"},
        missing=missing,
        labels_from=labels_from,
    )
    return lambda per_case: MeanMetric(card, per_case, check)


def ratio(above: Floats, below: Floats) -> Floats:
    """above / below, nan where `below` is 0; shapes broadcast."""
    above, below = np.broadcast_arrays(above, below)
    return np.asarray(np.divide(above, below, out=np.full(above.shape, np.nan), where=below != 0))
