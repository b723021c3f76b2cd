"""One evaluation: its values, slices, intervals and stored resamples, against direct computation."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

import scoring.drawn
from scoring.cases import CaseAttributes, CaseIndex, Groups
from scoring.casetable import unpack, unpack_arrays
from scoring.evaluation import EvaluationResult, evaluate, plan_of, validate
from scoring.intervals import delong
from scoring.intervals.jackknife import acceleration
from scoring.intervals.resampled import bca
from scoring.issues import Issue
from scoring.metric import ParamsRefused
from scoring.metrics.auroc import ranked
from scoring.rounding import round12
from scoring.spec import CasesSpec, MetricUse, RankingSpec, ResampleSpec, ScoringSpec, SplitSpec
from scoring.tables import Entry
from scoring.values import Value
from tests.scoring.builders import index as make_index
from tests.scoring.builders import spec as make_table
from tests.scoring.builders import table

N, PATIENTS, B = 240, 80, 200
TABLE = make_table(score="probability", answer=["no", "yes"])
AUC = MetricUse("auc", "auroc", "answers", {"label": "truth", "score": "score", "positive": "yes"})
F1 = MetricUse("f1", "macro_f1", "answers", {"label": "answer", "prediction": "answer"})
SPEC = ScoringSpec(
    tables=(TABLE,),
    cases=CasesSpec("case", cluster="patient", site="site", subgroups=("sex",), split="usage"),
    metrics=(AUC, F1),
    splits=(SplitSpec("public", "live", value="Public"), SplitSpec("private", "after_close", value="Private")),
    ranking=RankingSpec("auc", "auroc", "higher"),
    resample=ResampleSpec(replicates=B),
)
INDEX = make_index(N, TABLE)


def groups(labels: tuple[str, ...], codes: ArrayLike) -> Groups:
    return Groups(labels, np.asarray(codes, dtype=np.intp))


def attributes() -> CaseAttributes:
    """80 patients of 3 cases; 50 public, 30 private; a site of 8 patients; sex of the last 20 patients unknown."""
    patient = np.arange(N) % PATIENTS
    return CaseAttributes(
        cluster=patient,
        cluster_ids=tuple(f"p{i:02d}" for i in range(PATIENTS)),
        site=groups(("brest", "lyon"), patient >= 8),
        subgroups={"sex": groups(("F", "M"), np.where(patient < 60, patient % 2, -1))},
        split=groups(("public", "private"), patient >= 50),
    )


def entries(seed: int = 0, miss: int = 0) -> tuple[Entry, Entry]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, N)
    score = np.clip(truth * 0.2 + rng.random(N) * 0.8, 0, 1)
    missing = np.arange(N) < miss
    reference = table({"truth": np.array(["no", "yes"])[truth], "answer": truth.astype(np.int32)})
    answer = np.where(missing, -1, score > 0.5).astype(np.int32)
    entry = table({"score": np.where(missing, np.nan, score), "answer": answer}, missing=missing)
    return Entry({"answers": reference}), Entry({"answers": entry})


def run(spec: ScoringSpec = SPEC, made: CaseAttributes | None = None, **others: Any) -> EvaluationResult:
    reference, entry = entries(**others)
    return evaluate(spec=spec, index=INDEX, attributes=made or attributes(), reference=reference, entry=entry, seed=7)


def found(result: EvaluationResult, output: str, part: str) -> Value:
    (value,) = [value for value in result.values if (value.output, value.slice) == (output, part)]
    return value


def area(truth: Any, score: Any) -> float:
    above = score[truth == "yes"][:, None] - score[truth == "no"][None]
    return round12(float(((above > 0) + (above == 0) / 2).mean()))


def test_every_output_of_every_metric_on_every_slice_in_order() -> None:
    parts = ["all", "split:public", "split:private", "subgroup:sex=F", "subgroup:sex=M", "site:brest", "site:lyon"]
    expected = [("auc", "auroc", part) for part in parts]
    expected += [("f1", output, part) for part in parts for output in ("macro_f1", "f1/no", "f1/yes")]
    assert [(value.metric, value.output, value.slice) for value in run().values] == expected


def test_values_are_those_of_the_cases_of_the_slice_alone() -> None:
    reference, entry = entries()
    truth, score = reference.tables["answers"].columns["truth"], entry.tables["answers"].columns["score"]
    patient, result = np.arange(N) % PATIENTS, run()
    for part, cases in {
        "all": patient >= 0,
        "split:public": patient < 50,
        "split:private": patient >= 50,
        "subgroup:sex=M": (patient < 60) & (patient % 2 == 1),
    }.items():
        value = found(result, "auroc", part)
        assert value.value == area(truth[cases], score[cases])
        assert (value.n_cases, value.n_clusters) == (int(cases.sum()), len(set(patient[cases].tolist())))


def test_stored_resamples_are_the_values_of_the_repeated_patients() -> None:
    reference, entry = entries()
    truth, score = reference.tables["answers"].columns["truth"], entry.tables["answers"].columns["score"]
    result, plan = run(), plan_of(spec=SPEC, attributes=attributes(), seed=7)
    assert result.plan_digest == plan.digest
    private = np.arange(N) % PATIENTS >= 50
    for part, kept in (("all", np.ones(N, dtype=bool)), ("split:private", private)):
        for b in range(5):
            cases = np.repeat(np.arange(N), plan.counts[b][np.arange(N) % PATIENTS] * kept)
            assert result.replicates[f"auc.auroc|{part}"][b] == area(truth[cases], score[cases])


def test_resamples_are_stored_for_all_and_splits_only() -> None:
    names = [f"{output}|{part}" for output in ("auc.auroc",) for part in ("all", "split:public", "split:private")]
    names += [
        f"f1.{output}|{part}"
        for part in ("all", "split:public", "split:private")
        for output in ("macro_f1", "f1/no", "f1/yes")
    ]
    result = run()
    assert list(result.replicates) == names
    assert {(values.shape, values.dtype.str) for values in result.replicates.values()} == {((B,), "<f8")}


def test_the_interval_of_an_area_is_delongs_by_patient() -> None:
    reference, entry = entries()
    truth, score = reference.tables["answers"].columns["truth"], entry.tables["answers"].columns["score"]
    patient = np.arange(N) % PATIENTS
    public = patient < 50
    sides = ranked(truth[public] == "yes", score[public], np.zeros(public.sum(), dtype=bool))
    expected = delong.interval(delong.area(*sides, patient[public]), 0.95)
    value = found(run(), "auroc", "split:public")
    assert (value.interval, value.level) == ("delong", 0.95)
    assert (value.low, value.high) == (expected.low, expected.high)
    assert value.low is not None
    assert value.value is not None
    assert value.high is not None
    assert value.low < value.value < value.high


def test_bca_leaves_out_each_patient_of_the_slice_in_turn() -> None:
    reference, entry = entries()
    truth, answer = (side.tables["answers"].columns["answer"] for side in (reference, entry))
    patient, result = np.arange(N) % PATIENTS, run()
    value, drawn = found(result, "f1/yes", "split:public"), result.replicates["f1.f1/yes|split:public"]

    def f1(cases: Any) -> float:
        hits = 2 * np.count_nonzero(truth[cases] & answer[cases])
        return float(round12(hits / (truth[cases].sum() + answer[cases].sum())))

    left_out = np.array([f1((patient < 50) & (patient != each)) for each in range(50)])
    skew = acceleration(left_out, np.zeros(50, dtype=np.intp))
    assert value.value == f1(patient < 50)
    expected = bca(drawn, 0.95, value=value.value, acceleration=skew)
    assert (value.interval, value.low, value.high) == ("bca", expected.low, expected.high)


def test_the_method_that_the_challenge_was_made_for_stays() -> None:
    result = run(replace(SPEC, metrics=(replace(AUC, interval="percentile"), replace(F1, interval="basic"))))
    value, drawn = found(result, "auroc", "split:public"), result.replicates["auc.auroc|split:public"]
    assert (value.interval, value.level) == ("percentile", 0.95)
    assert (value.low, value.high) == tuple(round12(np.quantile(drawn, [0.025, 0.975])).tolist())
    assert found(result, "macro_f1", "split:public").interval == "basic"
    assert result.replicates.keys() == run().replicates.keys()
    assert all((result.replicates[name] == held).all() for name, held in run().replicates.items())


def test_few_clusters_have_no_interval_and_very_few_of_a_subgroup_no_value() -> None:
    result = run()
    private, brest = found(result, "auroc", "split:private"), found(result, "auroc", "site:brest")
    assert private.interval == "delong"
    short = run(replace(SPEC, resample=replace(SPEC.resample, min_clusters_interval=31)))
    told = found(short, "auroc", "split:private")
    assert (told.value, told.low, told.high, told.interval, told.level) == (
        private.value,
        None,
        None,
        "none:clusters<31",
        None,
    )
    assert brest == Value("auc", "auroc", "site:brest", None, "cell<10", n_cases=24, n_clusters=8)


def test_a_split_is_shown_however_small() -> None:
    made = replace(attributes(), split=groups(("public", "private"), np.arange(N) % PATIENTS >= 78))
    assert found(run(made=made), "macro_f1", "split:private").n_clusters == 2
    assert found(run(made=made), "macro_f1", "split:private").value is not None


def test_a_declared_split_without_cases_is_undefined() -> None:
    made = replace(attributes(), split=groups(("public", "private"), np.zeros(N)))
    result = run(made=made)
    assert found(result, "auroc", "split:private") == Value("auc", "auroc", "split:private", None, "no-cases")
    assert "auc.auroc|split:private" not in result.replicates


def test_without_splits_sites_and_subgroups_there_is_one_slice() -> None:
    made = replace(attributes(), site=None, subgroups={}, split=groups((), np.zeros(N)))
    spec = replace(SPEC, splits=(), metrics=(AUC,))
    assert [value.slice for value in run(spec, made).values] == ["all"]


def test_undefined_is_null_with_its_reason() -> None:
    reference, entry = entries()
    one = table(dict(reference.tables["answers"].columns) | {"truth": np.full(N, "yes")})
    result = evaluate(
        spec=replace(SPEC, metrics=(AUC,)),
        index=INDEX,
        attributes=attributes(),
        reference=Entry({"answers": one}),
        entry=entry,
        seed=7,
    )
    assert result.values[0] == Value("auc", "auroc", "all", None, "one-class", n_cases=N, n_clusters=PATIENTS)
    assert np.isnan(result.replicates["auc.auroc|all"]).all()


def test_label_columns_are_compared_as_text_and_missing_ones_as_none() -> None:
    assert found(run(miss=24), "f1/no", "all").value != found(run(), "f1/no", "all").value
    perfect, _ = entries()
    both = Entry(
        {
            "answers": replace(
                perfect.tables["answers"], columns={**perfect.tables["answers"].columns, "score": np.zeros(N)}
            )
        }
    )
    result = evaluate(spec=SPEC, index=INDEX, attributes=attributes(), reference=perfect, entry=both, seed=7)
    assert found(result, "macro_f1", "all").value == 1.0


def test_the_same_arguments_give_the_same_bytes_and_another_seed_other_resamples() -> None:
    one, two = run(), run()
    assert one.pack_replicates() == two.pack_replicates()
    assert one.pack_case_tables() == two.pack_case_tables()
    assert one.values == two.values
    reference, entry = entries()
    other = evaluate(spec=SPEC, index=INDEX, attributes=attributes(), reference=reference, entry=entry, seed=8)
    assert other.plan_digest != one.plan_digest
    assert found(other, "auroc", "all").value == found(one, "auroc", "all").value
    assert found(other, "macro_f1", "all").low != found(one, "macro_f1", "all").low
    assert found(other, "auroc", "all").low == found(one, "auroc", "all").low  # DeLong draws nothing


def test_memory_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = run()
    monkeypatch.setattr(scoring.drawn, "_CHUNK", 1)
    assert run().pack_replicates() == expected.pack_replicates()
    assert run().values == expected.values


def test_a_split_of_all_cases_has_the_values_of_all() -> None:
    spec = replace(SPEC, splits=(SplitSpec("whole", "live", share=1.0),))
    result = run(spec, replace(attributes(), split=groups(("whole",), np.zeros(N))))
    assert found(result, "auroc", "split:whole") == replace(found(result, "auroc", "all"), slice="split:whole")
    for output in ("auc.auroc", "f1.macro_f1"):
        drawn = result.replicates[f"{output}|all"]
        assert result.replicates[f"{output}|split:whole"].tolist() == drawn.tolist()


def test_packed_results_come_back() -> None:
    result = run()
    drawn = unpack_arrays(result.pack_replicates())
    assert {name: values.tolist() for name, values in drawn.items()} == {
        name: values.tolist() for name, values in result.replicates.items()
    }
    assert list(unpack(result.pack_case_tables())) == ["auc", "f1"]


def test_a_value_as_json_has_the_keys_of_the_contract_and_no_nan() -> None:
    keys = ["metric", "output", "slice", "value", "undefined", "low", "high", "interval", "level"]
    keys += ["n_cases", "n_clusters"]
    for value in run().values:
        plain = value.to_json()
        assert list(plain) == keys
        assert json.loads(json.dumps(plain, allow_nan=False)) == plain
        assert (plain["value"] is None) == (plain["undefined"] is not None)


def test_without_cluster_column_a_note_says_so() -> None:
    assert run().notes == ()
    assert run(replace(SPEC, cases=replace(SPEC.cases, cluster=None))).notes == ("N-NO-CLUSTER",)


def test_the_reference_and_the_entry_stay_as_they_were() -> None:
    reference, entry = entries()
    evaluate(spec=SPEC, index=INDEX, attributes=attributes(), reference=reference, entry=entry, seed=7)
    again_reference, again_entry = entries()
    for one, again in ((reference, again_reference), (entry, again_entry)):
        for name, values in one.tables["answers"].columns.items():
            np.testing.assert_array_equal(values, again.tables["answers"].columns[name])


def test_another_version_or_wrong_parameters_are_the_challenges_fault() -> None:
    with pytest.raises(ParamsRefused, match="auroc has version 1 here, but the challenge was made for 2"):
        run(replace(SPEC, metrics=(replace(AUC, version="2"),)))
    with pytest.raises(ParamsRefused, match="auroc needs the parameter 'label'"):
        run(replace(SPEC, metrics=(replace(AUC, params={"score": "score", "positive": "yes"}),)))


def test_problems_that_metrics_find_are_told_once_with_their_table() -> None:
    columns = make_table(pa="number", pb="number")
    params = {"label": "truth", "probabilities": {"a": "pa", "b": "pb"}}
    spec = replace(
        SPEC,
        tables=(columns,),
        metrics=(MetricUse("l", "log_loss", "answers", params), MetricUse("b", "brier", "answers", params)),
    )
    index = CaseIndex(("x", "y"), (columns,))
    entry = Entry({"answers": table({"pa": [0.5, 0.5], "pb": [0.5, 0.9]})})
    assert validate(spec=spec, index=index, entry=entry) == [
        Issue("E-PROB-SUM", table="answers", value="1.4", fields={"case": "y"})
    ]
    assert validate(spec=SPEC, index=INDEX, entry=entries()[1]) == []
