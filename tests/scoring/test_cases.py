"""cases.csv and the attributes of cases."""

import io
import unicodedata
from dataclasses import replace

import pytest

from scoring.cases import CaseAttributes, CaseIndex, read_attributes, read_case_index
from scoring.issues import InputRefused, IssueLog
from scoring.messages import explain
from scoring.spec import CasesSpec, SplitSpec, TableSpec
from tests.scoring.entries import boxes, one

BY_VALUE = (SplitSpec("public", "live", value="Public"), SplitSpec("private", "after_close", value="Private"))
BY_SHARE = (SplitSpec("public", "live", share=0.5), SplitSpec("private", "after_close", share=0.5))


def index_from(text: str, *tables: TableSpec, name: str = "id") -> CaseIndex:
    return read_case_index(io.BytesIO(text.encode()), tables=tables or (one(),), cases=CasesSpec(id=name))


def attributes_from(
    text: str, cases: CasesSpec, splits: tuple[SplitSpec, ...] = (), ids: str = "id\nb\na\nc\n", seed: int = 1
) -> CaseAttributes:
    return read_attributes(io.BytesIO(text.encode()), index=index_from(ids), cases=cases, splits=splits, seed=seed)


def told(log: IssueLog) -> list[tuple[str, int | None, str | None, str | None]]:
    return [(issue.code, issue.line, issue.column, issue.value) for issue in log.errors]


def test_ids_in_order_of_first_appearance() -> None:
    index = index_from("extra,id\n1,b\n2,a\n3,b\n")
    assert index.ids == ("b", "a")
    assert index.position == {"b": 0, "a": 1}
    assert index.rows == {"scores": {("b",): 0, ("a",): 1}}
    assert index.table("scores") == one()
    with pytest.raises(KeyError, match="no table 'x'; there are scores"):
        index.table("x")


def test_keys_that_are_known_beforehand() -> None:
    text = "box,name,note\n7,j,\n3,i,\n5,j,\n"
    index = index_from(text, boxes(), boxes(key=("image", "box")), name="name")
    assert index.ids == ("j", "i")
    assert index.rows["boxes"] == {("j", "7"): 0, ("i", "3"): 1, ("j", "5"): 0}
    assert index_from(text, boxes(), name="name").rows["boxes"] == {("7",): 0, ("3",): 1, ("5",): 0}
    assert list(index_from(text, boxes(), name="name").rows["boxes"]) == [("7",), ("3",), ("5",)]
    assert index_from("name\nj\n", boxes(), name="name").rows == {}


def test_ids_are_kept_in_nfc() -> None:
    assert index_from(unicodedata.normalize("NFD", "id\nAmélie\n")).ids == ("Amélie",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("E-EMPTY", None, None, None)]),
        ("id\n", [("E-EMPTY-ROWS", None, None, None)]),
        ("name\na\n", [("E-COL-MISSING", 1, "id", None)]),
        ("id,x\na,1\n,2\n", [("E-CELL-EMPTY", 3, "id", "")]),
        ("id\na\nb\u200b\n", [("E-ID-HIDDEN", 3, "id", "b\\u200b")]),
        ("id\na\n b\n", [("E-ID-HIDDEN", 3, "id", " b")]),
        ("id;x\na;1\n", [("E-DELIM", 1, None, None)]),
    ],
)
def test_ids_that_no_participant_could_write(text: str, expected: list[tuple[str, int, str, str]]) -> None:
    with pytest.raises(InputRefused) as caught:
        index_from(text)
    assert told(caught.value.issues) == expected
    assert str(caught.value) == f"the file cannot be used: {expected[0][0]} × 1"


def test_repeated_keys() -> None:
    with pytest.raises(InputRefused) as caught:
        index_from("box,name\n7,j\n7,i\n", boxes(), name="name")
    assert told(caught.value.issues) == [("E-ID-DUP", 3, "box", "7")]


def test_attributes_of_each_case() -> None:
    text = "site,id,sex,patient,Usage,age\nlyon,a,F,p2,Public,1\n,b,,p1,Private,2\nnice,c,M,p2,Public,1\nx,zz,x,x,x,x\n"
    cases = CasesSpec(id="id", cluster="patient", site="site", subgroups=("sex", "age"), split="Usage")
    found = attributes_from(text, cases, BY_VALUE)
    assert found.cluster_ids == ("p1", "p2")
    assert found.cluster.tolist() == [0, 1, 1]
    assert found.site is not None
    assert found.site.labels == ("lyon", "nice")
    assert found.site.codes.tolist() == [-1, 0, 1]
    assert found.subgroups["sex"].labels == ("F", "M")
    assert found.subgroups["sex"].codes.tolist() == [-1, 0, 1]
    assert found.subgroups["age"].codes.tolist() == [1, 0, 0]
    assert found.split.labels == ("public", "private")
    assert found.split.codes.tolist() == [1, 0, 0]


def test_without_columns_each_case_is_its_own_cluster() -> None:
    found = attributes_from("id\na\n", CasesSpec(id="id"))
    assert found.cluster_ids == ("a", "b", "c")
    assert found.cluster.tolist() == [1, 0, 2]
    assert found.site is None
    assert found.subgroups == {}
    assert found.split.labels == ()
    assert found.split.codes.tolist() == [0, 0, 0]


