"""How often a 95 % interval holds the truth: many test sets from a known population, each method on the same sets.

The true value of a metric is its value on a population of its own, large enough that its error does not count. Patients
with several cases share half of what is not explained by the label. `python -m tests.bench coverage` prints the table
that each metric's method is chosen by (docs/decisions/0030); few sets with --smoke.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.casetable import CaseTable
from scoring.intervals.choice import Method, Sample, interval
from scoring.intervals.delong import Area, area
from scoring.intervals.jackknife import groups, leaving_out
from scoring.metric import Metric
from scoring.registry import get
from scoring.resampling import ResamplePlan, make_plan
from scoring.rounding import round12
from scoring.tables import Table
from tests.bench.detections import PARAMS, detections
from tests.bench.report import Report, Row
from tests.scoring.builders import table

LEVEL, LEAST, PLANS = 0.95, 30, 25
SETS, REPLICATES = {50: 250, 200: 250, 1000: 180}, 500  # cases -> sets: the standard error is 1.4, 1.4 and 1.6 %
METHODS: tuple[Method, ...] = ("percentile", "basic", "bca", "delong")
LABELS = ("a", "b", "c", "d")
Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Pair = tuple[Table, Table]
Draw = Callable[[np.random.Generator, Codes], Pair]


@dataclass(frozen=True, eq=False)
class Population:
    """A metric with the cases it meets: `draw` makes reference and entry for the clusters (n,) of n cases."""

    name: str
    use: str
    given: Mapping[str, Any]
    draw: Draw
    whole: int = 1_000_000
    sets: float = 1.0

    @property
    def metric(self) -> Metric:
        return get(self.use)

    @property
    def params(self) -> dict[str, Any]:
        """Those given, and the defaults of the others."""
        known = self.metric.card.params["properties"]
        return {name: each["default"] for name, each in known.items() if "default" in each} | dict(self.given)


@dataclass(frozen=True)
class Covered:
    """Of `made` intervals by one method on sets of `cases`: how many held the truth, and their mean width.

    `sets`: how many sets there were; those without an interval had too few clusters on a side, or no spread. `refused`:
    the platform shows none at all here, for there are fewer clusters than `LEAST`.
    """

    name: str
    cases: int
    each: int
    method: Method
    sets: int
    made: int
    held: int
    width: float
    refused: bool


@dataclass(frozen=True)
class Coverage(Report):
    """The table, as a bench prints it. `chosen`: the method on the card of each metric."""

    covered: Sequence[Covered] = ()
    chosen: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """Markdown: a line per metric, size and cluster size; per method observed coverage in % and mean width."""
        lines = [self.title, *self.notes, "", "| metric | cases | per patient | " + " | ".join(METHODS) + " |"]
        lines.append("|---|---|---|" + "---|" * len(METHODS))
        for name, cases, each in dict.fromkeys((row.name, row.cases, row.each) for row in self.covered):
            cells = [self._cell(name, cases, each, method) for method in METHODS]
            mark = " †" if self.results[_key(name, cases, each, METHODS[0])].refused else ""
            lines.append(f"| {name} | {cases:,}{mark} | {each} | " + " | ".join(cells) + " |")
        return "\n".join(lines)

    def _cell(self, name: str, cases: int, each: int, method: str) -> str:
        row = self.results.get(_key(name, cases, each, method))
        if row is None or not row.made:
            return "" if row is None else "none"
        told = f"{100 * row.held / row.made:.1f} ({row.width:.3f})"
        told += f" [{100 * row.made / row.sets:.0f}]" if row.made < 0.995 * row.sets else ""
        return f"**{told}**" if self.chosen[name] == method else told


def _key(name: str, cases: int, each: int, method: str) -> str:
    return f"{name} | {cases} | {each} | {method}"


def run(*, smoke: bool) -> list[Coverage]:
    """Every metric on 50, 200 and 1,000 cases, one or three per patient."""
    sets, replicates = ({200: 12}, 100) if smoke else (SETS, REPLICATES)
    chosen = populations()[1::4] if smoke else populations()
    begin = time.perf_counter()
    rows = [
        row
        for population in chosen
        for size, count in sets.items()
        for each in (1, 3)
        for row in covered(population, size, each, sets=int(count * population.sets), replicates=replicates)
    ]
    took = Row("all methods on the same sets", time.perf_counter() - begin)
    return [table_of(rows, took, f"{sets} sets by cases, {replicates} resamples each")]


def table_of(rows: Sequence[Covered], took: Row, drawn: str) -> Coverage:
    """The rows beside what the cards say. † marks sizes at which the platform shows no interval: few patients."""
    title = "Coverage of 95 % intervals: % that hold the truth (mean width) [% of sets with an interval]"
    notes = (drawn, f"bold: the card's method; †: not shown, fewer than {LEAST} patients")
    results = {_key(row.name, row.cases, row.each, row.method): row for row in rows}
    methods = {population.name: population.metric.card.interval for population in populations()}
    return Coverage(title, [took], notes, results, rows, methods)


def covered(population: Population, size: int, each: int, *, sets: int, replicates: int) -> Iterator[Covered]:
    """What each method does on `sets` sets of `size` cases, `each` of them (at most) of one patient."""
    truth = _truth(population)
    cluster = np.arange(size) // each
    found: dict[Method, list[tuple[float, float]]] = {method: [] for method in _methods(population)}
    for seed in range(sets):
        sample = _sample(population, cluster, seed, replicates)
        for method, ends in found.items():
            if np.isfinite(sample.value):
                made = interval(sample, method=method, level=LEVEL, min_clusters=0)
                ends += [] if made.low is None or made.high is None else [(made.low, made.high)]
    for method, ends in found.items():
        held = sum(low <= truth <= high for low, high in ends)
        width = float(np.mean([high - low for low, high in ends])) if ends else 0.0
        refused = len(np.unique(cluster)) < LEAST
        yield Covered(population.name, size, each, method, sets, len(ends), held, width, refused)


def _methods(population: Population) -> tuple[Method, ...]:
    return METHODS if population.use == "auroc" else METHODS[:-1]


@cache
def _truth(population: Population) -> float:
    """The value on all cases of a population. It is the same however many are of one patient."""
    pair = population.draw(np.random.default_rng(99), np.arange(population.whole))
    made = population.metric.tabulate(*pair, population.params)
    return float(population.metric.aggregate(made, np.ones((1, made.n_cases), dtype=np.uint8))[0, 0])


def _sample(population: Population, cluster: Codes, seed: int, replicates: int) -> Sample:
    metric, pair = population.metric, population.draw(np.random.default_rng(seed), cluster)
    made = metric.tabulate(*pair, population.params)
    plan = _plan(seed % PLANS, int(cluster.max()) + 1, replicates)
    group, strata = groups(cluster, plan.strata)
    left_out = [_main(metric, made, weights) for _, weights in leaving_out(group, len(strata))]
    return Sample(
        value=float(_main(metric, made, np.ones((1, made.n_cases)))[0]),
        replicates=_main(metric, made, plan.counts[:, cluster]),
        n_clusters=len(plan.strata),
        bounds=metric.card.range,
        left_out=np.concatenate(left_out),
        strata=strata,
        area=_area(made, cluster) if population.use == "auroc" else None,
    )


@cache
def _plan(seed: int, clusters: int, replicates: int) -> ResamplePlan:
    """Plans serve in turn: what they draw does not depend on the cases, and drawing took most of the time."""
    ids = [f"{code:06d}" for code in range(clusters)]
    return make_plan(seed=seed, replicates=replicates, cluster_ids=ids, strata=np.zeros(clusters, dtype=np.intp))


def _main(metric: Metric, made: CaseTable, weights: NDArray[Any]) -> Floats:
    return round12(np.ascontiguousarray(metric.aggregate(made, weights)[:, 0]))


def _area(made: CaseTable, cluster: Codes) -> Area:
    return area(made.rows["positives"], made.rows["negatives"], cluster)


def populations() -> list[Population]:
    """Two classes with a score or a probability, four classes of unequal size with answers, and boxes."""
    ranked = {"label": "label", "score": "score", "positive": "1"}
    answered = {"label": "label", "prediction": "answer", "labels": list(LABELS)}
    return [
        Population("auroc, 0.80", "auroc", ranked, _scores(1.19, 0.3)),
        Population("auroc, 0.97, 1 in 5 positive", "auroc", ranked, _scores(2.66, 0.2)),
        Population("average_precision, 1 in 3 positive", "average_precision", ranked, _scores(1.19, 0.3)),
        Population("average_precision, 1 in 10 positive", "average_precision", ranked, _scores(1.19, 0.1)),
        Population("macro_f1", "macro_f1", answered | {"absent": "undefined"}, _answers),
        Population("balanced_accuracy", "balanced_accuracy", answered | {"absent": "undefined"}, _answers),
        Population("cohen_kappa", "cohen_kappa", answered | {"weights": "none"}, _answers),
        Population("cohen_kappa, quadratic", "cohen_kappa", answered | {"weights": "quadratic"}, _answers),
        Population("accuracy", "accuracy", answered, _answers),
        Population("brier", "brier", {"label": "label", "score": "risk", "positive": "1"}, _risks),
        Population("coco_ap", "coco_ap", PARAMS, detections, whole=60_000, sets=0.2),
    ]


def _shared(draw: np.random.Generator, cluster: Codes) -> Floats:
    """(n,) standard normal, half of whose variance the cases of a cluster share."""
    own = draw.normal(size=len(cluster))
    return np.asarray(np.sqrt(0.5) * (draw.normal(size=cluster.max() + 1)[cluster] + own), dtype=np.float64)


def _labels(draw: np.random.Generator, cluster: Codes, shares: tuple[float, ...]) -> Codes:
    """(n,) codes with these shares; cases of a patient tend to have the same."""
    from scipy.special import ndtr

    return np.asarray(
        np.searchsorted(np.cumsum(shares)[:-1], ndtr(_shared(draw, cluster)), side="right"), dtype=np.intp
    )


def _scores(apart: float, share: float) -> Draw:
    def drawn(draw: np.random.Generator, cluster: Codes) -> Pair:
        label = _labels(draw, cluster, (1 - share, share))
        score = apart * label + _shared(draw, cluster)
        return table({"label": np.where(label, "1", "0")}), table({"score": score})

    return drawn


def _risks(draw: np.random.Generator, cluster: Codes) -> Pair:
    """Risks that are overconfident by a quarter."""
    label = _labels(draw, cluster, (0.7, 0.3))
    score = 1.19 * label + _shared(draw, cluster)
    odds = 1.19 * (score - 1.19 / 2) + np.log(0.3 / 0.7)
    return table({"label": np.where(label, "1", "0")}), table({"risk": 1 / (1 + np.exp(-1.25 * odds))})


def _answers(draw: np.random.Generator, cluster: Codes) -> Pair:
    """Four classes, the rarest one in ten; seven of ten answers right, the others any class."""
    names = np.array(LABELS)
    label = _labels(draw, cluster, (0.5, 0.25, 0.15, 0.1))
    wrong = _shared(draw, cluster) > 0.35
    other = draw.integers(0, len(names), len(label))
    return table({"label": names[label]}), table({"answer": names[np.where(wrong, other, label)]})
