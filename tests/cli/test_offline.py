"""What works without a server: check a file, score it, try a metric, check a challenge folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import scenario
from tests.cli.harness import Run

CASES = scenario.cases()


def write(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The tiny challenge, whole."""
    return write(tmp_path / "tiny", scenario.folder(CASES, baseline=True))


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    """A good file for it."""
    path = tmp_path / "predictions.csv"
    path.write_bytes(scenario.entry(CASES))
    return path


def test_check_needs_no_reference(run: Run, folder: Path, entry: Path) -> None:
    (folder / "reference/predictions.csv").unlink()
    result = run("check", folder, entry)
    assert (result.code, result.err) == (0, "")
    assert result.out == f"{entry} has the right form for phase main.\n120 rows read.\n"


def test_check_tells_every_problem_with_its_place_and_its_fix(run: Run, folder: Path, entry: Path) -> None:
    lines = entry.read_text().splitlines()
    lines[3] = lines[3].split(",")[0] + ",nan"
    lines[5] = "c99999,0.5"
    entry.write_text("\n".join(lines))
    result = run("check", folder, entry)
    told = result.out.splitlines()
    assert result.code == 1
    assert told[0] == f"{entry} does not have the right form."
    assert told[2].startswith("- Table risks, line 4, column risk: ")
    assert told[2].endswith(" [E-NAN]")
    assert told[3].startswith("- Table risks, line 6, column id: The id “c99999” is not one of this challenge. ")
    assert sorted(line.rpartition(" ")[2] for line in told[2:]) == ["[E-ID-MISSING]", "[E-ID-UNKNOWN]", "[E-NAN]"]


def test_check_as_one_document(run: Run, folder: Path, entry: Path) -> None:
    result = run("check", folder, entry, "--json")
    document = result.document
    assert (result.code, document["state"], document["phase"], document["size"]) == (
        0,
        "checked",
        "main",
        entry.stat().st_size,
    )
    assert document["report"] == {
        "issues": [],
        "total": {},
        "counts": {"rows": 120, "missing": 0, "duplicates": 0, "extra_columns": 0},
    }


def test_check_against_a_spec_with_problems(run: Run, folder: Path, entry: Path) -> None:
    path = folder / "challenge.toml"
    path.write_bytes(path.read_bytes().replace(b"zone =", b"zones ="))
    result = run("check", folder, entry)
    assert result.code == 1
    assert result.err.startswith(f"{path} has problems, so nothing can be checked against it.\n- ")
    assert "\n- challenge.toml, line 3: The key zones is not known" in result.err


def test_check_against_a_folder_that_is_none(run: Run, tmp_path: Path, entry: Path) -> None:
    result = run("check", f"{tmp_path}/nothing", entry)
    told = f"{tmp_path}/nothing holds no challenge.toml, so it is no challenge folder to check against.\n"
    assert (result.code, result.err) == (2, told)


@pytest.mark.sandbox
def test_score_gives_what_the_runner_gives(run: Run, folder: Path, entry: Path) -> None:
    result = run("score", folder, entry, "--json")
    values = {(v["metric"], v["slice"]): v["value"] for v in result.document["values"]}
    labels = {case.id: case.label for case in CASES}
    risks = dict(line.split(",") for line in entry.read_text().splitlines()[1:])
    brier = sum((float(risk) - labels[case]) ** 2 for case, risk in risks.items()) / len(risks)
    assert (result.code, result.document["outcome"]) == (0, "ok")
    assert values["brier", "all"] == pytest.approx(brier, rel=1e-11)


@pytest.mark.sandbox
def test_score_of_a_wrong_file_ends_with_1(run: Run, folder: Path, entry: Path) -> None:
    entry.write_text("id,risk\n")
    result = run("score", folder, entry, "--json")
    assert (result.code, result.document["outcome"]) == (1, "invalid")


@pytest.mark.sandbox
def test_a_folder_in_order(run: Run, folder: Path) -> None:
    result = run("challenge", "check", folder, "--json")
    assert (result.code, result.document) == (0, {"good": True, "problems": []})
    assert "Example baseline: ok.\n" in result.err


@pytest.mark.sandbox
def test_an_example_that_ends_otherwise_than_it_says(run: Run, folder: Path) -> None:
    expected = folder / "examples/baseline/expected.toml"
    expected.write_text('outcome = "ok"\ntolerance = 0.001\n\n[values]\nauroc = 0.123\n')
    result = run("challenge", "check", folder, "--json")
    (problem,) = result.document["problems"]
    assert (result.code, problem["code"], problem["key"], problem["expected"]) == (
        1,
        "E-VALUE",
        "values.auroc",
        "0.123",
    )


def test_problems_of_a_folder_name_file_line_and_key(run: Run, folder: Path) -> None:
    path = folder / "challenge.toml"
    path.write_bytes(path.read_bytes().replace(b'zone = "Europe/Paris"', b'zone = "Paris"'))
    (folder / "pages/data.fr.md").unlink()
    result = run("challenge", "check", folder, "--json")
    found = [(p["code"], p["file"], p["line"], p["key"]) for p in result.document["problems"]]
    assert result.code == 1
    assert found == [("W-ZONE", "challenge.toml", 3, "zone"), ("F-MISSING-PAGE", "pages/data.fr.md", None, None)]


