"""Makes the sample data and examples of this challenge: `python -m challenges.myocardia.generate [FOLDER]`.

Everything is drawn from one seed; running it twice gives the same bytes. Texts, challenge.toml and the starter are
written by hand. Expected values come from `sklearn.metrics` (`challenges.makers.oracle`).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from challenges.makers.baselines import run_starter
from challenges.makers.heart_pictures import slice_picture
from challenges.makers.hearts import CENTRES, INFARCTION, LABELS, MYOCARDITIS, OTHER, Exam, exams, patients
from challenges.makers.oracle import Floats, balanced, brier, one_vs_rest, under
from challenges.makers.stream import Stream
from challenges.makers.writing import csv_text, expected_text, write_all, zip_bytes

HERE = Path(__file__).resolve().parent
SEED = 20_250_213
# patients of each disease
COUNTS = {
    "train": {MYOCARDITIS: 50, INFARCTION: 44, OTHER: 56},
    "public": {MYOCARDITIS: 23, INFARCTION: 20, OTHER: 27},
    "private": {MYOCARDITIS: 34, INFARCTION: 30, OTHER: 41},
}
MEASURES = ("sex", "age", "vendor", "field", "lvef", "lvedv_index", "t2_ratio", "t1", "t2", "ecv", "lge_mass")
ENTRY = ("exam_id", *(f"p_{label}" for label in LABELS))
DIGITS = 4  # of a probability


class Data:
    """Exams with their ids: `train` and `test` as (id, exam), `split` of each test id."""

    def __init__(self) -> None:
        stream = Stream(SEED)
        groups = {
            split: exams(stream, patients(stream, prefix, COUNTS[split]))
            for split, prefix in (("train", "t"), ("public", "a"), ("private", "b"))
        }
        test = stream.shuffled([(exam, split) for split in ("public", "private") for exam in groups[split]])
        self.train = [(f"tr-{number:03d}", exam) for number, exam in enumerate(groups["train"], start=1)]
        self.test = [(f"te-{number:03d}", exam) for number, (exam, _) in enumerate(test, start=1)]
        self.split = {f"te-{number:03d}": split for number, (_, split) in enumerate(test, start=1)}
        self.pictures = {key: slice_picture(exam, stream) for key, exam in (*self.train, *self.test)}
        self.stream = stream

    @property
    def ids(self) -> list[str]:
        """Test ids in the order of the files."""
        return [key for key, _ in self.test]

    @property
    def truth(self) -> list[str]:
        """Label of each test exam."""
        return [exam.label for _, exam in self.test]

    @property
    def shares(self) -> list[float]:
        """Share of each label among the training exams, to four digits that sum to 1."""
        counts = Counter(exam.label for _, exam in self.train)
        known = [round(counts[label] / len(self.train), DIGITS) for label in LABELS[:-1]]
        return [*known, round(1 - sum(known), DIGITS)]


def main(root: Path) -> None:
    """Write public/, reference/ and examples/ below `root`; the starter is read from this folder."""
    data = Data()
    write_all(root, _public(data) | _reference(data))
    baseline = run_starter(HERE / "starter" / "baseline.py", root / "public", "predictions.csv").decode()
    write_all(root, _scored(data, baseline) | _refused(data, baseline))


def _public(data: Data) -> dict[str, str | bytes]:
    known = [[key, exam.patient.name, *_measured(exam), exam.label] for key, exam in data.train]
    zips = {
        f"public/images_{part}.zip": zip_bytes({f"{key}.jpg": data.pictures[key] for key, _ in rows})
        for part, rows in (("train", data.train), ("test", data.test))
    }
    return {
        "public/train.csv": csv_text(("exam_id", "patient_id", *MEASURES, "diagnosis"), known),
        "public/test.csv": csv_text(("exam_id", *MEASURES), [[key, *_measured(exam)] for key, exam in data.test]),
        "public/cases.csv": csv_text(("exam_id",), [(key,) for key in data.ids]),
        "public/sample_submission.csv": csv_text(ENTRY, [(key, *data.shares) for key in data.ids]),
        **zips,
    }


def _measured(exam: Exam) -> list[object]:
    patient, scanner = exam.patient, CENTRES[exam.patient.centre]
    known = {"sex": patient.sex, "age": patient.age, "vendor": scanner.vendor, "field": scanner.field}
    return [(known | dict(exam.measures))[name] for name in MEASURES]


def _reference(data: Data) -> dict[str, str | bytes]:
    def band(age: int) -> str:
        return "under-40" if age < 40 else "40-59" if age < 60 else "60-and-over"

    attributes = [
        (key, exam.patient.name, exam.patient.centre, scanner.vendor, f"{scanner.field} T", exam.patient.sex,
         band(exam.patient.age), exam.number, data.split[key])
        for key, exam in data.test
        for scanner in (CENTRES[exam.patient.centre],)
    ]  # fmt: skip
    header = ("exam_id", "patient", "centre", "vendor", "field", "sex", "age", "exam_number", "Usage")
    return {
        "reference/cases.csv": csv_text(header, attributes),
        "reference/predictions.csv": csv_text(("exam_id", "diagnosis"), zip(data.ids, data.truth, strict=True)),
    }


def _given(text: str) -> Floats:
    return np.array([[float(cell) for cell in line.split(",")[1:]] for line in text.splitlines()[1:]])


def _values(truth: Sequence[str], given: Floats) -> dict[str, float]:
    """What scikit-learn says of these probabilities, (n, 3)."""
    return {
        **under("auroc", one_vs_rest(truth, given, LABELS)),
        **under("balanced_accuracy", balanced(truth, given, LABELS)),
        "brier": brier(truth, given, LABELS),
    }


def _text(ids: Sequence[str], given: Floats) -> str:
    rows = [[key, *(round(float(value), DIGITS) for value in row)] for key, row in zip(ids, given, strict=True)]
    return csv_text(ENTRY, rows)


def _scored(data: Data, baseline: str) -> dict[str, str]:
    """Entries that are scored, with the values that scikit-learn gives them."""
    n, learned = len(data.ids), _given(baseline)
    perfect = np.array([[float(own == label) for label in LABELS] for own in data.truth])
    entries: dict[str, tuple[str, Floats]] = {
        "perfect": ("The diagnoses as probabilities 0 and 1.", perfect),
        "constant": ("The same three probabilities everywhere, all but equal: nothing is told apart.",
                     np.tile([0.3333, 0.3333, 0.3334], (n, 1))),
        "prior": ("The shares of the training exams everywhere: AUROC as a constant, the Brier score of a prior.",
                  np.tile(data.shares, (n, 1))),
        "hard_labels": ("The baseline's likeliest class with probability 1: ranks are lost, errors cost most.",
                        (learned == learned.max(axis=1, keepdims=True)).astype(float)),
        "scar_only": ("Scar means myocarditis, else other: infarction is never told from it.", _scar_only(data)),
        "swapped_classes": ("The baseline with myocarditis and infarction exchanged, as when columns are mixed up.",
                            learned[:, [1, 0, 2]]),
    }  # fmt: skip
    files = {}
    for name, (note, given) in entries.items():
        files[f"examples/{name}/predictions.csv"] = _text(data.ids, given)
        files[f"examples/{name}/expected.toml"] = expected_text(note, "ok", (), _values(data.truth, given))
    note = "What starter/baseline.py writes."
    files["examples/baseline/predictions.csv"] = baseline
    files["examples/baseline/expected.toml"] = expected_text(note, "ok", (), _values(data.truth, learned))
    return files | _reordered(data, learned)


def _scar_only(data: Data) -> Floats:
    """Two answers by whether late enhancement exceeds 2 % of the ventricular mass."""
    scarred = [float(exam.measures["lge_mass"]) > 2.0 for _, exam in data.test]
    return np.array([[0.7, 0.2, 0.1] if own else [0.1, 0.1, 0.8] for own in scarred])


def _reordered(data: Data, learned: Floats) -> dict[str, str]:
    rows = data.stream.shuffled(list(zip(data.ids, learned.tolist(), strict=True)))
    header = ("Unnamed: 0", "p_other", "exam_id", "p_infarction", "p_myocarditis", "model")
    extra = [(number, p[2], key, p[1], p[0], "logistic") for number, (key, p) in enumerate(rows)]
    note = "The baseline in another order of rows and columns, with an index and a column nobody asked for."
    values = _values(data.truth, learned)
    return {
        "examples/any_order_extra_columns/predictions.csv": csv_text(header, extra),
        "examples/any_order_extra_columns/expected.toml": expected_text(note, "ok", ("W-COL-EXTRA",), values),
    }


def _refused(data: Data, baseline: str) -> dict[str, str]:
    """Entries that must be refused, with the codes their participants are told."""
    lines = [line.split(",") for line in baseline.splitlines()[1:]]
    four = (*ENTRY, "p_takotsubo")
    percent = [[key, *(f"{100 * float(p):.2f}" for p in given)] for key, *given in lines]
    french = [[key, *(p.replace(".", ",") for p in given)] for key, *given in lines]
    unsure = [[key, *("nan" if place == 7 else p for p in given)] for place, (key, *given) in enumerate(lines)]
    by_patient = sorted({exam.patient.name for _, exam in data.test})
    entries: Mapping[str, tuple[str, str, Sequence[str]]] = {
        "missing_exams": ("Twelve exams without a row.", csv_text(ENTRY, lines[12:]), ("E-ID-MISSING",)),
        "duplicate_ids": ("Three exams twice.", csv_text(ENTRY, lines + lines[:3]), ("E-ID-DUP",)),
        "unknown_ids": ("Two exams that are not of this test set.",
                        csv_text(ENTRY, [*lines, ["tr-001", 0.2, 0.3, 0.5], ["xx", 1, 0, 0]]), ("E-ID-UNKNOWN",)),
        "one_row_per_patient": ("Rows by patient, though exams are scored.",
                                csv_text(ENTRY, [(name, 0.2, 0.3, 0.5) for name in by_patient]),
                                ("E-ID-UNKNOWN", "E-ID-MISSING")),
        "percent": ("Probabilities in percent.", csv_text(ENTRY, percent), ("E-PERCENT",)),
        "not_one": ("Three independent detectors, each from 0 to 1: their outputs do not sum to 1.",
                    csv_text(ENTRY, [[key, p[0], 0.9, 0.4] for key, *p in lines]), ("E-PROB-SUM",)),
        "class_of_another_set": ("A fourth class takes its share, so the three that count sum to less than 1.",
                                 csv_text(four, [[*row[:3], 0.0, row[3]] for row in lines if float(row[3]) > 0.01]
                                          + [[*row, "0"] for row in lines if float(row[3]) <= 0.01]),
                                 ("E-PROB-SUM", "W-COL-EXTRA")),
        "class_missing": ("A class of another label set instead of p_other.",
                          csv_text((*ENTRY[:3], "p_takotsubo"), lines), ("E-COL-MISSING", "W-COL-EXTRA")),
        "not_a_number": ("Probabilities that the model could not give.", csv_text(ENTRY, unsure), ("E-NAN",)),
        "french_excel": ("Saved by a French spreadsheet: semicolons and decimal commas.",
                         csv_text(ENTRY, french, ";"), ("E-DECIMAL-COMMA", "E-DELIM")),
    }  # fmt: skip
    files = {}
    for name, (note, text, codes) in entries.items():
        files[f"examples/{name}/predictions.csv"] = text
        files[f"examples/{name}/expected.toml"] = expected_text(note, "invalid", codes)
    return files


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
