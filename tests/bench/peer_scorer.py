"""What an organiser writes for a platform that starts a container per submission: numpy, AUROC, maybe a bootstrap.

Run inside the container as `python3 scorer.py REFERENCE PREDICTIONS REPLICATES`; prints JSON. Imports nothing of ours.
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def column(path: str, name: str) -> dict[str, float]:
    """Case id -> number."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        return {row["id"]: float(row[name]) for row in csv.DictReader(file)}


def auroc(label: NDArray[np.float64], risk: NDArray[np.float64]) -> float:
    """By midranks: the share of pairs of a positive and a negative in the right order, equal ones counting half."""
    negative, positive = np.sort(risk[label == 0]), risk[label == 1]
    below, upto = np.searchsorted(negative, positive, "left"), np.searchsorted(negative, positive, "right")
    return float((below.sum() + upto.sum()) / 2 / (len(negative) * len(positive)))


def main() -> None:
    """Read both files, score, and where asked resample the rows."""
    truth, answers = column(sys.argv[1], "label"), column(sys.argv[2], "risk")
    label, risk = np.array(list(truth.values())), np.array([answers[case] for case in truth])
    found = {"auroc": auroc(label, risk)}
    draw = np.random.default_rng(1)
    rows = [draw.integers(0, len(label), len(label)) for _ in range(int(sys.argv[3]))]
    if rows:
        found["low"], found["high"] = np.quantile([auroc(label[row], risk[row]) for row in rows], [0.025, 0.975])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
