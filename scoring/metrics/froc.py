"""FROC: the sensitivity for lesions at fixed rates of false positives per scan."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.columns import Floats, numbers, true_numbers
from scoring.issues import Issue
from scoring.metric import MetricCard, Params, ReferenceRefused, ratio
from scoring.metrics.schema import SCORE, Schema, schema
from scoring.tables import Table
from scoring.weighted import Weights, chunks, sums

Flags = NDArray[np.bool_]
RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


def _axis(name: str) -> Schema:
    text = f"{name} of the centre, in entry and reference, in the unit of the radius"
    return {"type": "string", "x-column": "entry", "description": text}


_PROPERTIES: Mapping[str, Schema] = {
    "x": _axis("x"),
    "y": _axis("y"),
    "z": _axis("z") | {"description": "z of the centre, in entry and reference; without it lesions lie in a plane"},
    "radius": {"type": "string", "x-column": "reference", "description": "column of the reference with the radius"},
    "excluded": {
        "type": "string",
        "x-column": "reference",
        "description": "column of the reference: 1 where a finding is neither to be found nor falsely found, else 0",
    },
    "score": SCORE,
    "rates": {
        "type": "array",
        "items": {"type": "number", "exclusiveMinimum": 0},
        "minItems": 1,
        "uniqueItems": True,
        "default": list(RATES),
        "description": "false positives per scan at which sensitivity is taken",
    },
}

CARD = MetricCard(
    key="froc",
    version="1",
    title="Sensitivity at fixed rates of false positives (FROC)",
    task_category="detection",
    direction="higher",
    range=(0.0, 1.0),
    outputs=("froc", "sensitivity/<rate>"),
    sufficiency="ranked",
    params=schema(_PROPERTIES, required=("x", "y", "radius", "score")),
    undefined={"*": "no-truth"},
    missing="The lesions of a missing case are all missed.",
    rows="many",
)


@dataclass(frozen=True)
class Froc:
    """The mean, over rates of false positives per scan, of the share of lesions found; a case = a scan.

    A candidate hits a lesion where its centre lies within the radius, not on it. A lesion is found at the highest score
    of its hits; its other hits count nowhere, and one candidate may hit several lesions. A candidate that hits nothing
    is a false positive; one that hits only excluded findings counts nowhere. A missed lesion counts in the number of
    lesions and has no score, so it never comes in, however low the threshold. (With a score of 0 it would.)

    Each score is one threshold. Between thresholds the curve is straight, from no candidates at all; beyond the last it
    stays level; where it is upright its upper end counts. Scans without lesions count in the rate. Undefined
    ("no-truth") without lesions.
    Source: the LUNA16 evaluation (Setio et al. 2017, Med. Image Anal. 42, 1), rates 1/8, 1/4, 1/2, 1, 2, 4 and 8.
    """

    card: MetricCard = CARD

    def outputs(self, params: Params) -> tuple[str, ...]:
        """The mean, then the sensitivity at each rate."""
        return ("froc", *(f"sensitivity/{rate:g}" for rate in params["rates"]))

    def validate(self, cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:  # noqa: ARG002
        """Any finite numbers will do."""
        return []

    def tabulate(self, reference: Table, entry: Table, params: Params) -> CaseTable:
        """`marks`: false positives and lesions found, surest first; `lesions`: all that are to be found."""
        score = numbers(entry, params["score"])
        best, free = _matched(reference, entry, params, score)
        lesion = ~_excluded(reference, params)
        found = lesion & (best > -np.inf)
        case = np.concatenate([entry.case[free], reference.case[found]])
        told, hit = np.concatenate([score[free], best[found]]), np.repeat([False, True], [free.sum(), found.sum()])
        order = np.argsort(-told, kind="stable")
        marks = Rows(case[order], {"score": told[order], "hit": hit[order]})
        rates = np.asarray(params["rates"], dtype=np.float64)
        return CaseTable(
            len(reference.missing), {"marks": marks, "lesions": Rows(reference.case[lesion])}, {"rates": rates}
        )

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """(B, 1 + rates)."""
        marks, lesions, rates = table.rows["marks"], table.rows["lesions"], table.meta["rates"]
        scans = weights.sum(axis=1, dtype=np.float64)
        total = sums(lesions.case, np.ones((len(lesions.case), 1)), weights)[:, 0]
        score, hit = marks.columns["score"], marks.columns["hit"]
        ends = np.flatnonzero(np.append(score[1:] != score[:-1], True)) if score.size else np.zeros(0, dtype=np.intp)
        out = np.full((len(weights), len(rates)), np.nan)
        for part, weight in chunks(marks.case, weights):
            hits, alarms = (np.cumsum(weight * side, axis=1)[:, ends] for side in (hit, ~hit))
            shares, per_scan = ratio(hits, total[part, None]), ratio(alarms, scans[part, None])
            for row, (share, rate) in enumerate(zip(shares, per_scan, strict=True), part.start):
                if total[row] > 0:
                    out[row] = np.interp(rates, np.append(0.0, rate), np.append(0.0, share))
        return np.column_stack([out.mean(axis=1), out])

    def case_values(self, table: CaseTable) -> None:  # noqa: ARG002
        """A scan alone has no rate."""
        return


def _matched(reference: Table, entry: Table, params: Params, score: Floats) -> tuple[Floats, Flags]:
    """For each finding of the reference the highest score of its hits (-inf: none); for each candidate whether it hits
    nothing at all."""
    axes = [name for name in ("x", "y", "z") if name in params]
    centre, place = (
        np.column_stack([read(table, params[axis]) for axis in axes])
        for table, read in ((reference, true_numbers), (entry, numbers))
    )
    radius = true_numbers(reference, params["radius"])
    if (radius <= 0).any():
        raise ReferenceRefused(f"column {params['radius']!r} of the reference holds a radius that is not above 0")
    best, free = np.full(len(radius), -np.inf), np.ones(len(place), dtype=bool)
    start, end = (np.searchsorted(entry.case, reference.case, side=side) for side in ("left", "right"))
    for row, (first, last) in enumerate(zip(start.tolist(), end.tolist(), strict=True)):
        with np.errstate(over="ignore"):
            apart = ((place[first:last] - centre[row]) ** 2).sum(axis=1)
        near = first + np.flatnonzero(apart < radius[row] ** 2)
        free[near] = False
        best[row] = score[near].max(initial=-np.inf)
    return best, free


def _excluded(reference: Table, params: Params) -> Flags:
    if "excluded" not in params:
        return np.zeros(len(reference.case), dtype=bool)
    return np.asarray(true_numbers(reference, params["excluded"]) > 0)


froc = Froc()
