"""Entries of AID-Oral: the two tables, the archive that holds them, and their score by an independent way."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import brier_score_loss, roc_auc_score

from challenges.makers.mouths import LABELS, Lesion
from challenges.makers.oracle import Floats, macro_f1, under
from challenges.makers.writing import csv_text, zip_bytes

DIAGNOSIS = ("photo_id", "lesion_id", *(f"p_{label}" for label in LABELS))
RISK = ("lesion_id", "risk")
DIAGNOSIS_FILE, RISK_FILE = "diagnosis.csv", "risk.csv"


@dataclass(frozen=True)
class Truth:
    """The test set: its lesions by id, and (photo id, lesion id) of each photograph, both in the order of the files."""

    lesions: Mapping[str, Lesion]
    photos: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """An entry: photograph -> probabilities of the labels, lesion -> risk. A photograph may be left out."""

    photos: Mapping[str, Sequence[float]]
    risks: Mapping[str, float]


def diagnosis_text(truth: Truth, answer: Answer) -> str:
    """diagnosis.csv, photographs in the order of cases.csv."""
    rows = [(photo, lesion, *answer.photos[photo]) for photo, lesion in truth.photos if photo in answer.photos]
    return csv_text(DIAGNOSIS, rows)


def risk_text(answer: Answer) -> str:
    """risk.csv."""
    return csv_text(RISK, answer.risks.items())


def archive(diagnosis: str, risk: str, folder: str = "") -> bytes:
    """The ZIP of both tables, below `folder` (which ends in a slash)."""
    return zip_bytes({folder + DIAGNOSIS_FILE: diagnosis.encode(), folder + RISK_FILE: risk.encode()})


def read_archive(content: bytes) -> Answer:
    """The answer in an archive that `archive` or the starter wrote."""
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        photos, risks = (
            list(csv.DictReader(io.StringIO(opened.read(name).decode()))) for name in (DIAGNOSIS_FILE, RISK_FILE)
        )
    return Answer(
        {row["photo_id"]: [float(row[f"p_{label}"]) for label in LABELS] for row in photos},
        {row["lesion_id"]: float(row["risk"]) for row in risks},
    )


def combined(truth: Truth, answer: Answer) -> Floats:
    """(lesions, labels): mean of the probabilities over the photographs that were answered; nan where there is none."""
    given: dict[str, list[Sequence[float]]] = {lesion: [] for lesion in truth.lesions}
    for photo, lesion in truth.photos:
        if photo in answer.photos:
            given[lesion].append(answer.photos[photo])
    none = np.full(len(LABELS), np.nan)
    return np.array([np.mean(rows, axis=0) if rows else none for rows in given.values()])


def values(truth: Truth, answer: Answer) -> dict[str, float]:
    """What scikit-learn says per lesion, and half of each main value as the score."""
    diagnosis = macro_f1([lesion.diagnosis for lesion in truth.lesions.values()], combined(truth, answer), LABELS)
    transformed = [int(lesion.transformed) for lesion in truth.lesions.values()]
    risks = [answer.risks[lesion] for lesion in truth.lesions]
    auroc = float(roc_auc_score(transformed, risks))
    return {
        "score": 0.5 * diagnosis["macro_f1"] + 0.5 * auroc,
        **under("macro_f1", diagnosis),
        "risk_auroc": auroc,
        "risk_brier": float(brier_score_loss(transformed, risks)),
    }
