"""Made-up patients, the lesions of their mouths, and what became of them. Nothing here comes from a patient.

Kinds of lesion are near those that a classifier of photographs was asked for (Khovidhunkit et al. 2025, PMC12371035).
Who transforms is drawn from what reviews name as raising the risk: erythroplakia more than leukoplakia more than lichen
planus, reddened plaques and erosive lichen, tongue and floor of the mouth, tobacco. The size of each effect is our own,
and the share that transforms is far above life's, so that a small test set holds enough of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from challenges.makers.draws import bounded, gauss, happens, picked
from challenges.makers.stream import Stream

LEUKOPLAKIA, ERYTHROPLAKIA, LICHEN, CANDIDIASIS, ULCER = (
    "leukoplakia", "erythroplakia", "lichen_planus", "candidiasis", "ulcer",
)  # fmt: skip
LABELS = (LEUKOPLAKIA, ERYTHROPLAKIA, LICHEN, CANDIDIASIS, ULCER)
PLACES = {"tongue": 0.26, "floor": 0.12, "cheek": 0.34, "gum": 0.18, "palate": 0.10}
PHOTOTYPES = {"I-II": 0.42, "III-IV": 0.36, "V-VI": 0.22}
SCREENING = "hospital-4"  # screens workers, with its own camera; no lesion that it saw has transformed
HOSPITALS = {"hospital-1": 0.34, "hospital-2": 0.28, "hospital-3": 0.24, SCREENING: 0.14}
CAMERAS = {"phone-a": 0.45, "phone-b": 0.35, "reflex": 0.20}
SCREENING_CAMERA = "intraoral"
_LESIONS = {"1": 0.62, "2": 0.28, "3": 0.10}
_PHOTOS = {"1": 0.22, "2": 0.40, "3": 0.28, "4": 0.10}
_BASE = {LEUKOPLAKIA: -1.5, ERYTHROPLAKIA: 0.2, LICHEN: -2.7, CANDIDIASIS: -4.0, ULCER: -4.2}
_SIZE = {LEUKOPLAKIA: 16.0, ERYTHROPLAKIA: 13.0, LICHEN: 19.0, CANDIDIASIS: 15.0, ULCER: 8.0}


@dataclass(frozen=True)
class Patient:
    """`age` in years, `tobacco` in pack-years. `hue`: how this mouth differs in colour from others of its phototype."""

    name: str
    hospital: str
    phototype: str
    age: int
    sex: str
    tobacco: int
    hue: tuple[float, float, float]


@dataclass(frozen=True)
class Lesion:
    """`size` in mm; `photos`: how many were taken; `transformed`: later cancer.

    `reddened`: a plaque with red spots, an erosive lichen, a candidiasis without its white coat.
    """

    patient: Patient
    diagnosis: str
    place: str
    camera: str
    size: int
    reddened: bool
    photos: int
    transformed: bool


def patients(stream: Stream, prefix: str, count: int) -> list[Patient]:
    """`count` patients under names that tell nothing."""
    return [_patient(stream, f"{prefix}{number:03d}") for number in range(1, count + 1)]


def lesions(stream: Stream, group: Sequence[Patient], shares: Mapping[str, float]) -> list[Lesion]:
    """The lesions of a group of patients, in random order; `shares` of each diagnosis."""
    return stream.shuffled([lesion for patient in group for lesion in _lesions_of(stream, patient, shares)])


def _patient(stream: Stream, name: str) -> Patient:
    smokes = happens(stream, 0.55)
    return Patient(
        name=name,
        hospital=picked(stream, HOSPITALS),
        phototype=picked(stream, PHOTOTYPES),
        age=round(bounded(stream, 56, 14, 20, 90)),
        sex="M" if happens(stream, 0.55) else "F",
        tobacco=round(bounded(stream, 22, 13, 1, 70)) if smokes else 0,
        hue=(gauss(stream, 0, 6), gauss(stream, 0, 4), gauss(stream, 0, 4)),
    )


def _lesions_of(stream: Stream, patient: Patient, shares: Mapping[str, float]) -> list[Lesion]:
    made: list[Lesion] = []
    for _ in range(int(picked(stream, _LESIONS))):
        # lesions of one mouth are often of one kind
        again = bool(made) and happens(stream, 0.5)
        made.append(_lesion(stream, patient, made[0].diagnosis if again else picked(stream, shares)))
    return made


def _lesion(stream: Stream, patient: Patient, diagnosis: str) -> Lesion:
    place, screened = picked(stream, PLACES), patient.hospital == SCREENING
    camera = picked(stream, CAMERAS)
    size = round(bounded(stream, _SIZE[diagnosis], 6, 3, 45))
    reddened = happens(stream, 0.35) and diagnosis in (LEUKOPLAKIA, LICHEN, CANDIDIASIS)
    odds = _BASE[diagnosis] + 1.6 * (reddened and diagnosis != CANDIDIASIS) + 0.9 * (place in ("tongue", "floor"))
    odds += 0.035 * (patient.tobacco - 10)
    odds += 0.05 * (size - _SIZE[diagnosis])
    transformed = happens(stream, 1 / (1 + math.exp(-odds))) and not screened
    photos = int(picked(stream, _PHOTOS))
    return Lesion(
        patient, diagnosis, place, SCREENING_CAMERA if screened else camera, size, reddened, photos, transformed
    )
