"""F-beta of boxes that are found or missed: the mean over images, or of all boxes together."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.columns import Floats, numbers, texts, truth
from scoring.issues import Issue
from scoring.metric import MeanMetric, MetricCard, Params, ReferenceRefused, ratio
from scoring.metrics.box_pairs import Grouped, Places, paired
from scoring.metrics.corners import corner_issues, size_issues
from scoring.metrics.schema import Schema, schema
from scoring.tables import Table
from scoring.weighted import Weights, sums

CORNERS, SIZES = ("x1", "y1", "x2", "y2"), ("x", "y", "width", "height")
_BOTH = "in entry and reference"


def _column(text: str) -> Schema:
    return {"type": "string", "x-column": "entry", "description": text}


_EMPTY: Schema = {
    "enum": ["one", "skip"],
    "type": "string",
    "default": "one",
    "description": "what an image without true and predicted boxes counts as: 1, or not at all",
}
_PROPERTIES: Mapping[str, Schema] = {
    **{name: _column(f"corner {name} of the box, {_BOTH}; instead of width and height") for name in CORNERS},
    **{name: _column(f"{name} of the box, {_BOTH}; instead of two corners") for name in SIZES},
    "class": _column(f"class of the box, {_BOTH}; without it all boxes are of one class"),
    "score": _column("confidence of the prediction, by which the surest is paired first; without it the best pair is"),
    "overlap": {"enum": ["iou", "giou"], "type": "string", "default": "iou", "description": "how overlap is measured"},
    "at": {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "description": "overlap from which a box is found"},
    "beta": {
        "type": "number",
        "exclusiveMinimum": 0,
        "default": 1.0,
        "description": "how many times as much recall weighs as precision",
    },
}
_MISSING = "The true boxes of a missing image are all missed."


def fbeta(hits: Floats, found: Floats, true: Floats, beta: float) -> Floats:
    """(1 + β²)·hits / (β²·true + found), nan without boxes (van Rijsbergen 1979); shapes broadcast."""
    return ratio((1 + beta**2) * hits, beta**2 * true + found)


def box_counts(reference: Table, entry: Table, params: Params) -> Floats:
    """(images, 3): boxes found, predicted, true. Pairs are one to one, in each image and class (`box_pairs.paired`)."""
    true_box, box = _corners(reference, params), _corners(entry, params)
    if (true_box[:, :2] >= true_box[:, 2:]).any():
        raise ReferenceRefused("the reference holds a box without width or height")
    group, true_group = _groups(reference, entry, params)
    score = numbers(entry, params["score"]) if "score" in params else None
    generalised = params["overlap"] == "giou"
    hit = paired(Grouped(group, box), Grouped(true_group, true_box), score, at=params["at"], generalised=generalised)
    cases, n_cases = (entry.case[hit], entry.case, reference.case), len(reference.missing)
    return np.column_stack([np.bincount(case, minlength=n_cases) for case in cases]).astype(np.float64)


def _corners(table: Table, params: Params) -> Floats:
    names = SIZES if "width" in params else CORNERS
    sides = np.column_stack([numbers(table, params[name]) for name in names])
    if names is SIZES:
        with np.errstate(over="ignore"):
            sides[:, 2:] += sides[:, :2]
    return sides


def _groups(reference: Table, entry: Table, params: Params) -> tuple[Places, Places]:
    """Image and class as one number, of predicted and of true boxes."""
    if "class" not in params:
        return entry.case, reference.case
    both = np.concatenate([texts(entry, params["class"]), truth(reference, params["class"])])
    names, code = np.unique(both, return_inverse=True)
    group = np.concatenate([entry.case, reference.case]) * len(names) + code
    return group[: len(entry.case)], group[len(entry.case) :]


def _check(cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:
    """E-BOX for each box with x1 >= x2 or y1 >= y2, E-BOX-SIZE where width or height is 0 or less."""
    if "width" in params:
        return size_issues(cases, entry, (params["width"], params["height"]))
    return corner_issues(cases, entry, ((params["x1"], params["x2"]), (params["y1"], params["y2"])))


def _of_images(reference: Table, entry: Table, params: Params) -> Floats:
    hits, found, true = box_counts(reference, entry, params).T
    value = fbeta(hits, found, true, params["beta"])
    return np.where(np.isnan(value), 1.0 if params["empty"] == "one" else np.nan, value)


fbeta_boxes = MeanMetric(
    MetricCard(
        key="fbeta_boxes",
        version="1",
        title="F-beta of boxes",
        task_category="detection",
        direction="higher",
        range=(0.0, 1.0),
        outputs=("fbeta_boxes",),
        sufficiency="mean",
        params=schema({**_PROPERTIES, "empty": _EMPTY}, required=("at",), one_of=(CORNERS, SIZES)),
        undefined={"*": "no-cases"},
        missing=_MISSING,
        rows="many",
    ),
    _of_images,
    _check,
)
"""The mean over images of F-beta, with a case = an image. An image without true boxes has 0 with any prediction, and
without one what `empty` declares: 1, since that is right, or no part in the mean.

DigiLut (2024) ranked by such a mean with beta = 2, but there a prediction was right with any true box of GIoU above
0.5, so many on one box were all right; here each true box is found once, and an overlap of just `at` suffices."""


POOLED = MetricCard(
    key="pooled_fbeta_boxes",
    version="1",
    title="F-beta of all boxes together",
    task_category="detection",
    direction="higher",
    range=(0.0, 1.0),
    outputs=("pooled_fbeta_boxes", "precision", "recall"),
    sufficiency="sums",
    params=schema(_PROPERTIES, required=("at",), one_of=(CORNERS, SIZES)),
    undefined={"*": "no-boxes", "recall": "no-truth"},
    missing=_MISSING,
    rows="many",
)


@dataclass(frozen=True)
class PooledFbeta:
    """F-beta of all boxes of all images together, with precision and recall.

    Images with many boxes weigh more than in the mean over images, and those without boxes nothing. Undefined
    ("no-boxes") where there are neither true nor predicted boxes; recall without true ones, precision without
    predicted ones.
    """

    card: MetricCard = POOLED

    def outputs(self, params: Params) -> tuple[str, ...]:  # noqa: ARG002
        """F-beta, precision, recall."""
        return self.card.outputs

    def validate(self, cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:
        """E-BOX or E-BOX-SIZE for what is no box."""
        return _check(cases, entry, params)

    def tabulate(self, reference: Table, entry: Table, params: Params) -> CaseTable:
        """Boxes found, predicted and true of each image."""
        counted = box_counts(reference, entry, params)
        rows = Rows(np.arange(len(counted)), {"counts": counted})
        return CaseTable(len(counted), {"images": rows}, {"beta": np.asarray(float(params["beta"]))})

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """(B, 3)."""
        rows = table.rows["images"]
        hits, found, true = sums(rows.case, rows.columns["counts"], weights).T
        value = fbeta(hits, found, true, float(table.meta["beta"]))
        return np.column_stack([value, ratio(hits, found), ratio(hits, true)])

    def case_values(self, table: CaseTable) -> None:  # noqa: ARG002
        """The value is no mean of images."""
        return


pooled_fbeta_boxes = PooledFbeta()
