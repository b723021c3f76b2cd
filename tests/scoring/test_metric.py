"""What every metric must keep to: weights are repeated cases, and nothing else about the data matters."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

import scoring.weighted
from scoring.casetable import CaseTable, pack, unpack
from scoring.metric import MetricCard, Params, mean_metric
from scoring.registry import BUILT_IN, cards, get
from scoring.rounding import round12
from scoring.tables import Table
from tests.scoring.builders import frozen, table
from tests.scoring.subjects import SUBJECTS, Subject

N = 60
every_subject = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)


def taken(source: Table, cases: NDArray[np.intp]) -> Table:
    """The table in which the cases are these, in this order; a case may come twice or never."""
    first = np.searchsorted(source.case, np.arange(len(source.missing) + 1))
    rows = np.concatenate([np.arange(first[case], first[case + 1]) for case in cases] or [np.arange(0)])
    case = np.repeat(np.arange(len(cases)), (first[1:] - first[:-1])[cases])
    columns = {name: values[rows] for name, values in source.columns.items()}
    return frozen(Table(case, columns, source.missing[cases]))


def tabulated(subject: Subject, seed: int = 0) -> CaseTable:
    return subject.metric.tabulate(*subject.make(np.random.default_rng(seed), N), subject.params)


def values(subject: Subject, made: CaseTable, weights: NDArray[np.generic]) -> NDArray[np.float64]:
    return round12(subject.metric.aggregate(made, weights))


def drawn(seed: int, rows: int = 7) -> NDArray[np.uint16]:
    return np.random.default_rng(seed).poisson(1, (rows, N)).astype(np.uint16)


@every_subject
@pytest.mark.parametrize("seed", range(5))
def test_a_weight_is_the_case_so_many_times_and_zero_is_the_case_left_out(subject: Subject, seed: int) -> None:
    reference, entry = subject.make(np.random.default_rng(seed), N)
    weights = drawn(seed)
    weighted = values(subject, subject.metric.tabulate(reference, entry, subject.params), weights)
    for row, expected in zip(weights, weighted, strict=True):
        cases = np.repeat(np.arange(N), row)
        repeated = subject.metric.tabulate(taken(reference, cases), taken(entry, cases), subject.params)
        np.testing.assert_array_equal(values(subject, repeated, np.ones((1, len(cases))))[0], expected)


@every_subject
def test_the_order_of_cases_does_not_matter(subject: Subject) -> None:
    reference, entry = subject.make(np.random.default_rng(0), N)
    order = np.random.default_rng(1).permutation(N)
    shuffled = subject.metric.tabulate(taken(reference, order), taken(entry, order), subject.params)
    weights = drawn(2)
    np.testing.assert_array_equal(
        values(subject, shuffled, weights[:, order]), values(subject, tabulated(subject), weights)
    )


@every_subject
def test_the_number_of_rows_of_weights_and_the_chunk_do_not_matter(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, weights = tabulated(subject), drawn(3, 40)
    together = values(subject, made, weights)
    monkeypatch.setattr(scoring.weighted, "_CHUNK", 1)
    np.testing.assert_array_equal(values(subject, made, weights), together)
    alone = np.concatenate([values(subject, made, weights[i : i + 1]) for i in range(40)])
    np.testing.assert_array_equal(alone, together)


@every_subject
def test_type_and_scale_of_weights_do_not_matter(subject: Subject) -> None:
    made, weights = tabulated(subject), drawn(4)
    expected = values(subject, made, weights)
    np.testing.assert_array_equal(values(subject, made, weights.astype(np.float64)), expected)
    np.testing.assert_array_equal(values(subject, made, weights.astype(np.int64) * 4), expected)
    mask = weights > 0
    np.testing.assert_array_equal(values(subject, made, mask), values(subject, made, mask.astype(np.uint16)))


@every_subject
def test_selecting_cases_is_weight_zero_for_the_others(subject: Subject) -> None:
    made, weights = tabulated(subject), drawn(5)
    cases = np.flatnonzero(np.random.default_rng(6).random(N) < 0.4)
    masked = np.where(np.isin(np.arange(N), cases), weights, 0)
    np.testing.assert_array_equal(values(subject, made.select(cases), weights[:, cases]), values(subject, made, masked))


@every_subject
def test_without_weight_everything_is_undefined_and_has_a_reason(subject: Subject) -> None:
    found = values(subject, tabulated(subject), np.zeros((2, N)))
    assert found.shape == (2, len(subject.metric.outputs(subject.params)))
    assert np.isnan(found).all()
    reasons = {subject.metric.card.reason(output) for output in subject.metric.outputs(subject.params)}
    assert "undefined" not in reasons


@every_subject
def test_no_rows_of_weights_give_no_rows_of_values(subject: Subject) -> None:
    found = values(subject, tabulated(subject), np.zeros((0, N)))
    assert found.shape == (0, len(subject.metric.outputs(subject.params)))


@every_subject
def test_values_lie_in_the_range_of_the_card(subject: Subject) -> None:
    found = values(subject, tabulated(subject), drawn(7, 50))
    low, high = subject.metric.card.range
    assert (found[~np.isnan(found)] >= low).all()
    assert (found[~np.isnan(found)] <= high).all()


@every_subject
def test_case_values_have_the_value_as_their_mean(subject: Subject) -> None:
    made = tabulated(subject)
    per_case = subject.metric.case_values(made)
    assert (per_case is not None) == (subject.metric.card.sufficiency == "mean")
    if per_case is not None:
        assert round12(float(np.nanmean(per_case))) == values(subject, made, np.ones((1, N)))[0, 0]


@every_subject
def test_a_packed_table_gives_the_same_values(subject: Subject) -> None:
    made, weights = tabulated(subject), drawn(8)
    raw = pack({"one": made, "two": made})
    assert raw == pack({"one": made, "two": made})
    np.testing.assert_array_equal(values(subject, unpack(raw)["two"], weights), values(subject, made, weights))


def test_every_built_in_metric_that_reads_a_table_is_a_subject() -> None:
    assert {subject.key for subject in SUBJECTS} == set(BUILT_IN) - {"composite"}


def test_cards_are_plain_json_by_key() -> None:
    keys = [card.key for card in cards()]
    assert keys == sorted(BUILT_IN)
    assert get("log_loss").card.to_json()["range"] == [0.0, None]
    assert get("cytologia").card.to_json()["outputs"] == ["score", "giou", "macro_f1", "f1/<label>"]


def test_an_unknown_metric_is_refused_with_those_there_are() -> None:
    with pytest.raises(KeyError, match="there is no metric 'auc': there are accuracy, auroc, average_precision"):
        get("auc")


def test_a_simple_metric_is_one_decorated_function() -> None:
    @mean_metric(
        key="absolute_error",
        title="Mean absolute error",
        task_category="regression",
        direction="lower",
        range=(0.0, np.inf),
        params={"type": "object", "properties": {}},
        missing="A missing case has no error to take.",
    )
    def absolute_error(reference: Table, entry: Table, params: Params) -> NDArray[np.float64]:
        return np.asarray(np.abs(reference.columns["y"] - entry.columns["y"]))

    made = absolute_error.tabulate(table({"y": [1.0, 2.0, np.nan]}), table({"y": [1.5, 4.0, 1.0]}), {})
    assert absolute_error.aggregate(made, np.array([[1, 1, 1], [3, 1, 9], [0, 0, 1]])).tolist()[:2] == [[1.25], [0.875]]
    assert np.isnan(absolute_error.aggregate(made, np.array([[0, 0, 1]]))).all()
    assert absolute_error.card.reason("absolute_error") == "no-cases"
    assert absolute_error.case_values(made).tolist()[:2] == [0.5, 2.0]


def test_reasons_are_found_by_output_then_by_its_kind_then_for_all() -> None:
    card: MetricCard = replace(get("auroc").card, undefined={"*": "x", "f1": "y", "f1/a": "z"})
    assert [card.reason(output) for output in ("auroc", "f1/b", "f1/a")] == ["x", "y", "z"]


@pytest.mark.parametrize("raw", [b"", b"no archive", b"PK\x03\x04broken"])
def test_what_is_no_case_table_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"not an npz file|pickled"):
        unpack(raw)
