"""MYOCARDIA: its data, its examples held against scikit-learn, its starter, and what its pages say."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from challenges.builtin import FOLDERS
from challenges.check import Score
from challenges.folder import open_folder
from challenges.makers.hearts import CENTRES, CONTROLS, LABELS
from challenges.myocardia import generate
from tests.challenges.generated import assert_bare_pictures, assert_committed, expected, number, rows

ROOT = FOLDERS["myocardia"]
CASES = {row["exam_id"]: row for row in rows(ROOT / "reference/cases.csv")}
TRUTH = {row["exam_id"]: row["diagnosis"] for row in rows(ROOT / "reference/predictions.csv")}


def given(name: str) -> dict[str, list[float]]:
    """Probabilities of an example by exam, in the order of the labels."""
    read = rows(ROOT / "examples" / name / "predictions.csv")
    return {row["exam_id"]: [float(row[f"p_{label}"]) for label in LABELS] for row in read}


def scored(score: Score, name: str) -> dict[tuple[str, str], Any]:
    """(metric.output, slice) -> value."""
    path = ROOT / "examples" / name / "predictions.csv"
    found = score(folder=open_folder(ROOT), phase="practice", entry={"exams": path})
    assert found.outcome == "ok", found
    return {(f"{value['metric']}.{value['output']}", value["slice"]): value for value in found.values}


def test_the_generator_gives_the_files_of_the_repository(tmp_path: Path) -> None:
    generate.main(tmp_path)
    assert_committed(generate, tmp_path)


def test_a_patient_is_on_one_side_and_nothing_hidden_can_be_downloaded() -> None:
    sides: dict[str, set[str]] = {}
    for case in CASES.values():
        sides.setdefault(case["patient"], set()).add(case["Usage"])
    assert Counter(side for found in sides.values() for side in found) == {"public": 70, "private": 105}
    assert list(rows(ROOT / "public/cases.csv")[0]) == ["exam_id"]
    assert list(rows(ROOT / "public/test.csv")[0]) == ["exam_id", *generate.MEASURES]
    assert {row["patient_id"] for row in rows(ROOT / "public/train.csv")}.isdisjoint(sides)
    assert 50 <= len(CASES) <= 500


def test_follow_up_exams_of_a_myocarditis_have_another_label() -> None:
    first = {case["patient"]: TRUTH[key] for key, case in CASES.items() if case["exam_number"] == "0"}
    later = {key: case for key, case in CASES.items() if case["exam_number"] != "0"}
    healed = [TRUTH[key] for key, case in later.items() if first[case["patient"]] == "myocarditis"]
    assert len(healed) >= 20
    assert set(healed) == {"other"}
    assert all(TRUTH[key] == first[case["patient"]] for key, case in later.items()
               if first[case["patient"]] != "myocarditis")  # fmt: skip


@pytest.mark.parametrize("name", ["baseline", "scar_only", "swapped_classes"])
def test_every_slice_equals_scikit_learn(score: Score, name: str) -> None:
    found, entry = scored(score, name), given(name)
    slices = {"all": set(CASES)}
    for column, kind in (("Usage", "split:"), ("centre", "site:"), ("vendor", "subgroup:vendor="),
                         ("field", "subgroup:field="), ("sex", "subgroup:sex="), ("age", "subgroup:age=")):  # fmt: skip
        for key, case in CASES.items():
            slices.setdefault(f"{kind}{case[column]}", set()).add(key)
    assert {place for _, place in found} == set(slices)
    for place, keys in slices.items():
        if place == f"site:{CONTROLS}":
            continue
        truth = [TRUTH[key] for key in CASES if key in keys]
        told = np.array([entry[key] for key in CASES if key in keys])
        each = [roc_auc_score([own == label for own in truth], told[:, i]) for i, label in enumerate(LABELS)]
        assert found["auroc.macro_ovr_auroc", place]["value"] == pytest.approx(np.mean(each), abs=1e-11)
        answers = [LABELS[i] for i in told.argmax(axis=1)]
        assert found["balanced_accuracy.balanced_accuracy", place]["value"] == pytest.approx(
            balanced_accuracy_score(truth, answers), abs=1e-11
        )


def test_scikit_learns_own_multiclass_auroc_is_the_same() -> None:
    entry = given("baseline")
    told = np.array([entry[key] for key in TRUTH])
    truth = [LABELS.index(label) for label in TRUTH.values()]
    own = roc_auc_score(truth, told / told.sum(axis=1, keepdims=True), multi_class="ovr", average="macro")
    assert expected(ROOT, "baseline")["values"]["auroc"] == pytest.approx(own, abs=2e-4)


def test_where_all_exams_are_of_one_class_there_is_no_auroc_and_it_says_why(score: Score) -> None:
    found = scored(score, "baseline")
    assert {TRUTH[key] for key, case in CASES.items() if case["centre"] == CONTROLS} == {"other"}
    alone = found["auroc.macro_ovr_auroc", f"site:{CONTROLS}"]
    assert (alone["value"], alone["undefined"], alone["n_clusters"]) == (None, "label-absent", 19)
    assert found["brier.brier", f"site:{CONTROLS}"]["value"] is not None


def test_intervals_are_by_patient(score: Score) -> None:
    found = scored(score, "baseline")["auroc.macro_ovr_auroc", "split:private"]
    assert (found["n_cases"], found["n_clusters"]) == (163, 105)
    assert found["low"] < found["value"] < found["high"]
    for language, words in (("fr", "d’environ 0,85 à 0,94"), ("en", "from about 0.85 to 0.94")):
        assert words in (ROOT / f"pages/evaluation.{language}.md").read_text(encoding="utf-8")
    assert (found["low"], found["high"]) == (pytest.approx(0.85, abs=0.015), pytest.approx(0.94, abs=0.015))


def test_pictures_hold_pixels_only() -> None:
    train = {row["exam_id"] for row in rows(ROOT / "public/train.csv")}
    assert_bare_pictures(ROOT / "public/images_train.zip", names=train, size=(64, 64), mode="L")
    assert_bare_pictures(ROOT / "public/images_test.zip", names=set(CASES), size=(64, 64), mode="L")


def test_the_folder_is_small() -> None:
    assert sum(path.stat().st_size for path in open_folder(ROOT).files.values()) < 1_500_000


@pytest.mark.parametrize("language", ["fr", "en"])
def test_pages_say_the_counts_and_values_of_the_files(language: str) -> None:
    data, evaluation, overview = (
        (ROOT / f"pages/{page}.{language}.md").read_text(encoding="utf-8")
        for page in ("data", "evaluation", "overview")
    )
    train = rows(ROOT / "public/train.csv")
    labels = Counter(row["diagnosis"] for row in train)
    patients = Counter(case["patient"] for case in CASES.values())
    unmapped = sum(not row["t1"] for row in train)
    repeated = sum(count > 1 for count in patients.values())
    counts = [len(train), len({row["patient_id"] for row in train}), len(CASES), len(patients), unmapped, repeated]
    for count in (*counts, *labels.values(), *Counter(case["Usage"] for case in CASES.values()).values(), 70, 105):
        assert re.search(rf"\b{count}\b", data), count
    for name in ("perfect", "baseline", "hard_labels", "scar_only", "swapped_classes", "prior", "constant"):
        values = expected(ROOT, name)["values"]
        line = " | ".join(number(values[metric], language) for metric in ("auroc", "balanced_accuracy", "brier"))
        assert f"| {line} |" in evaluation, name
    assert number(expected(ROOT, "baseline")["values"]["auroc"], language) in overview
    assert "vendor-b" in data
    assert [key for key, scanner in CENTRES.items() if (scanner.vendor, scanner.field) == ("vendor-b", "1.5")] == [
        CONTROLS
    ]
    shown = evaluation.split("```")[1].splitlines()[1]
    assert shown == (ROOT / "public/sample_submission.csv").read_text(encoding="utf-8").splitlines()[0]
