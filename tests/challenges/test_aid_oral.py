"""AID-Oral: its data, its examples held against scikit-learn per lesion, its starter, and what its pages say."""

from __future__ import annotations

import io
import re
import shutil
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, f1_score, roc_auc_score

from challenges.aid_oral import generate
from challenges.builtin import FOLDERS
from challenges.check import Score
from challenges.folder import open_folder
from challenges.makers.mouths import LABELS, SCREENING, SCREENING_CAMERA
from challenges.problems import FolderError
from challenges.sample import sample_problems
from tests.challenges.generated import assert_bare_pictures, assert_committed, expected, number, rows

ROOT = FOLDERS["aid-oral"]
CASES = pd.read_csv(ROOT / "reference/cases.csv", dtype=str).set_index("lesion_id")
DIAGNOSIS = pd.read_csv(ROOT / "reference/diagnosis.csv").set_index("lesion_id")["diagnosis"]
TRANSFORMED = pd.read_csv(ROOT / "reference/risk.csv").set_index("lesion_id")["transformed"]
PHOTOS = pd.read_csv(ROOT / "public/cases.csv", dtype=str)


def tables(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables of an example."""
    with zipfile.ZipFile(ROOT / "examples" / name / "entry.zip") as opened:
        names = {member.rpartition("/")[2]: member for member in opened.namelist()}
        diagnosis, risk = (pd.read_csv(io.BytesIO(opened.read(names[file]))) for file in ("diagnosis.csv", "risk.csv"))
    return diagnosis, risk


def likeliest(mean: pd.DataFrame) -> pd.Series[str]:
    """The label of the largest column of each row, the first of equal ones."""
    return pd.Series([str(name).removeprefix("p_") for name in mean.idxmax(axis=1)], index=mean.index)


def scored(score: Score, name: str) -> dict[tuple[str, str], Any]:
    """(metric, slice) -> value of each main output."""
    path = ROOT / "examples" / name / "entry.zip"
    found = score(folder=open_folder(ROOT), phase="practice", entry={"": path})
    assert found.outcome == "ok", found
    return {(v["metric"], v["slice"]): v for v in found.values if "/" not in v["output"]}


def test_the_generator_gives_the_files_of_the_repository(tmp_path: Path) -> None:
    generate.main(tmp_path)
    assert_committed(generate, tmp_path)


def test_lesions_of_a_patient_are_on_one_side_and_nothing_hidden_can_be_downloaded() -> None:
    sides = CASES.groupby("patient")["Usage"].agg(set)
    assert Counter(side for found in sides for side in found) == {"public": 46, "private": 70}
    assert (CASES.groupby("patient").size() > 1).sum() >= 20
    assert list(PHOTOS.columns) == ["photo_id", "lesion_id"]
    assert list(rows(ROOT / "public/lesions_test.csv")[0]) == ["lesion_id", *generate.FACTS]
    train = pd.read_csv(ROOT / "public/lesions_train.csv")
    assert set(train["patient_id"]).isdisjoint(CASES["patient"])
    assert set(PHOTOS.groupby("lesion_id").size()) == {1, 2, 3, 4}
    for side in ("public", "private"):
        assert set(DIAGNOSIS[CASES["Usage"] == side]) == set(LABELS)


def test_a_patient_in_two_splits_is_told(tmp_path: Path) -> None:
    root = tmp_path / "aid_oral"
    shutil.copytree(ROOT, root)
    path = root / "reference/cases.csv"
    repeated = CASES.groupby("patient").size().idxmax()
    moved = CASES.index[CASES["patient"] == repeated][0]
    side = {"public": "private", "private": "public"}[CASES.loc[moved, "Usage"]]
    text = re.sub(rf"^({moved},.*),\w+$", rf"\1,{side}", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FolderError) as refused:
        open_folder(root)
    (problem,) = refused.value.problems
    assert (problem.code, problem.issue and problem.issue["code"]) == ("C-ISSUE", "E-SPLIT-CLUSTER")
    assert str(repeated) in problem.text


@pytest.mark.parametrize("name", ["baseline", "one_photo_per_lesion", "photos_disagree", "hard_labels"])
def test_every_slice_equals_scikit_learn_on_the_mean_of_each_lesion(score: Score, name: str) -> None:
    found = scored(score, name)
    diagnosis, risk = tables(name)
    mean = diagnosis.groupby("lesion_id")[[f"p_{label}" for label in LABELS]].mean().loc[CASES.index]
    # of equal means the first label; a sum of probabilities in another order may differ in its last bit
    answers = likeliest(mean.round(12))
    risks = risk.set_index("lesion_id")["risk"].loc[CASES.index]
    slices = {"all": CASES.index}
    for column, kind in (("Usage", "split:"), ("hospital", "site:"), ("phototype", "subgroup:phototype="),
                         ("camera", "subgroup:camera=")):  # fmt: skip
        slices |= {f"{kind}{value}": keys for value, keys in CASES.groupby(column).groups.items()}
    assert {place for _, place in found} == set(slices)
    for place, keys in slices.items():
        f1 = f1_score(DIAGNOSIS[keys], answers[keys], labels=list(LABELS), average="macro")
        assert found["macro_f1", place]["value"] == pytest.approx(f1, abs=1e-11)
        brier = brier_score_loss(TRANSFORMED[keys], risks[keys])
        assert found["risk_brier", place]["value"] == pytest.approx(brier, abs=1e-11)
        if place not in (f"site:{SCREENING}", f"subgroup:camera={SCREENING_CAMERA}"):
            auroc = roc_auc_score(TRANSFORMED[keys], risks[keys])
            assert found["risk_auroc", place]["value"] == pytest.approx(auroc, abs=1e-11)
            assert found["score", place]["value"] == pytest.approx((f1 + auroc) / 2, abs=1e-11)


def test_where_no_lesion_transformed_there_is_no_auroc_and_no_score_and_both_say_why(score: Score) -> None:
    found = scored(score, "baseline")
    place = f"subgroup:camera={SCREENING_CAMERA}"
    assert TRANSFORMED[CASES["camera"] == SCREENING_CAMERA].sum() == 0
    assert [
        (found[metric, place]["value"], found[metric, place]["undefined"]) for metric in ("risk_auroc", "score")
    ] == [
        (None, "one-class"),
        (None, "term-undefined"),
    ]
    assert found["macro_f1", place]["value"] is not None


def test_a_lesion_without_any_photograph_is_a_miss(score: Score) -> None:
    diagnosis, _ = tables("lesions_without_photo")
    lost = set(CASES.index) - set(diagnosis["lesion_id"])
    assert len(lost) == 15
    missed = Counter(DIAGNOSIS[sorted(lost)])
    total = Counter(DIAGNOSIS)
    each = [2 * (total[label] - missed[label]) / (2 * total[label] - missed[label]) for label in LABELS]
    assert scored(score, "lesions_without_photo")["macro_f1", "all"]["value"] == pytest.approx(sum(each) / 5, abs=1e-11)


def test_photographs_that_disagree_end_as_the_page_says() -> None:
    """The first photograph of each lesion is sure of the next label: alone it is wrong, of two it makes a tie."""
    count = Counter(PHOTOS["lesion_id"])
    right = 0
    for lesion, label in zip(DIAGNOSIS.index.tolist(), DIAGNOSIS.tolist(), strict=True):
        place = LABELS.index(label)
        other = (place + 1) % len(LABELS)
        right += count[lesion] > 2 or (count[lesion] == 2 and place < other)
    diagnosis, _ = tables("photos_disagree")
    mean = diagnosis.groupby("lesion_id")[[f"p_{label}" for label in LABELS]].mean()
    answers = likeliest(mean)
    assert (answers == DIAGNOSIS[answers.index]).sum() == right


def test_an_interval_of_the_score_is_by_patient(score: Score) -> None:
    found = scored(score, "baseline")["score", "split:private"]
    assert (found["n_cases"], found["n_clusters"]) == (106, 70)
    assert (found["low"], found["high"]) == (pytest.approx(0.70, abs=0.015), pytest.approx(0.84, abs=0.015))
    for language, words in (("fr", "d’environ 0,70 à 0,84"), ("en", "from about 0.70 to 0.84")):
        assert words in (ROOT / f"pages/evaluation.{language}.md").read_text(encoding="utf-8")


def test_the_sample_archive_is_held_against_the_cases(tmp_path: Path) -> None:
    folder = open_folder(ROOT)
    assert sample_problems(folder.spec, folder.files) == []
    broken = tmp_path / "sample.zip"
    with zipfile.ZipFile(broken, "w") as opened:
        opened.writestr("risk.csv", "lesion_id,risk\nte-001,0.5\n")
    files = {**folder.files, "public/sample_submission.zip": broken}
    found = {problem.issue["code"] for problem in sample_problems(folder.spec, files) if problem.issue}
    assert found == {"E-FILE-MISSING", "E-ID-MISSING"}


def test_photographs_hold_pixels_only() -> None:
    train = {row["photo_id"] for row in rows(ROOT / "public/photos_train.csv")}
    assert_bare_pictures(ROOT / "public/photos_train.zip", names=train, size=(52, 52), mode="RGB")
    assert_bare_pictures(ROOT / "public/photos_test.zip", names=set(PHOTOS["photo_id"]), size=(52, 52), mode="RGB")


def test_the_folder_is_small() -> None:
    assert sum(path.stat().st_size for path in open_folder(ROOT).files.values()) < 1_500_000


@pytest.mark.parametrize("language", ["fr", "en"])
def test_pages_say_the_counts_and_values_of_the_files(language: str) -> None:
    data, evaluation, overview = (
        (ROOT / f"pages/{page}.{language}.md").read_text(encoding="utf-8")
        for page in ("data", "evaluation", "overview")
    )
    train = pd.read_csv(ROOT / "public/lesions_train.csv")
    labels = Counter(train["diagnosis"])
    assert dict(re.findall(r"^\| `(\w+)` \|.*\| (\d+) \|$", data, re.MULTILINE)) == {
        label: str(count) for label, count in labels.items()
    }
    counts = [len(train), train["patient_id"].nunique(), len(rows(ROOT / "public/photos_train.csv")), len(PHOTOS)]
    counts += [len(CASES), CASES["patient"].nunique(), int(train["transformed"].sum()), *CASES["Usage"].value_counts()]
    for count in (*counts, 46, 70):
        assert re.search(rf"\b{count}\b", data), count
    assert f" {TRANSFORMED[CASES['Usage'] == 'private'].sum()} " in evaluation
    for name in ("perfect", "baseline", "hard_labels", "inverted_risk", "prior", "constant"):
        values = expected(ROOT, name)["values"]
        line = " | ".join(number(values[key], language) for key in ("score", "macro_f1", "risk_auroc", "risk_brier"))
        assert f"| {line} |" in evaluation, name
    for name in ("baseline", "hard_labels", "one_photo_per_lesion"):
        assert number(expected(ROOT, name)["values"]["macro_f1"], language) in evaluation
    assert number(expected(ROOT, "baseline")["values"]["score"], language) in overview
    shown = [block.splitlines()[1:] for block in evaluation.split("```")[1::2]]
    diagnosis, risk = tables("baseline")
    assert [block[0] for block in shown] == [",".join(diagnosis.columns), ",".join(risk.columns)]
    assert [line.split(",")[:2] for line in shown[0][1:]] == PHOTOS.head(2).to_numpy().tolist()
