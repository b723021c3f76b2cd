"""Makes the sample data and examples of this challenge: `python -m challenges.aid_oral.generate [FOLDER]`.

Everything is drawn from one seed; running it twice gives the same bytes. Texts, challenge.toml and the starter are
written by hand. Expected values come from `sklearn.metrics` on the mean of each lesion's photographs
(`challenges.makers.mouth_entries`).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from challenges.makers.baselines import run_starter
from challenges.makers.mouth_entries import (
    DIAGNOSIS,
    RISK,
    Answer,
    Truth,
    archive,
    diagnosis_text,
    read_archive,
    risk_text,
    values,
)
from challenges.makers.mouth_pictures import photo
from challenges.makers.mouths import LABELS, Lesion, lesions, patients
from challenges.makers.stream import Stream
from challenges.makers.writing import csv_text, expected_text, write_all, zip_bytes

HERE = Path(__file__).resolve().parent
SEED = 20_250_214
PATIENTS = {"train": 84, "public": 46, "private": 70}
SHARES = dict(zip(LABELS, (0.30, 0.14, 0.22, 0.17, 0.17), strict=True))
DIGITS = 4  # of a probability
FACTS = ("age", "sex", "tobacco", "place", "size_mm")


class Data:
    """Lesions with their ids: `train`, `test`; (photo id, lesion id) of each part; `split` of each test lesion."""

    def __init__(self) -> None:
        stream = Stream(SEED)
        groups = {
            split: lesions(stream, patients(stream, prefix, PATIENTS[split]), SHARES)
            for split, prefix in (("train", "t"), ("public", "a"), ("private", "b"))
        }
        test = stream.shuffled([(lesion, split) for split in ("public", "private") for lesion in groups[split]])
        self.train = {f"tr-{number:03d}": lesion for number, lesion in enumerate(groups["train"], start=1)}
        self.test = {f"te-{number:03d}": lesion for number, (lesion, _) in enumerate(test, start=1)}
        self.split = {f"te-{number:03d}": split for number, (_, split) in enumerate(test, start=1)}
        self.pictures: dict[str, bytes] = {}
        self.train_photos, self.test_photos = self._photos(stream, self.train), self._photos(stream, self.test)
        self.stream = stream

    def _photos(self, stream: Stream, group: Mapping[str, Lesion]) -> list[tuple[str, str]]:
        rows = []
        for key, lesion in group.items():
            for _ in range(lesion.photos):
                name = f"p{stream.hexes(6)}"
                assert name not in self.pictures, "two photographs have one name: take another seed"
                self.pictures[name] = photo(lesion, stream)
                rows.append((name, key))
        return rows

    @property
    def truth(self) -> Truth:
        """The test set as the oracle takes it."""
        return Truth(self.test, self.test_photos)

    @property
    def prior(self) -> tuple[list[float], float]:
        """Share of each diagnosis and of those that transformed, among the training lesions, to four digits."""
        counts, n = Counter(lesion.diagnosis for lesion in self.train.values()), len(self.train)
        known = [round(counts[label] / n, DIGITS) for label in LABELS[1:]]
        transformed = sum(lesion.transformed for lesion in self.train.values())
        return [round(1 - sum(known), DIGITS), *known], round(transformed / n, DIGITS)


def main(root: Path) -> None:
    """Write public/, reference/ and examples/ below `root`; the starter is read from this folder."""
    data = Data()
    write_all(root, _public(data) | _reference(data))
    baseline = run_starter(HERE / "starter" / "baseline.py", root / "public", "entry.zip")
    write_all(root, _scored(data, baseline) | _refused(data, read_archive(baseline)))


def _facts(lesion: Lesion) -> list[object]:
    return [lesion.patient.age, lesion.patient.sex, lesion.patient.tobacco, lesion.place, lesion.size]


def _public(data: Data) -> dict[str, str | bytes]:
    known = [
        [key, lesion.patient.name, *_facts(lesion), lesion.patient.phototype, lesion.camera, lesion.diagnosis,
         int(lesion.transformed)]
        for key, lesion in data.train.items()
    ]  # fmt: skip
    header = ("lesion_id", "patient_id", *FACTS, "phototype", "camera", "diagnosis", "transformed")
    shares, risk = data.prior
    sample = _everywhere(data, shares, risk)
    zips = {
        f"public/photos_{part}.zip": zip_bytes({f"{name}.jpg": data.pictures[name] for name, _ in rows})
        for part, rows in (("train", data.train_photos), ("test", data.test_photos))
    }
    return {
        "public/lesions_train.csv": csv_text(header, known),
        "public/photos_train.csv": csv_text(("photo_id", "lesion_id"), data.train_photos),
        "public/lesions_test.csv": csv_text(
            ("lesion_id", *FACTS), [[key, *_facts(lesion)] for key, lesion in data.test.items()]
        ),
        "public/cases.csv": csv_text(("photo_id", "lesion_id"), data.test_photos),
        "public/sample_submission.zip": archive(diagnosis_text(data.truth, sample), risk_text(sample)),
        **zips,
    }


def _reference(data: Data) -> dict[str, str | bytes]:
    attributes = [
        (key, lesion.patient.name, lesion.patient.hospital, lesion.patient.phototype, lesion.camera, data.split[key])
        for key, lesion in data.test.items()
    ]
    header = ("lesion_id", "patient", "hospital", "phototype", "camera", "Usage")
    return {
        "reference/cases.csv": csv_text(header, attributes),
        "reference/diagnosis.csv": csv_text(
            ("lesion_id", "diagnosis"), [(key, lesion.diagnosis) for key, lesion in data.test.items()]
        ),
        "reference/risk.csv": csv_text(
            ("lesion_id", "transformed"), [(key, int(lesion.transformed)) for key, lesion in data.test.items()]
        ),
    }


def _everywhere(data: Data, probabilities: Sequence[float], risk: float) -> Answer:
    return Answer({name: probabilities for name, _ in data.test_photos}, dict.fromkeys(data.test, risk))


def _sure(label: str) -> list[float]:
    return [float(label == own) for own in LABELS]


def _perfect(data: Data) -> Answer:
    photos = {name: _sure(data.test[key].diagnosis) for name, key in data.test_photos}
    return Answer(photos, {key: float(lesion.transformed) for key, lesion in data.test.items()})


def _scored(data: Data, baseline: bytes) -> dict[str, str | bytes]:
    """Entries that are scored, with the values that scikit-learn gives them per lesion."""
    learned = read_archive(baseline)
    files: dict[str, str | bytes] = {}
    for name, (note, answer, codes) in _accepted(data, learned).items():
        content = archive(diagnosis_text(data.truth, answer), risk_text(answer))
        files |= _example(name, content, expected_text(note, "ok", codes, values(data.truth, answer)))
    note = "What starter/baseline.py writes."
    files |= _example("baseline", baseline, expected_text(note, "ok", (), values(data.truth, learned)))
    note = "The baseline in folders inside the archive, as a file manager packs them: each table is found by its name."
    content = archive(diagnosis_text(data.truth, learned), risk_text(learned), "my entry/tables/")
    files |= _example("archive_with_folders", content, expected_text(note, "ok", (), values(data.truth, learned)))
    return files | _reordered(data, learned)


def _example(name: str, content: bytes, expected: str) -> dict[str, str | bytes]:
    return {f"examples/{name}/entry.zip": content, f"examples/{name}/expected.toml": expected}


def _accepted(data: Data, learned: Answer) -> dict[str, tuple[str, Answer, Sequence[str]]]:
    """Answers that are scored: note, answer, codes of the warnings."""
    perfect = _perfect(data)
    first = {key: name for name, key in reversed(data.test_photos)}
    dropped = set(data.stream.shuffled(sorted(data.test))[:15])
    hard = {name: _sure(LABELS[max(range(5), key=lambda i, p=p: p[i])]) for name, p in learned.photos.items()}  # type: ignore[misc]
    return {
        "perfect": ("The answers as probabilities 0 and 1.", perfect, ()),
        "constant": ("Equal probabilities and the same risk everywhere: a tie is the first label, leukoplakia.",
                     _everywhere(data, [0.2] * 5, 0.5), ()),
        "prior": ("The shares of the training lesions everywhere.", _everywhere(data, *data.prior), ()),
        "hard_labels": ("The baseline's likeliest label of each photograph with probability 1: photographs vote.",
                        Answer(hard, learned.risks), ()),
        "photos_disagree": ("True answers, but the first photograph of each lesion is surely the next label: a lesion "
                            "of one photograph is wrong, one of two is a tie, one of more is right.",
                            Answer({**perfect.photos, **{name: _sure(_next(data.test[key].diagnosis))
                                                         for key, name in first.items()}}, perfect.risks), ()),
        "one_photo_per_lesion": ("The baseline for the first photograph of each lesion only: the others are missing.",
                                 Answer({name: learned.photos[name] for name in first.values()}, learned.risks),
                                 ("W-ID-MISSING",)),
        "lesions_without_photo": ("True answers, but 15 lesions have no photograph: each is a miss of its label.",
                                  Answer({name: perfect.photos[name] for name, key in data.test_photos
                                          if key not in dropped}, perfect.risks), ("W-ID-MISSING",)),
        "inverted_risk": ("The baseline with 1 - risk: an AUROC below chance is never turned round.",
                          Answer(learned.photos, {key: round(1 - r, DIGITS) for key, r in learned.risks.items()}), ()),
    }  # fmt: skip


def _next(label: str) -> str:
    return LABELS[(LABELS.index(label) + 1) % len(LABELS)]


def _reordered(data: Data, learned: Answer) -> dict[str, str | bytes]:
    rows = data.stream.shuffled([(name, key, *learned.photos[name]) for name, key in data.test_photos])
    header = ("Unnamed: 0", *reversed(DIAGNOSIS), "blurred")
    diagnosis = csv_text(header, [(number, *reversed(row), 0) for number, row in enumerate(rows)])
    risks = data.stream.shuffled(list(learned.risks.items()))
    risk = csv_text((*RISK, "stage"), [(*row, "I") for row in risks])
    note = "The baseline in another order of rows and columns, with columns nobody asked for in both tables."
    expected = expected_text(note, "ok", ("W-COL-EXTRA",), values(data.truth, learned))
    return _example("any_order_extra_columns", archive(diagnosis, risk), expected)


def _refused(data: Data, learned: Answer) -> dict[str, str | bytes]:
    """Entries that must be refused, with the codes their participants are told."""
    diagnosis, risk = diagnosis_text(data.truth, learned), risk_text(learned)
    lines, risks = ([row.split(",") for row in text.splitlines()[1:]] for text in (diagnosis, risk))
    percent = csv_text(RISK, [(key, f"{100 * float(value):.2f}") for key, value in risks])
    french = csv_text(DIAGNOSIS, [[*row[:2], *(p.replace(".", ",") for p in row[2:])] for row in lines], ";")
    other = lines[0][1]
    astray = next(place for place, row in enumerate(lines) if row[1] != other)
    entries: Mapping[str, tuple[str, bytes, Sequence[str]]] = {
        "risk_missing": ("The archive holds the diagnoses only.",
                         zip_bytes({"diagnosis.csv": diagnosis.encode()}), ("E-FILE-MISSING",)),
        "lesion_without_risk": ("Seven lesions without a risk, which each lesion needs.",
                                archive(diagnosis, csv_text(RISK, risks[7:])), ("E-ID-MISSING",)),
        "duplicate_photo": ("Two photographs twice.",
                            archive(csv_text(DIAGNOSIS, lines + lines[:2]), risk), ("E-ID-DUP",)),
        "unknown_ids": ("A photograph of the training set, and a lesion that there is not.",
                        archive(csv_text(DIAGNOSIS, [*lines, [data.train_photos[0][0], *lines[0][1:]]]),
                                csv_text(RISK, [*risks, ["te-999", 0.5]])), ("E-ID-UNKNOWN",)),
        "photo_of_another_lesion": ("A photograph under the name of another lesion.",
                                    archive(csv_text(DIAGNOSIS, [[row[0], other, *row[2:]] if place == astray else row
                                                                 for place, row in enumerate(lines)]), risk),
                                    ("E-KEY-CASE",)),
        "percent": ("Risks in percent.", archive(diagnosis, percent), ("E-PERCENT",)),
        "not_one": ("Five independent detectors, whose outputs do not sum to 1.",
                    archive(csv_text(DIAGNOSIS, [[*row[:2], 0.9, *row[3:]] for row in lines]), risk), ("E-PROB-SUM",)),
        "class_of_another_set": ("Ulcers under a name that is not in the label set.",
                                 archive(diagnosis.replace("p_ulcer", "p_aphtha", 1), risk),
                                 ("E-COL-MISSING", "W-COL-EXTRA")),
        "label_instead": ("One column with the label, where probabilities are expected.",
                          archive(csv_text((*DIAGNOSIS[:2], "diagnosis"), [(*row[:2], "ulcer") for row in lines]),
                                  risk), ("E-COL-MISSING", "W-COL-EXTRA")),
        "french_excel": ("The diagnoses saved by a French spreadsheet: semicolons and decimal commas.",
                         archive(french, risk), ("E-DECIMAL-COMMA", "E-DELIM")),
    }  # fmt: skip
    files: dict[str, str | bytes] = {}
    for name, (note, content, codes) in entries.items():
        files |= _example(name, content, expected_text(note, "invalid", codes))
    return files


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
