"""A weighted sum of outputs of other metrics: as a metric it is only a card, `scoring.composite` does the sum."""

from dataclasses import dataclass

import numpy as np

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable
from scoring.columns import Floats
from scoring.issues import Issue
from scoring.metric import MetricCard, Params, ParamsRefused
from scoring.metrics.schema import Schema, schema
from scoring.tables import Table
from scoring.weighted import Weights

ALONE = (
    "composite cannot be used alone: it reads no files, but sums up outputs of the other metrics of a challenge, "
    "so declare it in challenge.toml and score with `arbitre score`"
)

_TERM: Schema = schema(
    {
        "metric": {"type": "string", "description": "id of another metric of the challenge"},
        "output": {"type": "string", "description": "one of its outputs; by default the main one"},
        "weight": {"type": "number", "description": "its factor; below 0 where lower is better"},
    },
    required=("metric", "weight"),
)
_TERMS: Schema = {
    "type": "array",
    "items": _TERM,
    "minItems": 1,
    "description": (
        "what is summed up: a list of {metric = the id of another metric of the challenge, output = one of its outputs "
        "(by default the main one), weight = its factor, below 0 where lower is better}"
    ),
}
_OFFSET: Schema = {"type": "number", "default": 0.0, "description": "what is added to the sum"}

CARD = MetricCard(
    key="composite",
    version="1",
    title="Composite score",
    task_category="composite",
    direction="higher",
    range=(-np.inf, np.inf),
    outputs=("composite",),
    sufficiency="custom",
    params=schema({"terms": _TERMS, "offset": _OFFSET}, required=("terms",)),
    undefined={"*": "term-undefined"},
    missing="A missing case counts in each term as that metric says.",
    rows="none",
)


@dataclass(frozen=True)
class Composite:
    """offset + Σ weight · output, higher is better. It has no table; whoever asks it for one is told why."""

    card: MetricCard = CARD

    def outputs(self, params: Params) -> tuple[str, ...]:  # noqa: ARG002
        """One output."""
        return self.card.outputs

    def validate(self, cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:  # noqa: ARG002
        """Its terms look at the entry."""
        return []

    def tabulate(self, reference: Table, entry: Table, params: Params) -> CaseTable:  # noqa: ARG002
        """Refused."""
        raise ParamsRefused(ALONE)

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:  # noqa: ARG002
        """Refused."""
        raise ParamsRefused(ALONE)

    def case_values(self, table: CaseTable) -> None:  # noqa: ARG002
        """It has none."""
        return


composite = Composite()
