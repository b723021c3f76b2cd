"""Many rows per case that become one: each column its mean or max, the same to the last bit whatever the order."""

import io
import math
import unicodedata
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.cases import CaseIndex
from scoring.casetable import pack_arrays, unpack_arrays
from scoring.evaluation import validate
from scoring.issues import Issue
from scoring.packing import pack, unpack
from scoring.read import ReadResult, read_reference
from scoring.spec import CasesSpec, ColumnSpec, Combine, MetricUse, Missing, RankingSpec, ScoringSpec, TableSpec
from scoring.tables import Table
from tests.scoring.entries import index_of, read, told

NEVUS, MELANOMA = ColumnSpec("nevus", "probability"), ColumnSpec("melanoma", "probability")
AREA = ColumnSpec("area", "integer", low=0)
PHOTOS = {("p1",): 0, ("p2",): 0, ("p3",): 1}


def photos(
    *columns: ColumnSpec, combine: Combine = "mean", missing: Missing = "refuse", key: tuple[str, ...] = ("photo",)
) -> TableSpec:
    return TableSpec(
        name="lesions", file="lesions.csv", case="lesion", key=key, columns=columns or (NEVUS, MELANOMA),
        rows="many", combine=combine, missing=missing,
    )  # fmt: skip


def index(spec: TableSpec | None = None, *, known: bool = True) -> CaseIndex:
    return index_of(spec or photos(), ids=("l1", "l2"), rows={"lesions": PHOTOS} if known else {})


def table_of(result: ReadResult) -> Table:
    assert result.entry is not None, result.issues.total
    return result.entry.tables["lesions"]


FILE = "lesion,photo,nevus,melanoma\nl1,p1,0.25,0.75\nl1,p2,0.5,0.5\nl2,p3,1,0\n"


def test_one_row_per_case_after_reading() -> None:
    result = read(FILE, index())
    table = table_of(result)
    assert table.case.tolist() == [0, 1]
    assert table.missing.tolist() == [False, False]
    assert {name: values.tolist() for name, values in table.columns.items()} == {
        "nevus": [0.375, 1.0],
        "melanoma": [0.625, 0.0],
    }
    assert result.counts == {"rows": 3, "missing": 0, "duplicates": 0, "extra_columns": 0}
    highest = table_of(read(FILE, index(photos(combine="max"))))
    assert [values.tolist() for values in highest.columns.values()] == [[0.5, 1.0], [0.75, 0.0]]


def test_whole_numbers_have_a_mean_too() -> None:
    table = table_of(read("lesion,photo,area\nl1,p1,3\nl1,p2,4\nl2,p3,7\n", index(photos(AREA))))
    assert table.columns["area"].tolist() == [3.5, 7.0]
    assert table.columns["area"].dtype == np.float64


PARTIAL = "lesion,photo,nevus,melanoma\nl1,p1,0.25,0.75\nl2,p3,1,0\n"


def test_a_photo_that_is_missing_follows_the_rule() -> None:
    refused = read(PARTIAL, index())
    assert told(refused) == [("E-ID-MISSING", None, "photo", "p2")]
    for rule, first in (("worst", math.nan), ("empty", 0.25)):
        result = read(PARTIAL, index(photos(missing=rule)))  # type: ignore[arg-type]
        table = table_of(result)
        np.testing.assert_equal(table.columns["nevus"].tolist(), [first, 1.0])
        assert table.missing.tolist() == [rule == "worst", False]
        assert told(result) == [("W-ID-MISSING", None, "photo", "p2")]
        assert result.counts["missing"] == 1


@pytest.mark.parametrize("rule", ["worst", "empty"])
def test_a_case_without_any_row_is_missing(rule: Missing) -> None:
    result = read("lesion,photo,nevus,melanoma\nl2,p3,1,0\n", index(photos(missing=rule)))
    assert table_of(result).missing.tolist() == [True, False]
    assert np.isnan(table_of(result).columns["nevus"]).tolist() == [True, False]
    assert result.counts["missing"] == 2
    header = "lesion,photo,nevus,melanoma\n"
    assert told(read(header, index(photos(missing=rule)))) == [("E-EMPTY-ROWS", None, None, None)]


def test_without_known_photos_whatever_is_there_is_combined() -> None:
    spec = photos(key=("lesion",), missing="worst")
    table = table_of(read("lesion,nevus,melanoma\nl1,0,1\nl1,0,1\nl1,1,0\n", index(spec, known=False)))
    assert table.columns["nevus"][0] == pytest.approx(1 / 3, abs=0)
    assert table.missing.tolist() == [False, True]


def test_a_photo_twice() -> None:
    data = FILE + "l1,p1,0,1\n"
    assert told(read(data, index())) == [("E-ID-DUP", 5, "photo", "p1")]
    first = replace(photos(), duplicates="first")
    assert table_of(read(data, index(first))).columns["nevus"].tolist() == [0.375, 1.0]


VALUES = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 0.1, 1.7e308, -1.7e308, 5e-324])
NUMBER = ColumnSpec("x", "number")


