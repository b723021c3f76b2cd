"""Images with boxes of three classes, found with errors of place, class and confidence: what detection is tried on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scoring.tables import Table
from tests.scoring.builders import many

NAMES = ("a", "b", "c")
SHARES = (0.6, 0.3, 0.1)
SIZES = ("x", "y", "width", "height")
PARAMS = {name: name for name in (*SIZES, "class", "score")} | {"labels": list(NAMES)}
SIDE = 40.0
Codes = NDArray[np.intp]


def detections(draw: np.random.Generator, cluster: Codes) -> tuple[Table, Table]:
    """One to four true boxes an image, on a grid. Images of a cluster are alike in how well boxes are placed."""
    n_cases = len(cluster)
    boxes = draw.integers(1, 5, n_cases)
    case = np.repeat(np.arange(n_cases), boxes)
    place = np.arange(len(case)) - np.repeat(np.cumsum(boxes) - boxes, boxes)
    truth = np.column_stack([100.0 * place, np.zeros(len(case)), *np.full((2, len(case)), SIDE)])
    label = draw.choice(len(NAMES), len(case), p=SHARES)
    error = 1.5 + 2.5 * draw.random(cluster.max() + 1)[cluster][case]
    found = truth + np.column_stack([*draw.normal(0, error, (2, len(case))), *np.zeros((2, len(case)))])
    given = np.where(draw.random(len(case)) < 0.8, label, draw.integers(0, len(NAMES), len(case)))
    sure = (draw.normal(size=len(case)) + (given == label)).round(3)
    return _table(case, truth, label, np.ones(len(case)), n_cases), _table(case, found, given, sure, n_cases)


def _table(case: Codes, boxes: NDArray[np.float64], label: Codes, sure: NDArray[np.float64], n_cases: int) -> Table:
    columns = dict(zip(SIZES, boxes.T, strict=True)) | {"class": np.array(NAMES)[label], "score": sure}
    return many(case, columns, n_cases=n_cases)
