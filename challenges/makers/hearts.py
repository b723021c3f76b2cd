"""Made-up patients and their cardiac MRI exams. Nothing here comes from a patient.

Each exam has a hidden state (oedema, scar, where the scar lies), from which its measurements follow with noise.
Spreads, shares and the shift from 1.5 T to 3 T are our own; the groups are set apart so that cut-offs which reviews
propose (native T1 990 ms at 1.5 T, ECV 27 %, T2 ratio 1.9: Esposito et al. 2016, PMC4729715) fall between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from challenges.makers.draws import bounded, gauss, happens, picked
from challenges.makers.stream import Stream

MYOCARDITIS, INFARCTION, OTHER = "myocarditis", "infarction", "other"
LABELS = (MYOCARDITIS, INFARCTION, OTHER)


@dataclass(frozen=True)
class Scanner:
    """`field` in tesla; `shift`: what it adds to native T1, in ms; `no_map`: share of exams without T1 mapping."""

    vendor: str
    field: str
    shift: float
    no_map: float


# the fifth centre examines volunteers and check-ups only, so that within it every exam is `other`
CENTRES: Mapping[str, Scanner] = {
    "centre-1": Scanner("vendor-a", "1.5", 0.0, 0.05),
    "centre-2": Scanner("vendor-b", "3.0", 10.0, 0.05),
    "centre-3": Scanner("vendor-c", "1.5", -12.0, 0.45),
    "centre-4": Scanner("vendor-a", "3.0", -8.0, 0.10),
    "centre-5": Scanner("vendor-b", "1.5", 8.0, 0.05),
}
CONTROLS = "centre-5"
_SICK = {"centre-1": 0.32, "centre-2": 0.28, "centre-3": 0.2, "centre-4": 0.2}
_OTHERS = {"centre-1": 0.2, "centre-2": 0.18, "centre-3": 0.14, "centre-4": 0.13, "centre-5": 0.35}
_T1, _T2 = {"1.5": 962.0, "3.0": 1165.0}, {"1.5": 48.5, "3.0": 43.5}
_FOLLOWED = {MYOCARDITIS: 0.55, INFARCTION: 0.25, OTHER: 0.12}
_MEN = {MYOCARDITIS: 0.75, INFARCTION: 0.75, OTHER: 0.5}
_AGE = {MYOCARDITIS: (38.0, 13.0), INFARCTION: (57.0, 12.0), OTHER: (47.0, 15.0)}


@dataclass(frozen=True)
class Patient:
    """`disease` is that of the first exam. Age in years at that time."""

    name: str
    disease: str
    centre: str
    sex: str
    age: int


@dataclass(frozen=True)
class State:
    """What no file tells. `oedema`: about 1 in acute myocarditis, 0 in health; `scar`: % of the left ventricular mass;
    `layer`: where the scar lies (outer, inner or middle third of the wall)."""

    oedema: float
    scar: float
    layer: str


@dataclass(frozen=True)
class Exam:
    """One exam. `number` 0 is the first of its patient; `measures`: column → text, "" where it was not measured."""

    patient: Patient
    number: int
    label: str
    state: State
    measures: Mapping[str, str]


def patients(stream: Stream, prefix: str, counts: Mapping[str, int]) -> list[Patient]:
    """`counts` patients of each disease, in random order and under names that tell nothing."""
    diseases = stream.shuffled([disease for disease, count in counts.items() for _ in range(count)])
    return [_patient(stream, f"{prefix}{number:03d}", disease) for number, disease in enumerate(diseases, start=1)]


def exams(stream: Stream, group: Sequence[Patient]) -> list[Exam]:
    """The exams of a group of patients, in random order."""
    return stream.shuffled([exam for patient in group for exam in _exams_of(stream, patient)])


def _patient(stream: Stream, name: str, disease: str) -> Patient:
    mean, spread = _AGE[disease]
    return Patient(
        name=name,
        disease=disease,
        centre=picked(stream, _OTHERS if disease == OTHER else _SICK),
        sex="M" if happens(stream, _MEN[disease]) else "F",
        age=round(bounded(stream, mean, spread, 18, 85)),
    )


def _exams_of(stream: Stream, patient: Patient) -> list[Exam]:
    state = _first_state(stream, patient.disease)
    made = [_exam(stream, patient, 0, patient.disease, state)]
    while happens(stream, _FOLLOWED[patient.disease]) and len(made) < 3:
        state = replace(state, oedema=bounded(stream, 0.12, 0.3, -0.6, 1.0), scar=0.65 * state.scar)
        # what was an acute myocarditis is none any more, though its scar is still there
        label = OTHER if patient.disease == MYOCARDITIS else patient.disease
        made.append(_exam(stream, patient, len(made), label, state))
    return made


def _first_state(stream: Stream, disease: str) -> State:
    if disease == MYOCARDITIS:
        return State(gauss(stream, 0.95, 0.55), bounded(stream, 8.0, 5.0, 0, 30), "outer")
    if disease == INFARCTION:
        return State(gauss(stream, 0.55, 0.5), bounded(stream, 13.0, 7.0, 1.5, 40), "inner")
    scarred = happens(stream, 0.25)
    return State(gauss(stream, 0.0, 0.35), bounded(stream, 4.0, 2.0, 0.5, 10) if scarred else 0.0, "middle")


def _exam(stream: Stream, patient: Patient, number: int, label: str, state: State) -> Exam:
    return Exam(patient, number, label, state, _measures(stream, patient, state))


def _measures(stream: Stream, patient: Patient, state: State) -> dict[str, str]:
    scanner = CENTRES[patient.centre]
    oedema, scar = state.oedema, state.scar
    pump = {"outer": 54.0, "inner": 52.0, "middle": 60.0}[state.layer]
    seen = max(0.0, scar + gauss(stream, 0, 1.6)) if scar > 0.5 or happens(stream, 0.1) else 0.0
    values = {
        "lvef": f"{bounded(stream, pump - 0.25 * scar, 7.0, 15, 78):.0f}",
        "lvedv_index": f"{bounded(stream, 80 + 0.6 * scar + 3 * oedema, 14, 45, 170):.0f}",
        "t2_ratio": f"{bounded(stream, 1.66 + 0.3 * oedema, 0.22, 1.0, 4.0):.2f}",
        "t1": f"{_T1[scanner.field] + scanner.shift + gauss(stream, 48 * oedema + 0.8 * scar, 30):.0f}",
        "t2": f"{_T2[scanner.field] + gauss(stream, 4.2 * oedema, 2.6):.1f}",
        "ecv": f"{bounded(stream, 25.2 + 2.2 * oedema + 0.12 * scar, 2.6, 16, 50):.1f}",
        "lge_mass": f"{seen:.1f}",
    }
    if happens(stream, scanner.no_map):
        values |= {"t1": "", "ecv": ""}
    return values