def test_several_rows_of_a_case_must_agree() -> None:
    cases = CasesSpec(id="id", cluster="patient")
    found = attributes_from("id,patient\na,p\na,p\nb,q\nc,q\nb,q\n", cases)
    assert found.cluster.tolist() == [1, 0, 1]
    with pytest.raises(InputRefused) as caught:
        attributes_from("id,patient\na,p\na,q\nb,q\nc,q\n", cases)
    assert told(caught.value.issues) == [("E-CASE-CONFLICT", 3, "patient", "q")]
    assert caught.value.issues.errors[0].fields == {"case": "a", "first": "p"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id,patient,Usage\na,p,Public\nc,p,Public\n", [("E-ID-MISSING", None, "id", "b")]),
        ("id,patient\na,p\nb,p\nc,p\n", [("E-COL-MISSING", 1, "Usage", None)]),
        ("id,patient,Usage\na,p,Public\nb,q,Private\nc,q,private\n", [("E-SPLIT-VALUE", None, "Usage", "private")]),
        ("id,patient,Usage\na,,Public\nb,q,Private\nc,q,Private\n", [("E-CLUSTER-EMPTY", None, "patient", "a")]),
        ("id,patient,Usage\na,p,Public\nb,p,Public\nc,q,Public\n", [("E-SPLIT-EMPTY", None, None, "private")]),
        ("id,patient,Usage\na,p,Public\nb,p,Private\nc,q,Public\n", [("E-SPLIT-CLUSTER", None, None, "p")]),
    ],
)
def test_attributes_that_cannot_be_used(text: str, expected: list[tuple[str, int, str, str]]) -> None:
    with pytest.raises(InputRefused) as caught:
        attributes_from(text, CasesSpec(id="id", cluster="patient", split="Usage"), BY_VALUE)
    assert told(caught.value.issues) == expected


def test_splits_drawn_never_divide_a_cluster_and_depend_on_the_seed_alone() -> None:
    ids = [f"c{i:03d}" for i in range(400)]
    text = "id,patient\n" + "".join(f"{case},p{i % 100}\n" for i, case in enumerate(ids))
    listed = "id\n" + "\n".join(ids)
    cases = CasesSpec(id="id", cluster="patient")
    first, again, other = (attributes_from(text, cases, BY_SHARE, listed, seed) for seed in (1, 1, 2))
    assert first.split.codes.tolist() == again.split.codes.tolist()
    assert first.split.codes.tolist() != other.split.codes.tolist()
    assert first.split.codes.tolist() == first.split.codes.tolist()[:100] * 4
    assert [(first.split.codes == i).sum() for i in (0, 1)] == [200, 200]


def test_splits_by_value_and_by_share_do_not_mix() -> None:
    cases = CasesSpec(id="id", split="Usage")
    with pytest.raises(ValueError, match="a value for each split"):
        attributes_from("id,Usage\na,Public\n", cases, (BY_VALUE[0], BY_SHARE[1]))
    with pytest.raises(ValueError, match=r"need cases\.split"):
        attributes_from("id,Usage\na,Public\n", CasesSpec(id="id"), BY_VALUE)


PHOTOS = replace(boxes(key=("photo",)), case="lesion", combine="mean")


def test_a_lesion_without_a_photo() -> None:
    with pytest.raises(InputRefused) as caught:
        index_from("lesion,photo\nl1,p1\nl2,\nl1,p2\nl3, \n", PHOTOS, name="lesion")
    assert told(caught.value.issues) == [("E-KEY-EMPTY", 3, "photo", ""), ("E-KEY-EMPTY", 5, "photo", " ")]
    words = explain(caught.value.issues.errors[0].to_json())
    assert words.text == "The case l2 is listed without a photo."


def test_a_photo_of_two_lesions() -> None:
    with pytest.raises(InputRefused) as caught:
        index_from("lesion,photo\nl1,p1\nl2,p1\n", PHOTOS, name="lesion")
    assert told(caught.value.issues) == [("E-ID-DUP", 3, "photo", "p1")]


LESIONS = CasesSpec(id="lesion", cluster="patient", subgroups=("phototype",), split="Usage")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("l1,p,II,Public\nl1,p,III,Public\nl2,q,I,Private\n", [("E-CASE-CONFLICT", 3, "phototype", "III")]),
        ("l1,p,II,Public\nl1,q,II,Public\nl2,q,I,Private\n", [("E-CASE-CONFLICT", 3, "patient", "q")]),
        ("l1,p,II,Public\nl1,p,II,Private\nl2,q,I,Private\n", [("E-CASE-CONFLICT", 3, "Usage", "Private")]),
        ("l1,p,II,Public\nl1,p,II,Public\nl2,p,I,Private\n", [("E-SPLIT-CLUSTER", None, None, "p")]),
    ],
)
def test_photos_of_one_lesion_that_disagree(rows: str, expected: list[tuple[str, int, str, str]]) -> None:
    index = index_from("lesion,photo\nl1,p1\nl1,p2\nl2,p3\n", PHOTOS, name="lesion")
    text = "lesion,patient,phototype,Usage\n" + rows
    with pytest.raises(InputRefused) as caught:
        read_attributes(io.BytesIO(text.encode()), index=index, cases=LESIONS, splits=BY_VALUE, seed=1)
    assert told(caught.value.issues) == expected
