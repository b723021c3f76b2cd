"""COCO AP against pycocotools: on random boxes, with crowds and ties, and under whole-number weights."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import Generator
from numpy.typing import NDArray

from scoring.metrics.coco_ap import CORNERS, SIZES, coco_ap
from scoring.tables import Table
from tests.oracles.coco_oracle import oracle
from tests.scoring.builders import many

LABELS = ["a", "b", "c"]
PARAMS = {name: name for name in (*SIZES, "class", "score", "area")} | {"crowd": "iscrowd", "labels": LABELS}
few = settings(max_examples=30, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)
Columns = dict[str, NDArray[np.generic]]


def drawn(
    rng: Generator, images: int, *, boxes: int, found: int, levels: int | None, grid: bool
) -> tuple[Table, Table]:
    """True boxes, a sixth of them crowds; detections, most of them near one. `levels` of scores, None: none alike."""
    case = np.sort(rng.integers(0, images, boxes))
    size = np.exp(rng.uniform(1.5, 5.5, (boxes, 2)))
    true = dict(zip(SIZES, [*rng.uniform(0, 200, (2, boxes)), *size.T], strict=True))
    near = rng.integers(0, max(1, boxes), found) if boxes else np.zeros(found, dtype=int)
    given_case = case[near] if boxes else rng.integers(0, images, found)
    spread = rng.uniform(0, 0.3)
    answers = {
        name: (true[name][near] if boxes else np.full(found, 10.0)) * rng.uniform(1 - spread, 1 + spread, found)
        for name in SIZES
    }
    if grid:  # many IoUs alike, and on the thresholds
        true, answers = ({n: np.ceil(part / 20) * 20 for n, part in side.items()} for side in (true, answers))
    label = rng.choice(LABELS, boxes)
    answer = np.where(rng.random(found) < 0.9, label[near] if boxes else "a", rng.choice(LABELS, found))
    score = rng.random(found) if levels is None else rng.integers(0, levels, found) / levels
    order = np.argsort(given_case, kind="stable")
    area = true["width"] * true["height"] * rng.uniform(0.3, 1, boxes)
    reference = true | {"class": label, "iscrowd": (rng.random(boxes) < 1 / 6) * 1.0, "area": area}
    entry = {name: part[order] for name, part in (answers | {"class": answer, "score": score}).items()}
    return many(case, reference, n_cases=images), many(given_case[order], entry, n_cases=images)


def values(
    reference: Table, entry: Table, params: Mapping[str, object], weights: NDArray[np.generic]
) -> NDArray[np.float64]:
    return coco_ap.aggregate(coco_ap.tabulate(reference, entry, params), weights)


def check(reference: Table, entry: Table, params: Mapping[str, object] = PARAMS) -> None:
    expected = oracle(reference, entry, LABELS, {k: v for k, v in params.items() if isinstance(v, str)})
    found = values(reference, entry, params, np.ones((1, len(reference.missing))))[0]
    assert dict(zip(coco_ap.outputs(params), found.tolist(), strict=True)) == pytest.approx(
        expected, rel=0, abs=1e-9, nan_ok=True
    )


@few
@given(seeds, st.integers(1, 8), st.integers(0, 40), st.integers(0, 60), st.sampled_from([None, 1, 5]), st.booleans())
def test_random_boxes(seed: int, images: int, boxes: int, found: int, levels: int | None, grid: bool) -> None:
    check(*drawn(np.random.default_rng(seed), images, boxes=boxes, found=found, levels=levels, grid=grid))


@few
@given(seeds)
def test_corners_without_scores_areas_and_crowds(seed: int) -> None:
    reference, entry = drawn(np.random.default_rng(seed), 5, boxes=20, found=30, levels=1, grid=False)
    params = {name: name for name in (*CORNERS, "class")} | {"labels": LABELS}
    check(_cornered(reference), _cornered(entry), params)


def _cornered(table: Table) -> Table:
    sides = table.columns
    far = {"x2": sides["x"] + sides["width"], "y2": sides["y"] + sides["height"]}
    return replace(table, columns={"x1": sides["x"], "y1": sides["y"], **far, "class": sides["class"]})


@pytest.mark.parametrize("seed", range(3))
def test_more_than_a_hundred_detections_of_a_class_in_an_image(seed: int) -> None:
    check(*drawn(np.random.default_rng(seed), 2, boxes=60, found=900, levels=50, grid=False))


@few
@given(seeds, st.lists(st.integers(0, 3), min_size=6, max_size=6))
def test_a_weight_is_so_many_equal_images(seed: int, weight: list[int]) -> None:
    """Scores of an image differ; those of several images may be alike."""
    rng = np.random.default_rng(seed)
    reference, entry = drawn(rng, 6, boxes=25, found=40, levels=None, grid=False)
    rank = np.arange(len(entry.case)) - np.searchsorted(entry.case, entry.case)
    score = rng.permutation(1000)[rank] / 1000  # the k-th of every image has the same
    entry = replace(entry, columns={**entry.columns, "score": score})
    weighted = values(reference, entry, PARAMS, np.array([weight, [1] * 6]))[0]
    if not sum(weight):
        assert np.isnan(weighted).all()
        return
    cases = np.repeat(np.arange(6), weight)
    repeated = _taken(reference, cases), _taken(entry, cases)
    expected = oracle(*repeated, LABELS, {k: v for k, v in PARAMS.items() if isinstance(v, str)})
    assert weighted.tolist() == pytest.approx(list(expected.values()), rel=0, abs=1e-9, nan_ok=True)


def _taken(source: Table, cases: NDArray[np.intp]) -> Table:
    """The images one after the other, some of them several times."""
    first = np.searchsorted(source.case, np.arange(len(source.missing) + 1))
    rows = np.concatenate([np.arange(first[case], first[case + 1]) for case in cases])
    case = np.repeat(np.arange(len(cases)), (first[1:] - first[:-1])[cases])
    return many(case, {name: part[rows] for name, part in source.columns.items()}, n_cases=len(cases))
