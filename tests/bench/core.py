"""1,000 resamples from one table of statistics, beside a loop that scores each resample with scikit-learn.

Both score the same resamples, so the values are the same; the loop does fewer of them, and its time is scaled up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.metric import Metric
from scoring.registry import get
from scoring.resampling import make_plan
from scoring.rounding import round12
from scoring.tables import Table
from tests.bench import naive
from tests.bench.report import Report, Row, turns
from tests.scoring.builders import many, table

REPLICATES = 1000
LABELS = [f"class {i:02d}" for i in range(23)]
Floats = NDArray[np.float64]
Counts = NDArray[np.uint16]


@dataclass(frozen=True)
class Task:
    """A metric with its tables. `loop`: scores one resample, given how often each case stands in it. `few` of them."""

    metric: Metric
    params: Mapping[str, Any]
    reference: Table
    entry: Table
    loop: Callable[[Counts], float]
    few: int

    @property
    def cases(self) -> int:
        return len(self.reference.missing)

    def plan(self, replicates: int) -> Counts:
        ids = [f"{case:07d}" for case in range(self.cases)]
        strata = np.zeros(self.cases, dtype=np.intp)
        return make_plan(seed=1, replicates=replicates, cluster_ids=ids, strata=strata).counts

    def ours(self, replicates: int) -> Floats:
        """(B,) of the main output: table, plan, one aggregation."""
        made = self.metric.tabulate(self.reference, self.entry, self.params)
        return np.asarray(round12(self.metric.aggregate(made, self.plan(replicates))[:, 0]), dtype=np.float64)

    def theirs(self, replicates: int) -> Floats:
        """(B,) by the loop."""
        return np.asarray(round12(np.array([self.loop(row) for row in self.plan(replicates)])), dtype=np.float64)


def run(*, smoke: bool) -> list[Report]:
    """AUROC of 10,000 and 100,000 cases, macro F1 of 23 classes, the CytologIA score of 2,000 images."""
    small, large, images, rounds = (300, 600, 40, 1) if smoke else (10_000, 100_000, 2_000, 3)
    tasks = {
        f"AUROC, {small:,} cases": _auroc(small, few=20),
        f"AUROC, {large:,} cases": _auroc(large, few=5),
        f"macro F1 of {len(LABELS)} classes, {small:,} cases": _f1(small, few=20),
        f"CytologIA, {images:,} images of 5 boxes": _cytologia(images, few=2),
    }
    return [_compared(name, task, rounds=rounds) for name, task in tasks.items()]


def _compared(name: str, task: Task, *, rounds: int) -> Report:
    ours, theirs = task.ours(task.few), task.theirs(task.few)
    medians = turns({"ours": lambda: task.ours(REPLICATES), "theirs": lambda: task.theirs(task.few)}, rounds=rounds)
    scaled = medians["theirs"] * REPLICATES / task.few
    rows = [
        Row("one table, plan drawn, one aggregation", medians["ours"]),
        Row("a loop over scikit-learn", scaled, f"{task.few} resamples, scaled up"),
    ]
    title = f"{name}, {REPLICATES:,} resamples; medians of {rounds}"
    return Report(title, rows, results={"ours": ours.tolist(), "theirs": theirs.tolist()})


def _auroc(count: int, *, few: int) -> Task:
    draw = np.random.default_rng(1)
    label = draw.random(count) < 0.3
    risk = draw.normal(label, 1.0).round(3)
    reference, entry = table({"label": np.where(label, "1", "0")}), table({"risk": risk})
    params = {"label": "label", "score": "risk", "positive": "1"}
    return Task(get("auroc"), params, reference, entry, naive.auroc(label, risk), few)


def _f1(count: int, *, few: int) -> Task:
    draw = np.random.default_rng(2)
    label = np.array(LABELS)[draw.integers(0, len(LABELS), count)]
    given = np.where(draw.random(count) < 0.7, label, draw.permutation(label))
    params = {"label": "label", "prediction": "given", "labels": LABELS, "subset": False, "absent": "skip"}
    made = table({"label": label}), table({"given": given})
    return Task(get("macro_f1"), params, *made, naive.macro_f1(label, given), few)


def _cytologia(images: int, *, few: int) -> Task:
    """Five boxes an image, answered with some error in place and class."""
    draw = np.random.default_rng(3)
    case = np.repeat(np.arange(images), 5)
    corner = draw.uniform(0, 900, (len(case), 2))
    truth = np.hstack([corner, corner + draw.uniform(20, 90, (len(case), 2))])
    boxes = truth + draw.uniform(-8, 8, truth.shape)
    label = np.array(LABELS)[draw.integers(0, len(LABELS), len(case))]
    given = np.where(draw.random(len(case)) < 0.7, label, draw.permutation(label))
    reference, entry = (
        many(case, dict(zip(("x1", "y1", "x2", "y2"), sides.T, strict=True)) | {"class": name}, n_cases=images)
        for sides, name in ((truth, label), (boxes, given))
    )
    params = {name: name for name in ("x1", "y1", "x2", "y2", "class")} | {"labels": LABELS}
    return Task(get("cytologia"), params, reference, entry, naive.cytologia(case, truth, label, boxes, given), few)