@settings(max_examples=200, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=9).flatmap(lambda v: st.tuples(st.just(v), st.permutations(v))))
def test_the_order_of_rows_changes_no_bit_and_the_mean_is_that_of_fractions(both: tuple[list[float], ...]) -> None:
    spec = index_of(photos(NUMBER, key=("lesion",)), ids=("l1",))
    found = []
    for values in both:
        table = table_of(read("lesion,x\n" + "".join(f"l1,{value!r}\n" for value in values), spec))
        found.append(table.columns["x"].tobytes())
    assert found[0] == found[1]
    (mean,) = np.frombuffer(found[0])
    exact = sum(map(Fraction, both[0]), Fraction(0)) / len(both[0])
    assert min(both[0]) <= mean <= max(both[0])
    assert abs(float(mean - float(exact))) <= 2 * math.ulp(float(exact))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=9), st.sampled_from(["mean", "max"]))
def test_what_is_combined_can_be_packed(values: list[float], combine: Combine) -> None:
    low, high = min(values), max(values)
    spec = index_of(photos(replace(NUMBER, low=low, high=high), key=("lesion",), combine=combine), ids=("l1",))
    entry = read("lesion,x\n" + "".join(f"l1,{value!r}\n" for value in values), spec).entry
    assert entry is not None
    again = unpack(pack(entry), spec)
    assert again.tables["lesions"].columns["x"].tobytes() == entry.tables["lesions"].columns["x"].tobytes()


def test_arrays_of_combined_rows_that_the_reader_cannot_have_made() -> None:
    spec = index(photos(missing="worst"))
    made = read(PARTIAL, spec).entry
    assert made is not None
    arrays = unpack_arrays(pack(made))
    assert sorted(arrays) == ["0.case", "0.column0", "0.column1", "0.missing"]
    assert unpack(pack(made), spec).tables["lesions"].missing.tolist() == [True, False]
    three = {"0.case": np.array([0, 0, 1]), "0.column0": np.zeros(3), "0.column1": np.zeros(3)}
    changes = (three, {"0.column2": np.array(["p1", "p3"])}, {"0.column0": np.zeros(2, dtype=np.int64)},
               {"0.column0": np.array([0.5, 0.5])}, {"0.column0": np.array([np.nan, 1.5])})  # fmt: skip
    for change in changes:
        with pytest.raises(ValueError, match="cannot be used"):
            unpack(pack_arrays({**arrays, **change}), spec)
    with pytest.raises(ValueError, match="cases are missing"):
        unpack(pack(made), index())


def test_the_reference_has_one_row_per_case() -> None:
    answers = read_reference({"lesions": io.BytesIO(b"lesion,kind\nl2,b\nl1,a\n")}, index=index())
    assert answers.entry is not None
    assert answers.entry.tables["lesions"].columns["kind"].tolist() == ["a", "b"]
    for data, expected in (
        (b"lesion,kind\nl2,b\n", [("E-ID-MISSING", None, "lesion", "l1")]),
        (b"lesion,photo,kind\nl2,p3,b\nl1,p1,a\nl1,p2,a\n", [("E-ID-DUP", 4, "lesion", "l1")]),
    ):
        assert told(read_reference({"lesions": io.BytesIO(data)}, index=index())) == expected


SPEC = ScoringSpec(
    tables=(photos(),),
    cases=CasesSpec(id="lesion"),
    metrics=(MetricUse("b", "brier", "lesions", {"label": "kind", "probabilities": {"n": "nevus", "m": "melanoma"}}),),
    splits=(),
    ranking=RankingSpec("b", "brier", "lower"),
)


def test_sums_are_told_of_the_combined_row_with_the_first_line_of_its_case() -> None:
    result = read("lesion,photo,nevus,melanoma\nl2,p3,1,0\nl1,p2,0.5,0.75\nl1,p1,0.25,0.75\n", index())
    assert result.entry is not None
    found = validate(spec=SPEC, index=index(), entry=result.entry)
    result.extend(found)
    assert result.issues.errors == (Issue("E-PROB-SUM", "error", "lesions", 3, None, "1.125", {"case": "l1"}),)


def test_rows_whose_mean_sums_to_one_are_taken() -> None:
    result = read("lesion,photo,nevus,melanoma\nl2,p3,1,0\nl1,p2,0.5,0.75\nl1,p1,0.25,0.5\n", index())
    assert result.entry is not None
    assert validate(spec=SPEC, index=index(), entry=result.entry) == []


def test_issues_of_tables_with_many_rows_get_no_line_of_another_row() -> None:
    many = index(replace(photos(), combine=None))
    result = read(FILE, many)
    result.extend([Issue("E-BOX", table="lesions", fields={"case": "l1"}), Issue("E-BOX", table="lesions")])
    assert [issue.line for issue in result.issues.errors] == [None, None]
    name = unicodedata.normalize("NFC", "é")
    named = read(f"id,score\n{name},0.5\n", index_of(ids=(name,)))
    named.extend([Issue("E-RANGE", table="scores", fields={"case": name}), Issue("E-RANGE", fields={"case": name})])
    assert [issue.line for issue in named.issues.errors] == [None, 2]
