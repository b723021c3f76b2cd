"""pycocotools on the tables that our metric gets: the AP of its authors."""

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from challenges.makers.cytologia_score import Row
from scoring.tables import Table

SUMMARIES = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")
_CORNERS = ("x1", "y1", "x2", "y2")
_SIZES = ("x", "y", "width", "height")


def oracle(reference: Table, entry: Table, labels: Sequence[str], params: Mapping[str, str]) -> dict[str, float]:
    """The six summaries and `ap/<label>`; nan where pycocotools says -1. Images are numbered by case, from 1."""
    label = params.get("class", "class")
    truth = _annotations(reference, [labels.index(name) + 1 for name in reference.columns[label].tolist()])
    crowd, area = reference.columns.get(params.get("crowd", "")), reference.columns.get(params.get("area", ""))
    for i, annotation in enumerate(truth):
        annotation |= {"id": i + 1, "iscrowd": 0 if crowd is None else int(crowd[i])}
        annotation["area"] = annotation["bbox"][2] * annotation["bbox"][3] if area is None else float(area[i])
    found = _annotations(entry, [labels.index(name) + 1 for name in entry.columns[label].tolist()])
    scores = entry.columns[params["score"]].tolist() if "score" in params else [1.0] * len(found)
    for detection, score in zip(found, scores, strict=True):
        detection["score"] = score
    images = [{"id": i + 1} for i in range(len(reference.missing))]
    return evaluated(images, truth, found, labels)


def oracle_of_rows(truth: Sequence[Row], entry: Sequence[Row]) -> dict[str, float]:
    """The same for rows of CytologIA, whose detections have no scores: pictures and rows in the order of `truth`."""
    order = {row.trustii_id: place for place, row in enumerate(truth)}
    first = {row.trustii_id: row for row in reversed(entry)}
    labels = sorted({row.label for row in truth})
    numbers = {name: i + 1 for i, name in enumerate(dict.fromkeys(row.name for row in truth))}

    def annotation(row: Row) -> dict[str, Any]:
        box = [row.x1, row.y1, row.x2 - row.x1, row.y2 - row.y1]
        return {"image_id": numbers[row.name], "category_id": labels.index(row.label) + 1, "bbox": box, "score": 1.0}

    true = [
        annotation(row) | {"id": i + 1, "iscrowd": 0, "area": (row.x2 - row.x1) * (row.y2 - row.y1)}
        for i, row in enumerate(truth)
    ]
    found = [
        annotation(row) for row in sorted(first.values(), key=lambda row: order[row.trustii_id]) if row.label in labels
    ]
    return evaluated([{"id": i} for i in numbers.values()], true, found, labels)


def evaluated(
    images: list[dict[str, Any]], truth: list[dict[str, Any]], found: list[dict[str, Any]], labels: Sequence[str]
) -> dict[str, float]:
    """pycocotools on plain lists; category 1 is the first label."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        categories = [{"id": i + 1, "name": label} for i, label in enumerate(labels)]
        coco.dataset = {"images": images, "annotations": truth, "categories": categories, "info": {}}
        coco.createIndex()
        run = COCOeval(coco, coco.loadRes(found) if found else _none(images, categories), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    precision = run.eval["precision"][:, :, :, 0, -1]
    each = {f"ap/{label}": _mean(precision[:, :, i]) for i, label in enumerate(labels)}
    return dict(zip(SUMMARIES, map(_undefined, run.stats[:6].tolist()), strict=True)) | each


def _none(images: list[dict[str, Any]], categories: list[dict[str, Any]]) -> COCO:
    """No detections at all, which `loadRes` refuses."""
    empty = COCO()
    empty.dataset = {"images": images, "annotations": [], "categories": categories}
    empty.createIndex()
    return empty


def _annotations(table: Table, categories: Sequence[int]) -> list[dict[str, Any]]:
    corners = "x1" in table.columns
    box = np.column_stack([table.columns[name] for name in (_CORNERS if corners else _SIZES)])
    if corners:
        box[:, 2:] -= box[:, :2]
    images = (table.case + 1).tolist()
    return [
        {"image_id": image, "category_id": category, "bbox": sides}
        for image, category, sides in zip(images, categories, box.tolist(), strict=True)
    ]


def _mean(precision: NDArray[np.float64]) -> float:
    return float(precision[precision > -1].mean()) if (precision > -1).any() else float("nan")


def _undefined(value: float) -> float:
    return float("nan") if value == -1 else value
