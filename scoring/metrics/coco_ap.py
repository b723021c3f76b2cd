"""COCO's average precision of boxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.columns import NONE, Floats, codes, known, numbers, texts, truth
from scoring.issues import Issue
from scoring.metric import MetricCard, Params, ReferenceRefused
from scoring.metrics.coco_curve import Curves, average_precisions, runs_of
from scoring.metrics.coco_matching import AREAS, THRESHOLDS, Boxes, Truth, best_of_each, match
from scoring.metrics.corners import corner_issues, size_issues
from scoring.metrics.schema import LABELS, Schema, schema
from scoring.tables import Table
from scoring.weighted import Weights

CORNERS, SIZES = ("x1", "y1", "x2", "y2"), ("x", "y", "width", "height")
_CHUNK = 1 << 18  # weights of one class held at once: 2 MB as float64 stay in the cache


def _parts() -> NDArray[np.bool_]:
    """(6, areas, thresholds): the cells that each summary is the mean of, in the order of the outputs."""
    areas = np.array([AREAS.index(name) for name in ("all", "all", "all", "small", "medium", "large")])
    parts = np.repeat((areas[:, np.newaxis] == np.arange(len(AREAS)))[:, :, np.newaxis], len(THRESHOLDS), axis=2)
    for row, threshold in ((1, 0.5), (2, 0.75)):
        parts[row] &= np.isclose(THRESHOLDS, threshold)
    return parts


_PARTS = _parts()


def _column(text: str) -> Schema:
    return {"type": "string", "x-column": "entry", "description": text}


def _extra(text: str) -> Schema:
    return {"type": "string", "x-column": "reference", "description": text}


_BOTH = "in entry and reference"
_COLUMNS = {
    **{name: _column(f"corner {name} of the box, {_BOTH}; instead of width and height") for name in CORNERS},
    **{name: _column(f"{name} of the box, {_BOTH}; instead of two corners") for name in SIZES},
    "class": _column(f"class of the box, {_BOTH}") | {"default": "class"},
    "score": _column("confidence of the detection; without it all are equally sure"),
    "crowd": _extra("column of the reference: 1 where a box stands for many objects, else 0"),
    "area": _extra("column of the reference: area of the object; without it, that of its box"),
    "labels": LABELS,
}

CARD = MetricCard(
    key="coco_ap",
    version="1",
    title="Average precision of boxes (COCO)",
    task_category="detection",
    direction="higher",
    range=(0.0, 1.0),
    outputs=("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "ap/<label>"),
    sufficiency="ranked",
    params=schema(_COLUMNS, required=("class", "labels"), one_of=(CORNERS, SIZES)),
    undefined={"*": "no-truth"},
    missing="The true boxes of a missing image are all missed.",
    rows="many",
    labels_from="class",
)


@dataclass(frozen=True)
class CocoAp:
    """The mean over classes and IoU thresholds 0.50, 0.55 … 0.95 of average precision, with a case = an image.

    `ap50`, `ap75`: at one threshold. `ap_small`, `ap_medium`, `ap_large`: of objects up to 32², up to 96² and above, in
    square pixels. `ap/<label>`: of one class. Matching is that of `coco_matching.match`, with the 100 surest detections
    of each class in each image; the curve that of `coco_curve`. Source: the COCO detection evaluation (Lin et al. 2014,
    arXiv 1405.0312; cocodataset.org); the values equal those of pycocotools.

    A class without true boxes (crowds left out) is left out of the mean and has no `ap/<label>` ("no-truth"); which
    ones these are is judged under the weights. An image without true boxes can only have false detections.

    Of equal scores the image that comes first in cases.csv is first, and in one image the row that comes first in the
    table (`scoring.tables.Table`); without scores that alone orders the detections. An image with the weight k counts
    as k images in one place, repeated row by row.
    """

    card: MetricCard = CARD

    def outputs(self, params: Params) -> tuple[str, ...]:
        """Six summaries, and the AP of each class."""
        return (*CARD.outputs[:-1], *(f"ap/{label}" for label in params["labels"]))

    def validate(self, cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:
        """E-BOX for each box with x1 >= x2 or y1 >= y2, E-BOX-SIZE where width or height is 0 or less."""
        if "width" in params:
            return size_issues(cases, entry, (params["width"], params["height"]))
        return corner_issues(cases, entry, ((params["x1"], params["x2"]), (params["y1"], params["y2"])))

    def tabulate(self, reference: Table, entry: Table, params: Params) -> CaseTable:
        """`truth`: a row per true box with its label and whether it counts in each range of areas (4). `found`: a row
        per detection, best first in each label: `hit` and `skip` at each range and threshold (4, 10)."""
        labels = params["labels"]
        true_label = known(truth(reference, params["class"]), labels, params["class"])
        true = _truth(reference, params, reference.case * len(labels) + true_label)
        label = codes(texts(entry, params["class"]), labels)
        score = numbers(entry, params["score"]) if "score" in params else np.ones(len(label))
        group = entry.case * len(labels) + label
        rows = np.flatnonzero(label != NONE)
        rows = rows[best_of_each(group[rows], score[rows])]
        hit, skip = match(Boxes(group[rows], _boxes(entry, params)[rows]), true)
        order = np.lexsort((rows, -score[rows], label[rows]))
        rows = rows[order]
        columns = {"label": label[rows], "score": score[rows], "hit": hit[order], "skip": skip[order]}
        found = Rows(entry.case[rows], columns)
        counts = Rows(reference.case, {"label": true_label, "counts": ~true.ignored()})
        meta = {"labels": np.asarray(labels, dtype=str)}
        return CaseTable(len(reference.missing), {"truth": counts, "found": found}, meta)

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """(B, 6 + labels)."""
        classes = _classes(table)
        out = np.empty((len(weights), len(CARD.outputs) - 1 + len(classes)))
        by_case = np.ascontiguousarray(weights.T)  # as it is where whole rows are drawn for cases
        step = max(1, _CHUNK // max(1, *(len(each.found) for each in classes)))
        for start in range(0, len(weights), step):
            part = slice(start, start + step)
            each = np.array([_precisions(one, by_case[:, part]) for one in classes])
            out[part] = np.column_stack([_mean(each).T, each[:, 0].T])
        return out

    def case_values(self, table: CaseTable) -> None:  # noqa: ARG002
        """An image alone has no average precision."""
        return


def _boxes(table: Table, params: Params) -> Floats:
    """(rows, 4) x, y, width, height."""
    names = SIZES if "width" in params else CORNERS
    sides = np.column_stack([numbers(table, params[name]) for name in names])
    if names is CORNERS:
        with np.errstate(over="ignore"):
            sides[:, 2:] -= sides[:, :2]
    return sides


def _truth(reference: Table, params: Params, group: NDArray[np.intp]) -> Truth:
    box = _boxes(reference, params)
    if (box[:, 2:] <= 0).any():
        raise ReferenceRefused("the reference holds a box without width or height")
    crowd = _given(reference, params, "crowd", np.zeros(len(box)))
    return Truth(group, box, crowd > 0, _given(reference, params, "area", box[:, 2] * box[:, 3]))


def _given(reference: Table, params: Params, name: str, otherwise: Floats) -> Floats:
    """A column of numbers that only the reference has, where the challenge names it."""
    if name not in params:
        return otherwise
    column = params[name]
    if column not in reference.columns:
        raise ReferenceRefused(f"the reference has no column {column!r}: it has {', '.join(sorted(reference.columns))}")
    try:
        values = np.asarray(reference.columns[column], dtype=np.float64)
    except ValueError as fault:
        raise ReferenceRefused(f"column {column!r} of the reference must hold numbers: {fault}") from fault
    if not (np.isfinite(values) & (values >= 0)).all():
        raise ReferenceRefused(f"column {column!r} of the reference holds a number below 0, or none")
    return values


@dataclass(frozen=True, eq=False)
class _Class:
    """One class. `found`, `true`: the image of each detection, best first, and of each true box; `counts` (areas, true
    boxes): 1.0 where it is to be found."""

    found: NDArray[np.intp]
    true: NDArray[np.intp]
    counts: Floats
    curves: Sequence[Curves]


@lru_cache(maxsize=1)  # resamples come in many chunks for one table, and a table never changes
def _classes(table: CaseTable) -> tuple[_Class, ...]:
    found, true = table.rows["found"], table.rows["truth"]
    made = []
    for label in range(len(table.meta["labels"])):
        mine, its = found.columns["label"] == label, true.columns["label"] == label
        counts = true.columns["counts"][its]
        curves = runs_of(found.columns["hit"][mine], found.columns["skip"][mine], counts, _PARTS)
        made.append(_Class(found.case[mine], true.case[its], counts.T.astype(np.float64), curves))
    return tuple(made)


def _precisions(each: _Class, by_case: Weights) -> Floats:
    """(6, B) the summaries of one class; `by_case` (cases, B)."""
    truth = each.counts @ by_case[each.true].astype(np.float64)
    return average_precisions(each.curves, by_case[each.found].astype(np.float64), truth, _PARTS)


def _mean(values: Floats) -> Floats:
    """(labels, …) -> (…) mean over the labels that are not nan; nan where all are."""
    there = ~np.isnan(values)
    number = there.sum(axis=0)
    total = np.where(there, values, 0.0).sum(axis=0)
    return np.asarray(np.divide(total, number, out=np.full(number.shape, np.nan), where=number > 0))


coco_ap = CocoAp()
