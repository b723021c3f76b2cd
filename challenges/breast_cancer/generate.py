"""Makes the data and examples of this challenge: `python -m challenges.breast_cancer.generate [FOLDER]`.

The data are those that scikit-learn ships (`sklearn.datasets.load_breast_cancer`), so nothing is downloaded; only their
order, the split and the new ids are drawn, from one seed. Texts, challenge.toml and starter are written by hand.
Expected values come from `sklearn.metrics`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, roc_auc_score

from challenges.makers.stream import Stream
from challenges.makers.writing import csv_text, expected_text, write_all

HERE = Path(__file__).resolve().parent
SEED = 19_951_101
SHARES = {"train": 0.5, "public": 0.2, "private": 0.3}
EPS = 1e-6  # as in challenge.toml
ENTRY = ("id", "risk")

Floats = NDArray[np.float64]


class Data:
    """The whole set in a new order: `ids`, `features` (569, 30), `label` (1 = malignant), `part` of each patient."""

    def __init__(self) -> None:
        source = load_breast_cancer()
        stream = Stream(SEED)
        order = np.array(stream.shuffled(range(len(source.target))))
        self.names = [name.replace(" ", "_") for name in source.feature_names]
        self.features: Floats = source.data[order]
        self.label: list[int] = [int(target == 0) for target in source.target[order]]
        self.ids = [f"{number:03d}" for number in range(1, len(order) + 1)]
        self.part = _parts(stream, self.label)

    def rows(self, *parts: str) -> list[int]:
        """Row numbers of the patients in these parts."""
        return [row for row, part in enumerate(self.part) if part in parts]


def _parts(stream: Stream, label: Sequence[int]) -> list[str]:
    """train, public or private for each patient, with the same share of malignant masses in each."""
    part = [""] * len(label)
    for value in (0, 1):
        rows = stream.shuffled([row for row, own in enumerate(label) if own == value])
        for place, row in enumerate(rows):
            reached = (place + 0.5) / len(rows)
            known = reached < SHARES["train"]
            part[row] = "train" if known else "public" if reached < SHARES["train"] + SHARES["public"] else "private"
    return part


def main(root: Path) -> None:
    """Write public/, reference/ and examples/ below `root`; the starter is read from this folder."""
    data = Data()
    test = data.rows("public", "private")
    bands = np.quantile(data.features[data.rows("train"), 0], (1 / 3, 2 / 3))
    size = {row: ("small", "medium", "large")[int((data.features[row, 0] > bands).sum())] for row in test}

    def measured(rows: Sequence[int], label: bool) -> list[list[object]]:
        ends = [[data.label[row]] if label else [] for row in rows]
        return [[data.ids[row], *data.features[row].tolist(), *end] for row, end in zip(rows, ends, strict=True)]

    write_all(
        root,
        {
            "public/train.csv": csv_text(("id", *data.names, "label"), measured(data.rows("train"), label=True)),
            "public/test.csv": csv_text(("id", *data.names), measured(test, label=False)),
            "public/cases.csv": csv_text(("id",), [(data.ids[row],) for row in test]),
            "public/sample_submission.csv": csv_text(ENTRY, [(data.ids[row], 0.5) for row in test]),
            "reference/predictions.csv": csv_text(("id", "label"), [(data.ids[row], data.label[row]) for row in test]),
            "reference/cases.csv": csv_text(
                ("id", "size", "Usage"), [(data.ids[row], size[row], data.part[row]) for row in test]
            ),
        },
    )
    ids, label = [data.ids[row] for row in test], [data.label[row] for row in test]
    share = sum(data.label[row] for row in data.rows("train")) / len(data.rows("train"))
    write_all(root, _scored(ids, label, share, _baseline(root)) | _refused(ids, label))


def _baseline(root: Path) -> str:
    """What the starter writes, run as a participant runs it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "predictions.csv"
        command = [sys.executable, str(HERE / "starter/baseline.py"), "--data", str(root / "public"), "--out", str(out)]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 our own starter
        return out.read_text(encoding="utf-8")


