"""Area under the ROC curve."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.columns import Floats, numbers, truth
from scoring.issues import Issue
from scoring.metric import MetricCard, Params, ratio
from scoring.metrics.schema import LABEL, POSITIVE, SCORE, schema
from scoring.tables import Table
from scoring.weighted import Weights

SIDES = ("positives", "negatives")
Mask = NDArray[np.bool_]
_LEAST, _MOST, _CACHED = 32, 256, 1 << 16

CARD = MetricCard(
    key="auroc",
    version="1",
    title="Area under the ROC curve",
    task_category="classification",
    direction="higher",
    range=(0.0, 1.0),
    outputs=("auroc",),
    sufficiency="ranked",
    params=schema({"label": LABEL, "score": SCORE, "positive": POSITIVE}, required=("label", "score", "positive")),
    undefined={"*": "one-class"},
    missing="A missing case has the worst possible score: a positive below all others, a negative above all others.",
    interval="delong",
)


@dataclass(frozen=True)
class Auroc:
    """The probability that a positive case has a higher score than a negative one, equal scores counting half.

    Higher scores mean positive; the direction is never flipped. A missing case has the worst possible score: a positive
    below all others, a negative above all others. Undefined ("one-class") without positives or without negatives.
    Source: the Mann-Whitney statistic (Hanley and McNeil 1982), with weights as repeated cases.
    """

    card: MetricCard = CARD

    def outputs(self, params: Params) -> tuple[str, ...]:  # noqa: ARG002
        """One output."""
        return self.card.outputs

    def validate(self, cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:  # noqa: ARG002
        """Any finite score will do."""
        return []

    def tabulate(self, reference: Table, entry: Table, params: Params) -> CaseTable:
        """Positives and negatives, each sorted by score."""
        positive = truth(reference, params["label"]) == params["positive"]
        sides = ranked(positive, numbers(entry, params["score"]), entry.missing)
        return CaseTable(len(positive), dict(zip(SIDES, sides, strict=True)))

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """Weight of negatives below each positive, plus half of those at it; exact for whole weights, (B, 1)."""
        positives, negatives = (table.rows[side] for side in SIDES)
        return area(positives, negatives, weights)[:, np.newaxis]

    def case_values(self, table: CaseTable) -> None:  # noqa: ARG002
        """A case alone has no area."""
        return


def ranked(positive: Mask, score: Floats, missing: Mask) -> tuple[Rows, Rows]:
    """Positives and negatives of n cases, each in ascending order of the score; a missing case has the worst score."""
    told = np.where(missing, np.where(positive, -np.inf, np.inf), score)
    order = np.argsort(told, kind="stable")
    above, under = order[positive[order]], order[~positive[order]]
    return Rows(above, {"score": told[above]}), Rows(under, {"score": told[under]})


def area(positives: Rows, negatives: Rows, weights: Weights) -> Floats:
    """Area of `ranked` cases, (B,): weight of pairs in the right order, ties half, of all pairs; nan without pairs.

    Exact for whole weights. Sums run over the ascending scores from block to block; within a block a small product does
    in the cache what cumulated sums would do outside of it.
    """
    case = np.concatenate([positives.case, negatives.case])
    score = np.concatenate([positives.columns["score"], negatives.columns["score"]])
    order = np.argsort(score, kind="stable")  # of equal scores positives first
    positive, case, score, by_case = order < len(positives.case), case[order], score[order], weights.T
    won, above, under, tied = np.zeros((4, len(weights)))
    for part in _blocks(len(case), len(weights)):
        side, value = positive[part], score[part]
        ups, downs = (by_case[case[part][rows]].astype(np.float64) for rows in (side, ~side))
        high, low = value[side], value[~side]
        right = (high[:, np.newaxis] > low) + 0.5 * (high[:, np.newaxis] == low)
        won += np.einsum("ib,ib->b", right @ downs + under, ups)
        if part.start and value[0] == score[part.start - 1]:
            won += tied * downs[low == value[0]].sum(axis=0) / 2
        else:
            tied = np.zeros_like(tied)
        tied = ups[high == value[-1]].sum(axis=0) + (tied if value[-1] == value[0] else 0)
        above += ups.sum(axis=0)
        under += downs.sum(axis=0)
    return ratio(won, above * under)


def _blocks(rows: int, replicates: int) -> Iterator[slice]:
    """Parts of the rows: so many that their weights stay in the cache, and not more than a product is quick for."""
    step = min(_MOST, max(_LEAST, _CACHED // max(1, replicates)))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


auroc = Auroc()
