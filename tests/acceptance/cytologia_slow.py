"""The published boxes of CytologIA, predictions derived from them, and its score by plain loops.

Shares no code with the package: rows are dictionaries of text as they stand in a CSV file, numbers are Python floats.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "data" / "cytologia" / "train.csv"
SIDES = ("x1", "y1", "x2", "y2")
COLUMNS = ("trustii_id", "NAME", *SIDES, "class")

Row = dict[str, str]


def published_rows() -> list[Row]:
    """The 52,748 rows; the file has no id, so each gets a running one from 1."""
    with PUBLISHED.open(newline="") as file:
        return [{"trustii_id": str(i), **row} for i, row in enumerate(csv.DictReader(file), 1)]


def as_csv(rows: list[Row], columns: tuple[str, ...] = COLUMNS) -> bytes:
    """The rows as a participant would send them."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def slow_score(truth: list[Row], predictions: list[Row]) -> dict[str, float]:
    """`score`, `giou`, `macro_f1` and `f1/<class>` by the rules of domain.md 1.1, in the order of `truth`'s ids."""
    order = {row["trustii_id"]: i for i, row in enumerate(truth)}
    first: dict[str, Row] = {}
    for row in predictions:
        first.setdefault(row["trustii_id"], row)
    by_image: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(first.values(), key=lambda row: order[row["trustii_id"]]):
        same = [[other[name] for name in (*SIDES, "class")] for other in by_image[row["NAME"]]]
        if [row[name] for name in (*SIDES, "class")] not in same:
            by_image[row["NAME"]].append(row)
    rescaled: list[float] = []
    pairs: list[tuple[str, str]] = []
    for row in truth:
        best, given = -1.0, "None"
        for i, other in enumerate(by_image.get(row["NAME"], [])):
            value = slow_giou(row, other)
            if i == 0 or value > best:
                best, given = value, other["class"]
        rescaled.append((best + 1) / 2)
        pairs.append((row["class"], given))
    return _result(sum(rescaled) / len(rescaled), slow_f1(pairs))


def slow_giou(one: Row, other: Row) -> float:
    """Generalised IoU of two boxes."""
    a, b = [float(one[side]) for side in SIDES], [float(other[side]) for side in SIDES]
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    hull = (max(a[2], b[2]) - min(a[0], b[0])) * (max(a[3], b[3]) - min(a[1], b[1]))
    return shared / union - (hull - union) / hull


def slow_f1(pairs: list[tuple[str, str]]) -> dict[str, float]:
    """F1 of every class that stands in truth or answers."""
    hits: dict[str, int] = defaultdict(int)
    total: dict[str, int] = defaultdict(int)
    for true, given in pairs:
        total[true] += 1
        total[given] += 1
        hits[true] += true == given
    return {label: 2 * hits[label] / total[label] for label in sorted(total)}


def _result(giou: float, each: dict[str, float]) -> dict[str, float]:
    macro = sum(each.values()) / len(each)
    per_class = {f"f1/{label}": value for label, value in each.items() if label != "None"}
    return {"score": 0.2 * giou + 0.8 * macro, "giou": giou, "macro_f1": macro, **per_class}


def _perfect(truth: list[Row]) -> list[Row]:
    return [dict(row) for row in truth]


def _shifted(truth: list[Row]) -> list[Row]:
    """Each box moved and stretched by its own amount, some quite away from the cell."""
    moved = []
    for i, row in enumerate(truth):
        x, y, grow = (i * 7) % 41 - 20.25, (i * 13) % 61 - 30.5, (i % 9) * 3.5
        new = {"x1": float(row["x1"]) + x, "y1": float(row["y1"]) + y}
        new |= {"x2": float(row["x2"]) + x + grow, "y2": float(row["y2"]) + y + grow}
        moved.append(row | {side: repr(value) for side, value in new.items()})
    return moved


def _swapped(truth: list[Row]) -> list[Row]:
    """Every seventh class taken from another row; no row is ever answered SS."""
    other = [truth[(i * 31 + 5) % len(truth)]["class"] for i in range(len(truth))]
    answers = [other[i] if i % 7 == 0 else row["class"] for i, row in enumerate(truth)]
    return [row | {"class": "LM" if answer == "SS" else answer} for row, answer in zip(truth, answers, strict=True)]


def _missing_images(truth: list[Row]) -> list[Row]:
    """Every fiftieth image left out, in the order of their names."""
    names = sorted({row["NAME"] for row in truth})[::50]
    return [row for row in _shifted(truth) if row["NAME"] not in set(names)]


def _missing_boxes(truth: list[Row]) -> list[Row]:
    """One box per image: the others of the image must share it."""
    seen: dict[str, Row] = {}
    for row in _shifted(truth):
        seen.setdefault(row["NAME"], row)
    return list(seen.values())


def _duplicates(truth: list[Row]) -> list[Row]:
    """Ids sent twice with another class and box: only the first counts; and boxes repeated within an image."""
    again = [row | {"class": "PNN", "x2": str(float(row["x2"]) + 5)} for row in truth[::3]]
    repeated: dict[str, Row] = {}
    rows = []
    for row in _shifted(truth):
        kept = repeated.setdefault(row["NAME"], row)
        rows.append(row | {name: kept[name] for name in (*SIDES, "class")})
    return rows + again


def _ties(truth: list[Row]) -> list[Row]:
    """All boxes of an image alike, with the classes of its cells in turn: the lowest id decides. Sent backwards."""
    box: dict[str, Row] = {}
    rows = [row | {side: box.setdefault(row["NAME"], row)[side] for side in SIDES} for row in truth]
    return rows[::-1]


def _median_box(truth: list[Row]) -> list[Row]:
    """One constant box with the right classes."""
    middle = {side: sorted(float(row[side]) for row in truth)[len(truth) // 2] for side in SIDES}
    return [row | {side: repr(value) for side, value in middle.items()} for row in truth]


def _one_class(truth: list[Row]) -> list[Row]:
    return [row | {"class": "PNN"} for row in truth]


DERIVED: dict[str, Callable[[list[Row]], list[Row]]] = {
    "perfect": _perfect,
    "shifted boxes": _shifted,
    "class swaps": _swapped,
    "missing images": _missing_images,
    "one box per image": _missing_boxes,
    "duplicates": _duplicates,
    "ties": _ties,
    "median box": _median_box,
    "one class": _one_class,
}