def _values(label: Sequence[int], risk: Sequence[float]) -> dict[str, float]:
    """What scikit-learn says of these risks."""
    clipped = np.clip(risk, EPS, 1 - EPS)
    return {
        "auroc": float(roc_auc_score(label, risk)),
        "accuracy": float(accuracy_score(label, [int(value >= 0.5) for value in risk])),
        "log_loss": float(log_loss(label, clipped, labels=[0, 1])),
        "brier": float(brier_score_loss(label, risk)),
    }


def _scored(ids: Sequence[str], label: Sequence[int], share: float, baseline: str) -> dict[str, str]:
    """Entries that are scored, with the values that scikit-learn gives them."""
    learned = [float(line.split(",")[1]) for line in baseline.splitlines()[1:]]
    entries: dict[str, tuple[str, Sequence[float]]] = {
        "perfect": ("The labels as risks 0 and 1.", [float(value) for value in label]),
        "baseline": ("What starter/baseline.py writes.", learned),
        "constant": ("The share of malignant masses in train.csv for everybody.", [round(share, 6)] * len(ids)),
        "hard_labels": ("The baseline cut at 0.5: ranks are lost, and each error costs the most log loss there is.",
                        [float(value >= 0.5) for value in learned]),
        "inverted": ("The baseline for the other class: a score below chance is never turned round.",
                     [round(1 - value, 6) for value in learned]),
    }  # fmt: skip
    files = {}
    for name, (note, risks) in entries.items():
        files[f"examples/{name}/predictions.csv"] = csv_text(ENTRY, zip(ids, risks, strict=True))
        files[f"examples/{name}/expected.toml"] = expected_text(note, "ok", (), _values(label, risks))
    files["examples/baseline/predictions.csv"] = baseline
    reordered = sorted(zip(ids, learned, label, strict=True), key=lambda row: row[1])
    header = ("Unnamed: 0", "id", "risk", "name")
    extra = [(number, key, risk, "F. Dupont") for number, (key, risk, _) in enumerate(reordered)]
    note = "The baseline sorted by risk, with an index and a column nobody asked for."
    files["examples/any_order_extra_columns/predictions.csv"] = csv_text(header, extra)
    codes, values = ("W-COL-EXTRA",), _values(label, learned)
    files["examples/any_order_extra_columns/expected.toml"] = expected_text(note, "ok", codes, values)
    return files


def _refused(ids: Sequence[str], label: Sequence[int]) -> dict[str, str]:
    """Entries that must be refused, with the codes their participants are told."""
    half = [0.5] * len(ids)
    unsure = ["nan" if place == 5 else "0.5" for place in range(len(ids))]
    rows = list(zip(ids, half, strict=True))
    entries: Mapping[str, tuple[str, str, Sequence[str]]] = {
        "missing_ids": ("Ten patients without a risk.", csv_text(ENTRY, rows[10:]), ("E-ID-MISSING",)),
        "duplicate_ids": ("Three patients twice.", csv_text(ENTRY, rows + rows[:3]), ("E-ID-DUP",)),
        "unknown_ids": ("Two ids that are not of this test set.", csv_text(ENTRY, [*rows, ("900", 0.5), ("x1", 0.5)]),
                        ("E-ID-UNKNOWN",)),
        "lost_zeros": ("Ids read as numbers: 7 for 007.",
                       csv_text(ENTRY, [(int(key), risk) for key, risk in rows]), ("E-ID-ZEROS",)),
        "percent": ("Risks in percent.", csv_text(ENTRY, [(key, 100 * risk) for key, risk in rows]), ("E-PERCENT",)),
        "not_a_number": ("A risk that the model could not give.",
                         csv_text(ENTRY, zip(ids, unsure, strict=True)), ("E-NAN",)),
        "wrong_column": ("The column named as in scikit-learn.", csv_text(("id", "probability"), rows),
                         ("E-COL-MISSING", "W-COL-EXTRA")),
        "french_excel": ("Saved by a French spreadsheet: semicolons and decimal commas.",
                         csv_text(ENTRY, [(key, f"0,{5 + own}") for key, own in zip(ids, label, strict=True)], ";"),
                         ("E-DECIMAL-COMMA", "E-DELIM")),
    }  # fmt: skip
    files = {}
    for name, (note, text, codes) in entries.items():
        files[f"examples/{name}/predictions.csv"] = text
        files[f"examples/{name}/expected.toml"] = expected_text(note, "invalid", codes)
    return files


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
