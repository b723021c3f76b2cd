"""Makes the sample data and examples of this challenge: `python -m challenges.cytologia.generate [FOLDER]`.

Everything is drawn from one seed; running it twice gives the same bytes. The texts, challenge.toml and the starter are
written by hand. Expected values come from the slow scorers `cytologia_score` and `coco_score` in `challenges.makers`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from challenges.makers.coco_score import slow_ap
from challenges.makers.cytologia_score import Row, slow_score
from challenges.makers.smears import Patient, Picture, class_counts, patients, pictures
from challenges.makers.stream import Stream
from challenges.makers.writing import csv_text, expected_text, write_all, zip_bytes

HERE = Path(__file__).resolve().parent
SEED = 20_241_104
TRAIN_CELLS, TEST_CELLS, TRAIN_LEAST = 330, 290, 4
LEAST = {"public": 2, "private": 2}  # cells of the rarest class in each split
SHARE = {"public": 0.4, "private": 0.6}
PATIENTS = {"train": 60, "public": 36, "private": 54}

# rows of each class in the published train.csv
PUBLISHED = {
    "PNN": 6827, "Lysee": 3408, "LAM3": 3338, "LLC": 3158, "LyB": 3029, "MO": 2743, "MBL": 2668, "LGL": 2439,
    "EO": 2432, "Thromb": 2319, "Er": 2308, "B": 2263, "LF": 2131, "LY": 2092, "M": 1994, "MM": 1707,
    "LH_lyAct": 1705, "MoB": 1531, "PM": 1152, "BA": 1001, "LM": 944, "LZMG": 845, "SS": 714,
}  # fmt: skip
STAINS = {"centre-1": "MGG", "centre-2": "MGG", "centre-3": "MGG", "centre-4": "Wright", "centre-5": "Wright"}
ENTRY = ("trustii_id", "NAME", "x1", "y1", "x2", "y2", "class")


def main(root: Path) -> None:
    """Write public/, reference/ and examples/ below `root`; the starter is read from this folder."""
    stream = Stream(SEED)
    train = pictures(stream, class_counts(PUBLISHED, TRAIN_CELLS, TRAIN_LEAST), _group(stream, "train"))
    test = [(picture, split) for split in SHARE for picture in _test_pictures(stream, split)]
    test = stream.shuffled(test)
    truth = _numbered([picture for picture, _ in test])
    write_all(root, _public(train, [picture for picture, _ in test], truth))
    attributes = [(p.name, p.patient.name, p.patient.centre, p.patient.stain, split) for p, split in test]
    header = ("NAME", "patient", "centre", "stain", "Usage")
    write_all(root, {"reference/cases.csv": csv_text(header, sorted(attributes))})
    write_all(root, {"reference/predictions.csv": csv_text(ENTRY, truth)})
    write_all(root, _examples(stream, root, train, truth))


def _group(stream: Stream, split: str) -> list[Patient]:
    return patients(stream, {"train": "t", "public": "a", "private": "b"}[split], PATIENTS[split], STAINS)


def _test_pictures(stream: Stream, split: str) -> list[Picture]:
    counts = class_counts(PUBLISHED, round(TEST_CELLS * SHARE[split]), LEAST[split])
    return pictures(stream, counts, _group(stream, split))


def _numbered(test: Sequence[Picture]) -> list[Row]:
    """True rows with a running id: pictures in their random order, cells of a picture in theirs."""
    cells = [(picture.name, box, label) for picture in test for box, label in picture.cells]
    return [
        Row(str(number), name, float(x1), float(y1), float(x2), float(y2), label)
        for number, (name, (x1, y1, x2, y2), label) in enumerate(cells, start=1)
    ]


def _public(train: Sequence[Picture], test: Sequence[Picture], truth: Sequence[Row]) -> dict[str, str | bytes]:
    rows = [(p.name, *box, label) for p in train for box, label in p.cells]
    middle = _median_box(train)
    return {
        "public/train.csv": csv_text(("NAME", "x1", "y1", "x2", "y2", "class"), rows),
        "public/images_train.zip": zip_bytes({p.name: p.content for p in train}),
        "public/images_test.zip": zip_bytes({p.name: p.content for p in test}),
        "public/cases.csv": csv_text(("trustii_id", "NAME"), [(row.trustii_id, row.name) for row in truth]),
        "public/sample_submission.csv": csv_text(ENTRY, [(row.trustii_id, row.name, *middle, "PNN") for row in truth]),
    }


def _median_box(train: Sequence[Picture]) -> tuple[float, float, float, float]:
    boxes = [box for picture in train for box, _ in picture.cells]
    x1, y1, x2, y2 = (float(statistics.median(box[side] for box in boxes)) for side in range(4))
    return x1, y1, x2, y2


def _baseline(root: Path) -> str:
    """What the starter writes, run as a participant runs it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "predictions.csv"
        starter = HERE / "starter" / "baseline.py"
        command = [sys.executable, str(starter), "--data", str(root / "public"), "--out", str(out)]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 our own starter
        return out.read_text(encoding="utf-8")


def _rows(text: str) -> list[Row]:
    cells = [line.split(",") for line in text.splitlines()[1:]]
    return [Row(c[0], c[1], float(c[2]), float(c[3]), float(c[4]), float(c[5]), c[6]) for c in cells]


