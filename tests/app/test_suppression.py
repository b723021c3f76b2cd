"""A small cell that is kept back does not follow from the others."""

import random

from app.domain.suppression import Cell, companions, variable_of


def cells(variable: str, *counts: int, least: int = 10) -> list[Cell]:
    """One cell per count, named a, b, c, …"""
    return [
        Cell(f"{variable}{chr(ord('a') + place)}", count, count, count < least) for place, count in enumerate(counts)
    ]


def kept_back(made: list[Cell], *, least: int = 10) -> set[str]:
    """The last letters of the companions."""
    return {slice[-1] for slice in companions(made, least=least)}


def whole(cases: int, clusters: int | None = None) -> Cell:
    return Cell("all", cases, cases if clusters is None else clusters, False)


def test_a_single_small_cell_takes_the_next_smallest_with_it() -> None:
    assert companions(cells("subgroup:sex=", 9, 200), least=10) == {"subgroup:sex=b"}
    assert companions(cells("subgroup:age=", 80, 3, 40, 60), least=10) == {"subgroup:age=c"}
    assert companions(cells("site:", 12, 100, 4), least=10) == {"site:a"}


def test_small_cells_that_are_small_together_take_another_with_them() -> None:
    assert kept_back([*cells("subgroup:g=", 2, 3, 100), whole(105)]) == {"c"}
    assert kept_back([*cells("subgroup:g=", 2, 3, 100, 90), whole(195)]) == {"d"}
    # Twelve together are enough after the freeze, and too few on a live board.
    assert kept_back([*cells("subgroup:g=", 5, 7, 90, 80), whole(182)]) == set()
    assert kept_back([*cells("subgroup:g=", 5, 7, 90, 80), whole(182)], least=20) == {"d"}
    assert kept_back(cells("subgroup:g=", 30, 40, 90)) == set()
    assert kept_back(cells("subgroup:g=", 3)) == set()
    assert kept_back([]) == set()


def test_a_few_cases_without_a_group_take_a_cell_with_them() -> None:
    made = cells("subgroup:sex=", 120, 100)
    assert kept_back([*made, whole(223)]) == {"b"}
    assert kept_back([*made, whole(232)]) == set()
    assert kept_back([*made, whole(232)], least=20) == {"b"}
    assert kept_back([*made, whole(220)]) == set()
    # A small cell and many cases without a group: they are a part like any other.
    assert kept_back([*cells("subgroup:sex=", 4, 100), whole(150)]) == set()
    assert kept_back([*cells("subgroup:sex=", 4, 100), whole(107)]) == {"b"}


def test_further_cells_are_kept_back_until_enough_is_hidden_and_all_where_it_never_is() -> None:
    assert kept_back([*cells("site:", 3, 6, 7, 8, 100, least=4), whole(124)], least=10) == {"b", "c"}
    assert kept_back([*cells("site:", 2, 6, 8, least=4), whole(16)], least=20) == {"b", "c"}


def test_patients_with_cases_in_two_cells_are_counted_once() -> None:
    both = [Cell("site:a", 5, 5, True), Cell("site:b", 6, 6, True), Cell("site:c", 90, 90, False)]
    # a and b may be the same six patients: 101 cases of 95 patients.
    assert kept_back([*both, whole(101, 95)]) == {"c"}
    assert kept_back([*both, whole(101, 101)]) == set()
    large = [Cell("subgroup:eye=a", 100, 100, False), Cell("subgroup:eye=b", 100, 100, False)]
    assert kept_back([*large, whole(200, 100)]) == set()
    # Thirty cases without a group, of nobody knows how many patients.
    assert kept_back([*large, whole(230, 110)]) == {"a"}


def test_variables_are_looked_at_one_by_one_and_the_whole_is_no_cell() -> None:
    made = [whole(209), Cell("split:public", 5, 5, True), *cells("subgroup:sex=", 9, 200), *cells("site:", 100, 109)]
    assert companions([*made, *cells("subgroup:s=", 1)], least=10) == {"subgroup:sex=b"}


def test_an_empty_cell_hides_nothing_where_there_is_another() -> None:
    made = [Cell("site:a", 4, 4, True), Cell("site:b", 0, 0, False)]
    assert kept_back([*made, Cell("site:c", 50, 50, False)]) == {"c"}
    assert kept_back(made) == {"b"}


def test_clusters_count_before_cases_and_equal_cells_go_by_name() -> None:
    small = Cell("site:x", 2, 2, True)
    assert kept_back([small, Cell("site:a", 20, 19, False), Cell("site:b", 90, 12, False)]) == {"b"}
    assert kept_back([small, Cell("site:b", 20, 20, False), Cell("site:a", 20, 20, False)]) == {"a"}


def test_a_cell_that_is_small_for_one_metric_is_small() -> None:
    twice = [Cell("site:a", 4, 4, True), Cell("site:a", 4, 4, False), Cell("site:b", 50, 50, False)]
    assert companions(twice, least=10) == companions(twice[::-1], least=10) == {"site:b"}


def test_what_follows_by_subtraction_is_never_few_patients() -> None:
    draw = random.Random(3)
    for _ in range(400):
        n, groups, least = draw.randrange(15, 90), draw.randrange(2, 6), draw.choice((10, 20))
        patients = [draw.randrange(draw.choice((n // 2, n, 4 * n))) for _ in range(n)]
        codes = [min(int(draw.expovariate(0.8)), groups) - 1 for _ in range(n)]  # -1: no group
        found = [sliced(f"site:{code}", code, codes, patients, least=least) for code in range(groups)]
        made = [cell for cell in found if cell.n_cases]
        small = {cell.slice for cell in made if cell.small}
        total = Cell("all", n, len(set(patients)), False)
        hidden = small | companions([total, *made], least=least)
        assert hidden == small | companions([*reversed(made), total], least=least)
        shown = {cell.slice for cell in made} - hidden
        left = {patient for patient, code in zip(patients, codes, strict=True) if f"site:{code}" not in shown}
        assert not left or not shown or len(left) >= least


def sliced(name: str, code: int, codes: list[int], patients: list[int], *, least: int) -> Cell:
    mine = [patient for patient, other in zip(patients, codes, strict=True) if other == code]
    return Cell(name, len(mine), len(set(mine)), len(set(mine)) < least)


def test_the_variable_of_a_slice() -> None:
    assert [variable_of(name) for name in ("all", "split:public", "site:lyon", "subgroup:sex=F", "subgroup:a=b=c")] == [
        None,
        None,
        "site",
        "subgroup:sex",
        "subgroup:a",
    ]
