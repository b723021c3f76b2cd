"""The challenges that come with the program: whole, reproducible, and true to what their pages say."""

from __future__ import annotations

import csv
import importlib
import io
import math
import re
import statistics
import tomllib
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from challenges.builtin import FOLDERS, baseline_entry, builtin_folder
from challenges.canonical import canonical, exported
from challenges.check import Score, check_folder
from challenges.cytologia.generate import PUBLISHED
from challenges.folder import open_folder
from challenges.makers.coco_score import slow_ap
from challenges.makers.cytologia_score import Row, slow_score
from tests.oracles.coco_oracle import oracle_of_rows

CYTOLOGIA, BREAST = FOLDERS["cytologia"], FOLDERS["breast-cancer"]
SLUGS = sorted(FOLDERS)
BINARY = ("auroc", "accuracy", "log_loss", "brier")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def expected(root: Path, name: str) -> dict[str, Any]:
    return tomllib.loads((root / "examples" / name / "expected.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("slug", SLUGS)
def test_every_example_ends_as_it_says(slug: str, score: Score) -> None:
    assert check_folder(FOLDERS[slug], score=score) == []


@pytest.mark.parametrize("slug", SLUGS)
def test_there_are_examples_of_all_kinds(slug: str) -> None:
    names = {path.name for path in (FOLDERS[slug] / "examples").iterdir()}
    assert {"perfect", "baseline", "constant", "french_excel", "unknown_ids", "any_order_extra_columns"} < names
    outcomes = Counter(expected(FOLDERS[slug], name)["outcome"] for name in names)
    assert outcomes["ok"] >= 6
    assert outcomes["invalid"] >= 7


@pytest.mark.parametrize("slug", SLUGS)
def test_an_export_is_the_same_challenge(slug: str, tmp_path: Path) -> None:
    folder = open_folder(FOLDERS[slug])
    for path, content in exported(folder).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    assert canonical(open_folder(tmp_path)) == canonical(folder)


@pytest.mark.parametrize("slug", SLUGS)
def test_pages_and_sizes(slug: str) -> None:
    folder = open_folder(FOLDERS[slug])
    pages = {
        f"pages/{name}.{language}.md"
        for name in ("overview", "data", "evaluation", "rules")
        for language in ("fr", "en")
    }
    assert pages <= set(folder.files)
    assert sum(path.stat().st_size for path in folder.files.values()) < 3_000_000
    assert baseline_entry(slug).is_file()


def test_an_unknown_challenge_names_those_there_are() -> None:
    with pytest.raises(KeyError, match="cytologia, myocardia, aid-oral, breast-cancer"):
        builtin_folder("other")


@pytest.mark.parametrize("module", ["challenges.cytologia.generate", "challenges.breast_cancer.generate"])
def test_generating_twice_gives_the_same_bytes_and_those_in_the_repository(module: str, tmp_path: Path) -> None:
    generate = importlib.import_module(module)
    made = []
    for name in ("first", "second"):
        generate.main(tmp_path / name)
        paths = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        made.append({path.relative_to(tmp_path / name).as_posix(): path.read_bytes() for path in paths})
    assert made[0] == made[1]
    for path, content in made[0].items():
        stored = (generate.HERE / path).read_bytes()
        if path.endswith(".zip"):
            assert_same_pictures(content, stored)
        else:
            assert content == stored, path
    parts = {"public", "reference", "examples"}
    kept = {p.relative_to(generate.HERE).as_posix() for part in parts for p in (generate.HERE / part).rglob("*")}
    assert {path for path in kept if (generate.HERE / path).is_file()} == set(made[0])


def assert_same_pictures(first: bytes, second: bytes) -> None:
    """Pixels, not bytes: another build of the JPEG library may pack them otherwise."""
    with zipfile.ZipFile(io.BytesIO(first)) as one, zipfile.ZipFile(io.BytesIO(second)) as other:
        assert one.namelist() == other.namelist()
        for name in one.namelist():
            pixels = [np.asarray(Image.open(io.BytesIO(z.read(name)))).astype(int) for z in (one, other)]
            assert np.abs(pixels[0] - pixels[1]).max() <= 2, name


def test_cytologia_keeps_patients_apart_and_hides_what_it_says() -> None:
    cases = rows(CYTOLOGIA / "reference/cases.csv")
    splits: dict[str, set[str]] = {}
    for case in cases:
        splits.setdefault(case["patient"], set()).add(case["Usage"])
    assert Counter(part for parts in splits.values() for part in parts) == {"public": 36, "private": 54}
    assert all(len(parts) == 1 for parts in splits.values())
    assert list(rows(CYTOLOGIA / "public/cases.csv")[0]) == ["trustii_id", "NAME"]
    truth = {row["NAME"]: row["class"] for row in rows(CYTOLOGIA / "reference/predictions.csv")}
    by_split = {use: {truth[c["NAME"]] for c in cases if c["Usage"] == use} for use in ("public", "private")}
    labels = set(open_folder(CYTOLOGIA).spec.entry.tables["boxes"].columns["class"].labels)
    assert len(labels) == 23
    assert by_split == {"public": labels, "private": labels}


def test_cytologia_says_the_counts_of_its_data() -> None:
    train = rows(CYTOLOGIA / "public/train.csv")
    counts = Counter(row["class"] for row in train)
    test = Counter(row["NAME"] for row in rows(CYTOLOGIA / "public/cases.csv"))
    alone = Counter(row["NAME"] for row in train)
    for language in ("fr", "en"):
        page = (CYTOLOGIA / f"pages/data.{language}.md").read_text(encoding="utf-8")
        table = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([\d,\u202f]+) \| (\d+) \|$", page, re.MULTILINE)
        said = {label: (int(re.sub(r"\D", "", published)), int(here)) for label, published, here in table}
        assert said == {label: (published, counts[label]) for label, published in PUBLISHED.items()}
        for number in (len(train), len(alone), len(test), test.total()):
            assert str(number) in page
        for sizes in (alone, test):
            assert str(list(sizes.values()).count(1)) in page
    assert sum(PUBLISHED.values()) == 52_748


@pytest.mark.parametrize(
    ("root", "pages", "example", "name", "digits"),
    [
        (CYTOLOGIA, ("pages/overview", "starter/README"), "baseline", "score", 3),
        (CYTOLOGIA, ("pages/evaluation",), "constant_box", "score", 3),
        (CYTOLOGIA, ("pages/evaluation",), "one_box_per_image", "score", 3),
        (BREAST, ("pages/overview", "pages/evaluation"), "baseline", "auroc", 3),
        *((BREAST, ("pages/evaluation",), example, name, 3)
          for example in ("constant", "baseline", "hard_labels") for name in BINARY),
    ],
)  # fmt: skip
def test_pages_quote_the_values_of_the_examples(
    root: Path, pages: tuple[str, ...], example: str, name: str, digits: int
) -> None:
    value = f"{expected(root, example)['values'][name]:.{digits}f}"
    for page in pages:
        for language, number in (("fr", value.replace(".", ",")), ("en", value)):
            path = root / (f"{page}.md" if page.endswith("README") else f"{page}.{language}.md")
            assert number in path.read_text(encoding="utf-8"), f"{number} in {path.name}"


MAP = ("map", "map.ap50", "map.ap75")


@pytest.mark.parametrize(
    "example", ["perfect", "one_box_per_image", "missing_images", "constant_box", "baseline", "constant"]
)
def test_the_table_of_both_metrics_quotes_the_examples(example: str) -> None:
    values = expected(CYTOLOGIA, example)["values"]
    shown = [f"{values[name]:.3f}" for name in ("score", *MAP)]
    for language in ("fr", "en"):
        page = (CYTOLOGIA / f"pages/evaluation.{language}.md").read_text(encoding="utf-8")
        row = re.search(rf"^\| `{example}`[^|]*((?:\| [\d,.]+ )+)\|$", page, re.MULTILINE)
        assert row is not None, example
        assert [cell.strip().replace(",", ".") for cell in row[1].split("|")[1:]] == shown


@pytest.mark.parametrize(
    "example", ["perfect", "one_box_per_image", "missing_images", "constant_box", "baseline", "duplicate_ids"]
)
def test_the_slow_average_precision_is_that_of_pycocotools(example: str) -> None:
    truth = cells(CYTOLOGIA / "reference/predictions.csv")
    entry = cells(CYTOLOGIA / f"examples/{example}/predictions.csv")
    found = {name: value for name, value in oracle_of_rows(truth, entry).items() if not math.isnan(value)}
    assert slow_ap(truth, entry) == pytest.approx(found, rel=0, abs=1e-12)
    values = expected(CYTOLOGIA, example)["values"]
    stored = {name.removeprefix("map.") if "." in name else "ap": v for name, v in values.items() if name[:3] == "map"}
    assert stored == pytest.approx(found, rel=0, abs=1e-9)


def cells(path: Path) -> list[Row]:
    return [
        Row(r["trustii_id"], r["NAME"], float(r["x1"]), float(r["y1"]), float(r["x2"]), float(r["y2"]), r["class"])
        for r in rows(path)
    ]


def test_the_format_shown_on_the_page_is_that_of_the_sample() -> None:
    sample = (CYTOLOGIA / "public/sample_submission.csv").read_text(encoding="utf-8").splitlines()
    for language in ("fr", "en"):
        page = (CYTOLOGIA / f"pages/evaluation.{language}.md").read_text(encoding="utf-8").splitlines()
        shown = page[page.index("```") + 1 :][:3]
        assert shown[0] == sample[0]
        assert [line.split(",")[:2] for line in shown[1:]] == [line.split(",")[:2] for line in sample[1:3]]


def test_breast_cancer_says_the_counts_of_its_data() -> None:
    label = {row["id"]: row["label"] for row in rows(BREAST / "reference/predictions.csv")}
    cases = rows(BREAST / "reference/cases.csv")
    parts = Counter(case["Usage"] for case in cases)
    small = [label[case["id"]] for case in cases if case["size"] == "small"]
    train = rows(BREAST / "public/train.csv")
    assert (len(train), Counter(row["label"] for row in train)["1"]) == (284, 106)
    assert parts == {"public": 114, "private": 171}
    assert (small.count("1"), len(small)) == (3, 96)
    assert len(train) + len(cases) == 569
    assert Counter(label.values())["1"] + 106 == 212


def test_a_constant_box_scores_as_the_page_says_on_the_published_boxes(pytestconfig: pytest.Config) -> None:
    published = pytestconfig.rootpath.parent / "shared" / "data" / "cytologia" / "train.csv"
    if not published.is_file():
        pytest.skip("the published boxes of CytologIA are not beside this repository")
    truth = [
        Row(str(number), r["NAME"], float(r["x1"]), float(r["y1"]), float(r["x2"]), float(r["y2"]), r["class"])
        for number, r in enumerate(rows(published))
    ]
    boxes = [(row.x1, row.y1, row.x2, row.y2) for row in truth]
    x1, y1, x2, y2 = (statistics.median(box[side] for box in boxes) for side in range(4))
    entry = [row._replace(x1=x1, y1=y1, x2=x2, y2=y2) for row in truth]
    assert f"{slow_score(truth, entry)['score']:.3f}" == "0.939"
