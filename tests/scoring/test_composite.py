"""A composite is summed up from the very values and resamples of its terms, on every slice."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scoring.casetable import CaseTable, unpack
from scoring.composite import Sum, Term, sum_of
from scoring.evaluation import EvaluationResult, evaluate, validate
from scoring.metric import Metric, ParamsRefused
from scoring.metrics.composite import composite
from scoring.metrics.f1 import LabelF1
from scoring.params import check_params
from scoring.registry import get
from scoring.rounding import round12
from scoring.spec import MetricUse, RankingSpec, ScoringSpec, from_json, to_json
from scoring.tables import Entry
from scoring.weighted import Weights
from tests.scoring.builders import table
from tests.scoring.test_evaluation import AUC, F1, INDEX, SPEC, attributes, entries, found

TERMS = [{"metric": "auc", "weight": 0.25}, {"metric": "f1", "output": "f1/yes", "weight": -2}]
SUM = MetricUse("sum", "composite", params={"terms": TERMS, "offset": 1.5})


def using(*metrics: MetricUse) -> ScoringSpec:
    return replace(SPEC, metrics=metrics)


def run(*metrics: MetricUse, reference: Entry | None = None, lookup: Any = get) -> EvaluationResult:
    truth, entry = entries()
    return evaluate(
        spec=using(*metrics),
        index=INDEX,
        attributes=attributes(),
        reference=reference or truth,
        entry=entry,
        seed=7,
        lookup=lookup,
    )


def test_value_and_resamples_of_every_slice_are_the_weighted_sum() -> None:
    result = run(AUC, F1, SUM)
    for value in result.values:
        if value.metric != "sum":
            continue
        auc, yes = (found(result, output, value.slice).value for output in ("auroc", "f1/yes"))
        if auc is None or yes is None:
            assert (value.value, value.undefined) == (None, "cell<10")
        else:
            assert value.value == round12(1.5 + 0.25 * auc - 2 * yes)
    for part in ("all", "split:public", "split:private"):
        areas, f1s = result.replicates[f"auc.auroc|{part}"], result.replicates[f"f1.f1/yes|{part}"]
        assert result.replicates[f"sum.composite|{part}"].tolist() == round12(1.5 + 0.25 * areas - 2 * f1s).tolist()


def test_the_interval_is_of_the_sum_and_not_a_sum_of_intervals() -> None:
    result = run(AUC, F1, SUM)
    value, drawn = found(result, "composite", "all"), result.replicates["sum.composite|all"]
    assert (value.interval, value.level) == ("bca", 0.95)
    plain = run(AUC, F1, replace(SUM, interval="percentile"))
    value = found(plain, "composite", "all")
    assert (value.low, value.high) == tuple(round12(np.quantile(drawn, [0.025, 0.975])).tolist())


def test_bca_of_a_sum_of_one_term_is_that_of_the_term() -> None:
    alone = replace(SUM, params={"terms": [{"metric": "f1", "weight": 1}]})
    result = run(AUC, F1, alone)
    for part in ("all", "split:public", "split:private", "subgroup:sex=F"):
        expected = replace(found(result, "macro_f1", part), metric="sum", output="composite")
        assert found(result, "composite", part) == expected


def test_it_stands_where_it_is_declared_and_has_no_case_table() -> None:
    result = run(SUM, F1, AUC)
    assert list(dict.fromkeys(value.metric for value in result.values)) == ["sum", "f1", "auc"]
    assert next(iter(result.replicates)) == "sum.composite|all"
    assert list(unpack(result.pack_case_tables())) == list(result.case_tables) == ["f1", "auc"]
    assert [value for value in result.values if value.metric == "sum"] == [
        value for value in run(AUC, F1, SUM).values if value.metric == "sum"
    ]


def test_each_metric_is_aggregated_once_however_many_composites_use_it() -> None:
    calls: list[int] = []

    class Counted(LabelF1):
        def aggregate(self, table: CaseTable, weights: Weights) -> np.ndarray[Any, Any]:
            calls.append(len(weights))
            return super().aggregate(table, weights)

    counted = Counted(get("macro_f1").card)

    def lookup(key: str) -> Metric:
        return counted if key == "macro_f1" else get(key)

    run(AUC, F1, lookup=lookup)
    alone, calls[:] = list(calls), []
    run(AUC, F1, SUM, replace(SUM, id="again"), lookup=lookup)
    assert calls == alone


def test_undefined_where_a_term_is_that_counts() -> None:
    reference, _ = entries()
    one = Entry({"answers": table(dict(reference.tables["answers"].columns) | {"truth": np.full(240, "yes")})})
    result = run(AUC, F1, SUM, reference=one)
    value = found(result, "composite", "all")
    assert (value.value, value.undefined, value.interval) == (None, "term-undefined", None)
    assert np.isnan(result.replicates["sum.composite|all"]).all()
    without = replace(SUM, params={"terms": [{"metric": "auc", "weight": 0}, {"metric": "f1", "weight": 1}]})
    kept = run(AUC, F1, without, reference=one)
    assert found(kept, "composite", "all") == replace(found(kept, "macro_f1", "all"), metric="sum", output="composite")


def test_no_interval_where_a_term_has_none() -> None:
    quiet = replace(get("auroc"), card=replace(get("auroc").card, interval="none"))  # type: ignore[type-var]

    def lookup(key: str) -> Metric:
        return quiet if key == "auroc" else get(key)

    result = run(AUC, F1, SUM, lookup=lookup)
    assert {found(result, output, "all").interval for output in ("auroc", "composite")} == {"none:metric"}
    assert found(result, "macro_f1", "all").interval == "bca"


def test_the_costs_of_tissuenet_as_it_was_ranked() -> None:
    """1 - mean cost, higher is better: offset 1, weight -1."""
    cost = {"label": "answer", "prediction": "answer", "costs": [[0, 1], [0.5, 0]]}
    terms = {"terms": [{"metric": "cost", "weight": -1}], "offset": 1}
    result = run(MetricUse("cost", "mean_cost", "answers", cost), MetricUse("sum", "composite", params=terms))
    value = found(result, "mean_cost", "all").value
    assert value is not None
    assert found(result, "composite", "all").value == round12(1 - value)


def test_it_may_rank_and_the_spec_comes_back() -> None:
    spec = replace(using(AUC, F1, SUM), ranking=RankingSpec("sum", "composite", "higher"))
    assert from_json(to_json(spec)) == spec


def test_entries_are_checked_by_its_terms_alone() -> None:
    assert validate(spec=using(AUC, F1, SUM), index=INDEX, entry=entries()[1]) == []


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ([{"metric": "auk", "weight": 1}], "term 1 names 'auk', and the metrics that it can be made of are auc, f1"),
        ([{"metric": "sum", "weight": 1}], "term 1 names 'sum', and the metrics that it can be made of are auc, f1"),
        (
            [TERMS[0], {"metric": "f1", "output": "f1/no?", "weight": 1}],
            "term 2 names the output 'f1/no?', and f1 has ",
        ),
        ([], "parameter terms of composite is empty or too short"),
        ([{"metric": "auc"}], "parameter terms of composite, place 1 needs 'weight'"),
    ],
)
def test_what_it_cannot_be_made_of(terms: list[Mapping[str, Any]], told: str) -> None:
    with pytest.raises(ParamsRefused) as refused:
        run(AUC, F1, replace(SUM, params={"terms": terms}))
    assert told in str(refused.value)


def test_it_reads_no_table_and_every_other_metric_does() -> None:
    with pytest.raises(ParamsRefused, match="composite reads no table, but outputs of other metrics"):
        run(AUC, F1, replace(SUM, table="answers"))
    with pytest.raises(ParamsRefused, match="auroc needs a table"):
        run(replace(AUC, table=""))
    assert check_params(composite.card, {"terms": TERMS}, None) == []


def test_alone_it_says_why_not() -> None:
    with pytest.raises(ParamsRefused, match="composite cannot be used alone: it reads no files, but sums up outputs"):
        composite.tabulate(table({"y": [1]}), table({"y": [1]}), {"terms": TERMS})


def test_a_sum_takes_arrays_of_any_shape() -> None:
    made = sum_of("s", {"terms": TERMS, "offset": 0.0}, {"auc": ("auroc",), "f1": ("macro_f1", "f1/no", "f1/yes")})
    assert made == Sum((Term("auc", 0, 0.25), Term("f1", 2, -2.0)), 0.0)
    outputs = {"auc": np.array([[0.5], [np.nan]]), "f1": np.array([[0.0, 0.0, 0.25], [0.0, 0.0, 1.0]])}
    assert made.of({name: values[0] for name, values in outputs.items()}).tolist() == [-0.375]
    whole = made.of(outputs)
    assert whole.shape == (2, 1)
    assert np.isnan(whole).tolist() == [[False], [True]]
    constant = Sum((Term("auc", 0, 0.0),), 2.0)
    assert constant.of(outputs).tolist() == [[2.0], [2.0]]
