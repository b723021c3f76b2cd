"""1,000 resamples from one table of statistics, beside a loop that scores each resample with scikit-learn.

Both score the same resamples, so the values are the same; the loop does fewer of them, and its time is scaled up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.cases import CaseAttributes, CaseIndex, Groups
from scoring.evaluation import evaluate, plan_of
from scoring.rounding import round12
from scoring.spec import (
    CasesSpec,
    ColumnSpec,
    MetricUse,
    RankingSpec,
    ResampleSpec,
    ScoringSpec,
    TableSpec,
)
from scoring.tables import Entry, Table
from tests.bench import naive
from tests.bench.report import Report, Row, turns
from tests.scoring.builders import many, table
from tests.scoring.builders import spec as make_format

REPLICATES = 1000
LABELS = [f"class {i:02d}" for i in range(23)]
SIDES = ("x1", "y1", "x2", "y2")
BOXES = TableSpec(
    "answers",
    "answers.csv",
    "case",
    ("case",),
    (*(ColumnSpec(side, "number") for side in SIDES), ColumnSpec("class", "label", labels=tuple(LABELS))),
    rows="many",
)
Floats = NDArray[np.float64]
Counts = NDArray[np.uint16]


@dataclass(frozen=True)
class Task:
    """A metric with its tables. `loop`: scores one resample, given how often each case stands in it. `few` of them."""

    metric: MetricUse
    format: TableSpec
    reference: Table
    entry: Table
    loop: Callable[[Counts], float]
    few: int

    def ours(self, replicates: int) -> list[float]:
        """The resampled values of the main output, by an evaluation as the sandbox does it."""
        reference, entry = (Entry({self.format.name: each}) for each in (self.reference, self.entry))
        spec, index, attributes = self.spec(replicates), CaseIndex(self.ids, (self.format,)), self.attributes()
        found = evaluate(spec=spec, index=index, attributes=attributes, reference=reference, entry=entry, seed=1)
        return [float(value) for value in next(iter(found.replicates.values()))]

    def theirs(self, replicates: int) -> list[float]:
        """The same by the loop."""
        plan = plan_of(spec=self.spec(replicates), attributes=self.attributes(), seed=1)
        return [float(round12(self.loop(row))) for row in plan.counts]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(f"{case:07d}" for case in range(len(self.reference.missing)))

    def attributes(self) -> CaseAttributes:
        """Each case is drawn by itself, and there are no parts of them."""
        cases = np.arange(len(self.ids))
        return CaseAttributes(cases, self.ids, None, {}, Groups((), np.zeros_like(cases)))

    def spec(self, replicates: int) -> ScoringSpec:
        return ScoringSpec(
            tables=(self.format,),
            cases=CasesSpec("case"),
            metrics=(self.metric,),
            splits=(),
            ranking=RankingSpec(self.metric.id, "", "higher"),
            resample=ResampleSpec(replicates=replicates),
        )


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
        Row("one evaluation from one table", medians["ours"]),
        Row("a loop over scikit-learn", scaled, f"{task.few} resamples, scaled up"),
    ]
    title = f"{name}, {REPLICATES:,} resamples; medians of {rounds}"
    return Report(title, rows, results={"ours": ours, "theirs": theirs})


def _auroc(count: int, *, few: int) -> Task:
    draw = np.random.default_rng(1)
    label = draw.random(count) < 0.3
    risk = draw.normal(label, 1.0).round(3)
    reference, entry = table({"label": np.where(label, "1", "0")}), table({"risk": risk})
    use = MetricUse("auroc", "auroc", "answers", {"label": "label", "score": "risk", "positive": "1"})
    return Task(use, make_format(risk="number"), reference, entry, naive.auroc(label, risk), few)


def _f1(count: int, *, few: int) -> Task:
    draw = np.random.default_rng(2)
    label = np.array(LABELS)[draw.integers(0, len(LABELS), count)]
    given = np.where(draw.random(count) < 0.7, label, draw.permutation(label))
    use = MetricUse("f1", "macro_f1", "answers", {"label": "label", "prediction": "given", "absent": "skip"})
    made = table({"label": label}), table({"given": given})
    return Task(use, make_format(given=LABELS), *made, naive.macro_f1(label, given), few)


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
        many(case, dict(zip(SIDES, sides.T, strict=True)) | {"class": name}, n_cases=images)
        for sides, name in ((truth, label), (boxes, given))
    )
    use = MetricUse("cytologia", "cytologia", "answers", {})
    return Task(use, BOXES, reference, entry, naive.cytologia(case, truth, label, boxes, given), few)
