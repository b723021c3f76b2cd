"""Scores of class probabilities as scikit-learn computes them: the independent check of our own metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score, f1_score, recall_score, roc_auc_score

Floats = NDArray[np.float64]


def one_vs_rest(truth: Sequence[str], given: Floats, labels: Sequence[str]) -> dict[str, float]:
    """`macro_ovr_auroc`, and `auroc/<label>` of each label against all others. `given`: (n, labels)."""
    each = {f"auroc/{label}": _auroc(truth, given[:, place], label) for place, label in enumerate(labels)}
    return {"macro_ovr_auroc": float(np.mean(list(each.values()))), **each}


def _auroc(truth: Sequence[str], score: Floats, label: str) -> float:
    return float(roc_auc_score([own == label for own in truth], score))


def answers(given: Floats, labels: Sequence[str]) -> list[str]:
    """The label of the highest probability, the first of equal ones; "" where a row has none (nan)."""
    return ["" if np.isnan(row).any() else labels[int(np.argmax(row))] for row in given]


def balanced(truth: Sequence[str], given: Floats, labels: Sequence[str]) -> dict[str, float]:
    """`balanced_accuracy`, and `recall/<label>`."""
    told = answers(given, labels)
    recall = recall_score(truth, told, labels=list(labels), average=None)
    each = {f"recall/{label}": float(value) for label, value in zip(labels, recall, strict=True)}
    return {"balanced_accuracy": float(balanced_accuracy_score(truth, told)), **each}


def macro_f1(truth: Sequence[str], given: Floats, labels: Sequence[str]) -> dict[str, float]:
    """`macro_f1` over the labels, and `f1/<label>`; a row of nan answers none of them."""
    each = f1_score(truth, answers(given, labels), labels=list(labels), average=None)
    named = {f"f1/{label}": float(value) for label, value in zip(labels, each, strict=True)}
    return {"macro_f1": float(np.mean(each)), **named}


def brier(truth: Sequence[str], given: Floats, labels: Sequence[str]) -> float:
    """Mean over rows of the squared distance to the truth, summed over labels: 0 to 2 (Brier 1950)."""
    target = np.array([[float(own == label) for label in labels] for own in truth])
    return float(((given - target) ** 2).sum(axis=1).mean())


def under(metric: str, values: Mapping[str, float]) -> dict[str, float]:
    """Names as expected.toml wants them: the main value under the metric's id, the others as `id.output`."""
    main = next(iter(values))
    return {metric if name == main else f"{metric}.{name}": value for name, value in values.items()}