def _examples(stream: Stream, root: Path, train: Sequence[Picture], truth: Sequence[Row]) -> dict[str, str]:
    """Entries with their expected outcome; those that are scored, with values of the slow scorers."""
    baseline = _baseline(root)
    scored: dict[str, tuple[str, str, Sequence[Row], Sequence[str]]] = {
        "perfect": ("The true boxes and classes.", csv_text(ENTRY, truth), truth, ()),
        "baseline": ("What starter/baseline.py writes.", baseline, _rows(baseline), ()),
    }
    for name, (note, answers, told) in _variants(stream, _median_box(train), truth).items():
        scored[name] = (note, csv_text(ENTRY, answers), answers, told)
    extra = [(number, *row, 0.5) for number, row in enumerate(stream.shuffled(truth))]
    header = ("Unnamed: 0", *ENTRY, "confidence")
    note = "True answers in another order with columns nobody asked for, as pandas and detectors leave them."
    scored["any_order_extra_columns"] = (note, csv_text(header, extra), truth, ("W-COL-EXTRA",))
    files: dict[str, str] = {}
    for name, (note, text, answers, told) in scored.items():
        values = _values("score", slow_score(truth, answers)) | _values("map", slow_ap(truth, answers))
        files[f"examples/{name}/predictions.csv"] = text
        files[f"examples/{name}/expected.toml"] = expected_text(note, "ok", told, values)
    return files | _refused(truth)


def _variants(
    stream: Stream, middle: tuple[float, float, float, float], truth: Sequence[Row]
) -> dict[str, tuple[str, Sequence[Row], Sequence[str]]]:
    """The truth changed in ways that are accepted: note, rows, codes of the warnings."""
    x1, y1, x2, y2 = middle
    first = {row.name: row for row in reversed(truth)}
    dropped = set(stream.shuffled(sorted(first))[:25])
    return {
        "constant": (
            "The median box of the training pictures and the commonest class, everywhere.",
            [row._replace(x1=x1, y1=y1, x2=x2, y2=y2, label="PNN") for row in truth],
            (),
        ),
        "constant_box": (
            "The median box everywhere, but each id with its true class: localisation is worth next to nothing.",
            [row._replace(x1=x1, y1=y1, x2=x2, y2=y2) for row in truth],
            (),
        ),
        "missing_images": (
            "True answers, but none for 25 of the pictures: GIoU -1, and the class None costs as much as a class.",
            [row for row in truth if row.name not in dropped],
            ("W-ID-MISSING",),
        ),
        "one_box_per_image": (
            "The true answer for the first cell of each picture only: one box serves all cells of its picture.",
            list(reversed(first.values())),
            ("W-ID-MISSING",),
        ),
        "duplicate_ids": (
            "True answers, each followed by a wrong one for the same id: the first counts.",
            [part for row in truth for part in (row, row._replace(label="SS", x2=row.x2 + 5))],
            ("W-ID-DUP",),
        ),
    }


def _values(metric: str, scores: dict[str, float]) -> dict[str, float]:
    """By the name of the metric, which is that of the first value, and for the others by their own name besides."""
    main = next(iter(scores))
    return {metric if name == main else f"{metric}.{name}": value for name, value in scores.items()}


def _refused(truth: Sequence[Row]) -> dict[str, str]:
    """Entries that must be refused, with the codes their participants are told."""

    def changed(rows: Callable[[int, Row], Row]) -> str:
        return csv_text(ENTRY, [rows(number, row) for number, row in enumerate(truth)])

    names = list(PUBLISHED)
    french = [[str(part).replace(".", ",") if place in range(2, 6) else part for place, part in enumerate(row)]
              for row in truth]  # fmt: skip
    entries = {
        "swapped_boxes": (
            "Columns written as x1, x2, y1, y2 under the header x1, y1, x2, y2, on every tenth line.",
            changed(lambda i, row: row._replace(y1=row.x2, x2=row.y1) if i % 10 == 0 else row),
            ("E-BOX",),
        ),
        "wrong_class_name": (
            "A class by its English name.",
            changed(lambda _, row: row._replace(label="Neutrophil") if row.label == "PNN" else row),
            ("E-LABEL",),
        ),
        "class_index": (
            "Classes by number, as a classifier gives them.",
            changed(lambda _, row: row._replace(label=str(names.index(row.label)))),
            ("E-LABEL-INDEX",),
        ),
        "french_excel": (
            "Saved by a French spreadsheet: semicolons and decimal commas.",
            csv_text(ENTRY, french, delimiter=";"),
            ("E-DECIMAL-COMMA", "E-DELIM"),
        ),
        "unknown_ids": (
            "Ids that count from 100000.",
            changed(lambda i, row: row._replace(trustii_id=str(100_000 + i)) if i < 30 else row),
            ("E-ID-UNKNOWN", "W-ID-MISSING"),
        ),
        "wrong_image": (
            "Ids under the name of another picture.",
            changed(lambda i, row: row._replace(name=truth[i - 1].name) if i == 7 else row),
            ("E-KEY-CASE",),
        ),
        "header_case": ("A header in capitals.", csv_text([name.upper() for name in ENTRY], truth), ("E-COL-HEADER",)),
    }
    files = {}
    for name, (note, text, codes) in entries.items():
        files[f"examples/{name}/predictions.csv"] = text
        files[f"examples/{name}/expected.toml"] = expected_text(note, "invalid", codes)
    return files


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
