"""One resample at a time, as it is usually written: repeat the cases that were drawn, and call scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score, roc_auc_score

Array = NDArray[Any]
Floats = NDArray[np.float64]
Loop = Callable[[NDArray[np.uint16]], float]


def auroc(label: Array, risk: Array) -> Loop:
    """Area under the ROC curve of the cases, each as often as it was drawn."""

    def score(counts: NDArray[np.uint16]) -> float:
        rows = np.repeat(np.arange(len(counts)), counts)
        return float(roc_auc_score(label[rows], risk[rows]))

    return score


def macro_f1(label: Array, given: Array) -> Loop:
    """Mean F1 of the labels that occur."""

    def score(counts: NDArray[np.uint16]) -> float:
        rows = np.repeat(np.arange(len(counts)), counts)
        return float(f1_score(label[rows], given[rows], average="macro"))

    return score


def cytologia(case: Array, truth: Floats, label: Array, boxes: Floats, given: Array) -> Loop:
    """The score of CytologIA's participants: match the boxes of each image drawn, then GIoU and macro F1 of all."""
    rows_of = [np.flatnonzero(case == image) for image in range(case.max() + 1)]

    def score(counts: NDArray[np.uint16]) -> float:
        values, true, answered = [], [], []
        for image in np.repeat(np.arange(len(counts)), counts):
            rows = rows_of[image]
            found = _giou(truth[rows], boxes[rows])
            best = found.argmax(axis=1)
            values.append(found[np.arange(len(rows)), best])
            true.append(label[rows])
            answered.append(given[rows][best])
        place = (np.concatenate(values) + 1) / 2
        return float(
            0.2 * place.mean() + 0.8 * f1_score(np.concatenate(true), np.concatenate(answered), average="macro")
        )

    return score


def _giou(one: Floats, other: Floats) -> Floats:
    """(n, m) generalised intersection over union (Rezatofighi et al. 2019) of boxes x1, y1, x2, y2."""
    a, b = one[:, None, :], other[None, :, :]
    inner = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None).prod(axis=-1)
    hull = (np.maximum(a[..., 2:], b[..., 2:]) - np.minimum(a[..., :2], b[..., :2])).prod(axis=-1)
    union = (a[..., 2:] - a[..., :2]).prod(axis=-1) + (b[..., 2:] - b[..., :2]).prod(axis=-1) - inner
    return np.asarray(inner / union - (hull - union) / hull, dtype=np.float64)
