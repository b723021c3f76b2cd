"""Every built-in metric in every way it can be used, with random data: what the conformance suite runs on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from scoring.metric import Metric
from scoring.metrics.coco_ap import SIZES
from scoring.registry import get
from scoring.tables import Table
from tests.scoring.builders import many, table

LABELS = ["a", "b", "c", "d"]
Pair = tuple[Table, Table]


@dataclass(frozen=True)
class Subject:
    """`make(rng, n)` gives a reference and an entry of n cases, some missing."""

    name: str
    key: str
    params: Mapping[str, Any]
    make: Callable[[Generator, int], Pair]

    @property
    def metric(self) -> Metric:
        """The metric itself."""
        return get(self.key)


def scores(rng: Generator, n: int) -> Pair:
    """Binary labels, scores with ties."""
    missing = rng.random(n) < 0.1
    score = np.where(missing, np.nan, np.round(rng.random(n), 1))
    return table({"label": rng.choice(["0", "1"], n)}), table({"score": score}, missing=missing.tolist())


def hard(rng: Generator, n: int) -> Pair:
    """Labels, predicted right in two of three cases."""
    missing = rng.random(n) < 0.1
    label = rng.choice(LABELS, n)
    answer = np.where(rng.random(n) < 0.66, label, rng.choice(LABELS, n))
    return table({"label": label}), table({"prediction": np.where(missing, "", answer)}, missing=missing.tolist())


def probabilities(rng: Generator, n: int) -> Pair:
    """Probabilities of four labels."""
    missing = rng.random(n) < 0.1
    drawn = rng.dirichlet(np.ones(4), n)
    drawn[missing] = np.nan
    columns = {f"p_{label}": drawn[:, i] for i, label in enumerate(LABELS)}
    return table({"label": rng.choice(LABELS, n)}), table(columns, missing=missing.tolist())


def amounts(rng: Generator, n: int) -> Pair:
    """Numbers, predicted with an error."""
    missing = rng.random(n) < 0.1
    true = rng.normal(50, 15, n).round(1)
    given = np.where(missing, np.nan, (true + rng.normal(0, 4, n)).round(2))
    return table({"size": true}), table({"guess": given}, missing=missing.tolist())


def survival(rng: Generator, n: int) -> Pair:
    """Days until death or the last visit, some of them equal, and scores with ties."""
    _, entry = scores(rng, n)
    days = rng.exponential(20, n).round()
    return table({"days": days, "died": rng.choice(["0", "1"], n)}), entry


def boxes(rng: Generator, n: int) -> Pair:
    """Images with 0 to 4 true and 0 to 4 predicted boxes, near each other, often equal."""
    return _boxes(rng, n), _boxes(rng, n)


def _boxes(rng: Generator, n: int) -> Table:
    case = np.repeat(np.arange(n), rng.integers(0, 5, n))
    low = rng.integers(0, 3, (len(case), 2)).astype(float)
    high = low + rng.integers(1, 3, (len(case), 2))
    columns = {"x1": low[:, 0], "y1": low[:, 1], "x2": high[:, 0], "y2": high[:, 1]}
    return many(case, columns | {"class": rng.choice(LABELS, len(case))}, n_cases=n)


def lesions(rng: Generator, n: int) -> Pair:
    """Scans with 0 to 3 findings, some of them excluded, and candidates of few scores, half of them near one."""
    case, found = np.repeat(np.arange(n), rng.integers(0, 4, n)), np.repeat(np.arange(n), 3)
    true = {name: rng.integers(0, 9, len(case)) * 1.0 for name in ("x", "y")}
    true |= {"r": rng.uniform(1, 3, len(case)), "out": (rng.random(len(case)) < 0.2) * 1.0}
    given = {name: rng.integers(0, 9, len(found)) * 1.0 for name in ("x", "y")}
    return many(case, true, n_cases=n), many(found, given | {"score": rng.random(len(found)).round(1)}, n_cases=n)


def detections(rng: Generator, n: int) -> Pair:
    """True boxes of all sizes, some of them crowds, and detections near them; no two scores are alike."""
    case = np.repeat(np.arange(n), rng.integers(0, 5, n))
    size = rng.uniform(10, 150, (len(case), 2))
    true = {"x": rng.uniform(0, 200, len(case)), "y": rng.uniform(0, 200, len(case))}
    true |= {"width": size[:, 0], "height": size[:, 1], "class": rng.choice(LABELS, len(case))}
    extra = {"iscrowd": (rng.random(len(case)) < 0.1) * 1.0, "area": size.prod(axis=1) * rng.uniform(0.4, 1, len(case))}
    kept = np.flatnonzero(rng.random(len(case)) < 0.8).repeat(2)
    found = {name: values[kept] for name, values in true.items()}
    found |= {name: found[name] * rng.uniform(0.8, 1.2, len(kept)) for name in SIZES}
    found["class"] = np.where(rng.random(len(kept)) < 0.9, found["class"], rng.choice(LABELS, len(kept)))
    found["score"] = rng.random(len(kept))
    return many(case, true | extra, n_cases=n), many(case[kept], found, n_cases=n)


_SIDES = {name: name for name in ("x1", "y1", "x2", "y2", "class")}
_DETECTIONS = {name: name for name in (*SIZES, "class", "score", "area")} | {"crowd": "iscrowd"}
_HARD = {"label": "label", "prediction": "prediction"}
_SCORE = {"label": "label", "score": "score", "positive": "1"}
_MANY = {"label": "label", "probabilities": {label: f"p_{label}" for label in LABELS}}
_ORDERED = {**_HARD, "labels": LABELS}
_LIKELY = {**_MANY, "labels": LABELS}
_COSTS = [[0, 1, 2.5, 9], [1, 0, 2, 3], [4, 2, 0, 1], [10, 3, 1, 0]]
_ERROR = {"label": "size", "value": "guess", "worst": 40.0}
_AMOUNT = {"label": "size", "value": "guess", "stand_in": 0.0}
_SURVIVAL = {"time": "days", "event": "died", "came": "1", "score": "score"}
_FOUND = {"at": 0.3, "overlap": "iou", "beta": 2.0}
_SIZES_ONLY = {name: name for name in (*SIZES, "score")}
_LESIONS = {"x": "x", "y": "y", "radius": "r", "excluded": "out", "score": "score", "rates": [0.5, 1.0, 4.0]}
_SET = {**_HARD, "labels": LABELS, "subset": False}

SUBJECTS = [
    Subject("auroc", "auroc", _SCORE, scores),
    Subject("accuracy of labels", "accuracy", _HARD, hard),
    Subject("accuracy of scores", "accuracy", {**_SCORE, "threshold": 0.5}, scores),
    Subject("balanced accuracy", "balanced_accuracy", {**_HARD, "labels": LABELS, "absent": "nan"}, hard),
    Subject("balanced accuracy, skipping", "balanced_accuracy", {**_HARD, "labels": LABELS, "absent": "skip"}, hard),
    Subject(
        "balanced accuracy of scores",
        "balanced_accuracy",
        {**_SCORE, "threshold": 0.5, "labels": ["0", "1"], "absent": "nan"},
        scores,
    ),
    Subject("macro F1", "macro_f1", {**_SET, "absent": "nan"}, hard),
    Subject("macro F1, skipping", "macro_f1", {**_SET, "absent": "skip"}, hard),
    Subject("macro F1 of some", "macro_f1", {**_SET, "labels": ["b", "d"], "subset": True, "absent": "nan"}, hard),
    Subject("micro F1", "micro_f1", _SET, hard),
    Subject("micro F1 of some", "micro_f1", {**_SET, "labels": ["a"], "subset": True}, hard),
    Subject("accuracy of probabilities", "accuracy", _LIKELY, probabilities),
    Subject("balanced accuracy of probabilities", "balanced_accuracy", {**_LIKELY, "absent": "nan"}, probabilities),
    Subject("macro F1 of probabilities", "macro_f1", {**_LIKELY, "subset": False, "absent": "skip"}, probabilities),
    Subject("micro F1 of probabilities", "micro_f1", {**_MANY, "labels": ["a", "c"], "subset": True}, probabilities),
    Subject("average precision", "average_precision", _SCORE, scores),
    Subject("macro OvR AUROC", "macro_ovr_auroc", {**_LIKELY, "absent": "nan"}, probabilities),
    Subject("macro OvR AUROC, skipping", "macro_ovr_auroc", {**_LIKELY, "absent": "skip"}, probabilities),
    Subject("kappa", "cohen_kappa", {**_ORDERED, "weights": "none"}, hard),
    Subject("kappa, linear", "cohen_kappa", {**_ORDERED, "weights": "linear"}, hard),
    Subject("kappa, quadratic", "cohen_kappa", {**_ORDERED, "weights": "quadratic"}, hard),
    Subject("kappa of probabilities", "cohen_kappa", {**_LIKELY, "weights": "quadratic"}, probabilities),
    Subject("MCC", "mcc", _ORDERED, hard),
    Subject("MCC of probabilities", "mcc", _LIKELY, probabilities),
    Subject("mean cost", "mean_cost", {**_ORDERED, "costs": _COSTS}, hard),
    Subject("mean cost of probabilities", "mean_cost", {**_LIKELY, "costs": _COSTS}, probabilities),
    Subject("MAE", "mae", _ERROR, amounts),
    Subject("RMSE", "rmse", _ERROR, amounts),
    Subject("operating point", "operating_point", {**_SCORE, "threshold": 0.5}, scores),
    Subject("sensitivity at specificity", "sensitivity_at_specificity", {**_SCORE, "at": 0.7}, scores),
    Subject("PPV at sensitivity", "ppv_at_sensitivity", {**_SCORE, "at": 0.7}, scores),
    Subject("net benefit", "net_benefit", {**_SCORE, "threshold": 0.3}, scores),
    Subject("calibration", "calibration", {**_SCORE, "eps": 1e-8}, scores),
    Subject("R²", "r2", _AMOUNT, amounts),
    Subject("CCC", "ccc", _AMOUNT, amounts),
    Subject("Spearman", "spearman", _AMOUNT, amounts),
    Subject("Harrell C", "harrell_c", {**_SURVIVAL, "higher": "risk"}, survival),
    Subject("Harrell C of survival", "harrell_c", {**_SURVIVAL, "higher": "survival"}, survival),
    Subject("log loss, binary", "log_loss", {**_SCORE, "eps": 1e-15}, scores),
    Subject("log loss", "log_loss", {**_MANY, "eps": 1e-15}, probabilities),
    Subject("Brier, binary", "brier", _SCORE, scores),
    Subject("Brier", "brier", _MANY, probabilities),
    Subject("CytologIA", "cytologia", {**_SIDES, "labels": LABELS}, boxes),
    Subject("F-beta of boxes", "fbeta_boxes", {**_SIDES, **_FOUND, "empty": "one"}, boxes),
    Subject("F-beta of boxes, skipping", "fbeta_boxes", {**_SIDES, **_FOUND, "empty": "skip"}, boxes),
    Subject("F-beta of detections", "fbeta_boxes", {**_SIZES_ONLY, **_FOUND, "empty": "one"}, detections),
    Subject("pooled F-beta of boxes", "pooled_fbeta_boxes", {**_SIDES, **_FOUND, "overlap": "giou"}, boxes),
    Subject("pooled F-beta of detections", "pooled_fbeta_boxes", {**_SIZES_ONLY, **_FOUND}, detections),
    Subject("FROC", "froc", _LESIONS, lesions),
    Subject("COCO AP", "coco_ap", {**_DETECTIONS, "labels": LABELS}, detections),
]
