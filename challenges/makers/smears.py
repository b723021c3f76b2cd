"""Made-up patients, their smears and the pictures taken of them, with the class counts of the published data.

Nothing here comes from a patient. What is kept from the published challenge: names of the classes, how unequal they
are, and that most pictures hold one cell. Patients, centres and stains are invented.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from challenges.makers.cells import Box, Tint, background, draw_cell, finished
from challenges.makers.stream import Stream

PITCH, MARGIN, SIDE = 72, 24, 96  # pixels: room of one cell, border, smallest picture
ALONE = 0.95  # chance that the next picture of a patient holds one cell


@dataclass(frozen=True)
class Patient:
    """A made-up patient: where the smear was taken and how it is tinted."""

    name: str
    centre: str
    stain: str
    tint: Tint


@dataclass(frozen=True)
class Picture:
    """One picture: its name, its patient, JPEG bytes, and each cell's box and class."""

    name: str
    patient: Patient
    content: bytes
    cells: tuple[tuple[Box, str], ...]


def class_counts(published: Mapping[str, int], total: int, least: int) -> dict[str, int]:
    """Cells of each class in proportion to the published counts, at least `least` each, about `total` in all."""
    whole = sum(published.values())
    return {label: max(least, round(total * rows / whole)) for label, rows in published.items()}


def patients(stream: Stream, prefix: str, count: int, stains: Mapping[str, str]) -> list[Patient]:
    """Patients spread over the centres; `stains`: centre → its stain, which shifts colours as each patient does."""
    base = {"MGG": (0.0, 0.0, 0.0), "Wright": (-10.0, -4.0, 8.0)}
    made = []
    for number in range(count):
        centre = sorted(stains)[number % len(stains)]
        red, green, blue = (part + stream.between(-8, 8) for part in base[stains[centre]])
        made.append(Patient(f"{prefix}{number + 1:03d}", centre, stains[centre], Tint((red, green, blue))))
    return stream.shuffled(made)


def cells_of(stream: Stream, counts: Mapping[str, int], group: Sequence[Patient]) -> dict[str, list[str]]:
    """Patient → classes of their cells. A class is spread over few patients, those with the fewest cells first."""
    cells: dict[str, list[str]] = {patient.name: [] for patient in group}
    for label in stream.shuffled(sorted(counts)):
        carriers = sorted(stream.shuffled(sorted(cells)), key=lambda name: len(cells[name]))
        carriers = carriers[: max(2, math.ceil(counts[label] / 3))]
        for number in range(counts[label]):
            cells[carriers[number % len(carriers)]].append(label)
    return cells


def pictures(stream: Stream, counts: Mapping[str, int], group: Sequence[Patient]) -> list[Picture]:
    """The pictures of a group of patients, in random order."""
    cells = cells_of(stream, counts, group)
    made = []
    for patient in group:
        left = stream.shuffled(cells[patient.name])
        while left:
            size = 1 if stream.unit() < ALONE else min(len(left), 2 + stream.below(3))
            made.append(_picture(stream, patient, left[:size]))
            left = left[size:]
    return stream.shuffled(made)


def _picture(stream: Stream, patient: Patient, labels: Sequence[str]) -> Picture:
    across = math.ceil(math.sqrt(len(labels)))
    down = math.ceil(len(labels) / across)
    canvas = background(max(SIDE, MARGIN + PITCH * down), max(SIDE, MARGIN + PITCH * across), stream)
    height, width = canvas.shape[:2]
    cells = []
    for place, label in enumerate(labels):
        x = (place % across + 0.5) * width / across + stream.between(-7, 7)
        y = (place // across + 0.5) * height / down + stream.between(-7, 7)
        box = draw_cell(canvas, x, y, label, stream)
        cells.append((_by_hand(box, width, height, stream), label))
    buffer = io.BytesIO()
    Image.fromarray(finished(canvas, patient.tint, stream)).save(buffer, "JPEG", quality=75)
    name = f"{stream.hexes(8)}-{stream.hexes(1)}.jpg"
    return Picture(name, patient, buffer.getvalue(), tuple(stream.shuffled(cells)))


def _by_hand(box: Box, width: int, height: int, stream: Stream) -> Box:
    """A box as somebody would draw it: each side up to two pixels off, inside the picture."""
    x1, y1, x2, y2 = (side + stream.below(5) - 2 for side in box)
    return max(0, x1), max(0, y1), min(width, x2), min(height, y2)