@pytest.fixture
def files(tmp_path: Path) -> list[str | Path]:
    """`--reference FILE --predictions FILE`: five cases in another order, of two patients."""
    (tmp_path / "r.csv").write_text("id,y,patient\n1,1,a\n2,0,a\n3,1,b\n4,0,b\n5,0,b\n")
    (tmp_path / "p.csv").write_text("id,p,answer\n5,0.2,0\n4,0.35,1\n3,0.9,1\n2,0.4,0\n1,0.35,0\n")
    return ["--reference", tmp_path / "r.csv", "--predictions", tmp_path / "p.csv"]


AUROC = json.dumps({"label": "y", "score": "p", "positive": "1"})


def test_a_metric_on_two_files_gives_values(run: Run, files: list[str | Path]) -> None:
    result = run("metric", "auroc", *files, "--params", AUROC, "--json")
    # positives 0.35 and 0.9 against 0.4, 0.35, 0.2: 1.5 + 3 of 6 pairs won
    assert (result.code, result.document) == (
        0,
        [
            {
                "metric": "auroc",
                "output": "auroc",
                "slice": "all",
                "value": 0.75,
                "undefined": None,
                "low": None,
                "high": None,
                "interval": "none:clusters<30",
                "level": None,
                "n_cases": 5,
                "n_clusters": 5,
            }
        ],
    )


def test_a_metric_by_cluster_and_subgroup(run: Run, files: list[str | Path]) -> None:
    arguments = ["--params", AUROC, "--cluster", "patient", "--subgroup", "patient", "--json"]
    values = run("metric", "auroc", *files, *arguments).document
    assert [(v["slice"], v["n_cases"], v["n_clusters"], v["undefined"]) for v in values] == [
        ("all", 5, 2, None),
        ("subgroup:patient=a", 2, 1, "cell<10"),
        ("subgroup:patient=b", 3, 1, "cell<10"),
    ]


def test_an_interval_with_enough_clusters_repeats_itself(run: Run, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("id,y\n" + "".join(f"{i},{i % 2}\n" for i in range(60)))
    (tmp_path / "p.csv").write_text("id,p\n" + "".join(f"{i},{(i * 7) % 10 / 10}\n" for i in range(60)))
    arguments: list[str | Path] = [
        "--reference",
        tmp_path / "r.csv",
        "--predictions",
        tmp_path / "p.csv",
        "--params",
        AUROC,
        "--json",
    ]
    first, again = (run("metric", "auroc", *arguments).document for _ in range(2))
    assert first == again
    assert first[0]["low"] < first[0]["value"] < first[0]["high"]
    assert (first[0]["interval"], first[0]["level"]) == ("delong", 0.95)


def test_labels_come_from_the_files_where_none_are_given(run: Run, files: list[str | Path]) -> None:
    params = json.dumps({"label": "y", "prediction": "answer"})
    values = run("metric", "macro_f1", *files, "--params", params, "--json").document
    assert [(v["output"], v["value"]) for v in values] == [
        ("macro_f1", 0.583333333333),
        ("f1/0", 0.666666666667),
        ("f1/1", 0.5),
    ]


def test_boxes_need_no_parameters(run: Run, tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("NAME,x1,y1,x2,y2,class\na,1,1,5,5,L\nb,1,1,5,5,M\nb,2,2,6,6,L\n")
    files: list[str | Path] = ["--reference", tmp_path / "b.csv", "--predictions", tmp_path / "b.csv"]
    values = run("metric", "cytologia", *files, "--json").document
    assert {v["output"]: v["value"] for v in values} == {"score": 1, "giou": 1, "macro_f1": 1, "f1/L": 1, "f1/M": 1}


def test_problems_of_predictions_end_with_1(run: Run, files: list[str | Path], tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,p\n1,0.5\n2,x\n3,1\n9,1\n")
    result = run("metric", "auroc", *files, "--params", AUROC, "--json")
    codes = [problem["code"] for problem in result.document["problems"]]
    assert (result.code, codes) == (1, ["E-NUMBER", "E-ID-UNKNOWN", "E-ID-MISSING", "E-ID-MISSING"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["aurok"], "There is no metric 'aurok': there are "),
        (["auroc", "--params", "{"], "--params is not JSON ("),
        (["auroc", "--params", "[]"], "--params must be a JSON object"),
        (
            ["auroc", "--params", '{"label": "y"}'],
            "Auroc needs the parameter 'score'; auroc needs the parameter 'positive'",
        ),
        (["auroc", "--missing", "never"], "--missing is one of refuse, worst, empty, not 'never'."),
        (["auroc", "--params", AUROC, "--id", "nr"], ""),
        (
            ["cohen_kappa", "--params", '{"label": "y", "prediction": "k"}'],
            "Cohen_kappa needs the parameter 'labels': their order counts, and files do not tell it. ",
        ),
        (["composite"], "Composite cannot be used alone: it reads no files, but sums up outputs of the other metrics"),
    ],
)
def test_a_wrong_question(run: Run, files: list[str | Path], arguments: list[str], told: str) -> None:
    result = run("metric", *arguments, *files)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(told)


def test_metrics_are_listed_and_explained(run: Run) -> None:
    listed = run("metric", "list", "--json").document
    keys = [card["key"] for card in listed]
    assert {"auroc", "accuracy", "balanced_accuracy", "macro_f1", "micro_f1", "log_loss", "brier", "cytologia"} <= set(
        keys
    )
    assert run("metric", "show", "brier", "--json").document == listed[keys.index("brier")]
    assert run("metric", "show", "brier").out.startswith("Brier score (brier, version 1): 0 to 2, lower is better.\n")
    assert run("metric", "show").code == 2
