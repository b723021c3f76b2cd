"""A small cell that is kept back does not follow from the others."""

import itertools
import random

from app.domain.suppression import Cell, companions, variable_of


def cells(variable: str, *counts: int, least: int = 10) -> list[Cell]:
    """One cell per count, named a, b, c, …"""
    return [
        Cell(f"{variable}{chr(ord('a') + place)}", count, count, count < least) for place, count in enumerate(counts)
    ]


def test_a_single_small_cell_takes_the_next_smallest_with_it() -> None:
    assert companions(cells("subgroup:sex=", 9, 200)) == {"subgroup:sex=b"}
    assert companions(cells("subgroup:age=", 80, 3, 40, 60)) == {"subgroup:age=c"}
    assert companions(cells("site:", 12, 100, 4)) == {"site:a"}


def test_two_small_cells_protect_each_other_and_none_needs_nothing() -> None:
    assert companions(cells("subgroup:age=", 3, 4, 90)) == frozenset()
    assert companions(cells("subgroup:age=", 30, 40, 90)) == frozenset()
    assert companions(cells("subgroup:age=", 3)) == frozenset()
    assert companions([]) == frozenset()


def test_variables_are_looked_at_one_by_one_and_the_whole_is_no_cell() -> None:
    whole = [Cell("all", 300, 300, False), Cell("split:public", 5, 5, True)]
    found = companions([*whole, *cells("subgroup:sex=", 9, 200), *cells("site:", 100, 109), *cells("subgroup:s=", 1)])
    assert found == {"subgroup:sex=b"}


def test_an_empty_cell_hides_nothing_where_there_is_another() -> None:
    assert companions([Cell("site:a", 4, 4, True), Cell("site:b", 0, 0, False), Cell("site:c", 50, 50, False)]) == {
        "site:c"
    }
    assert companions([Cell("site:a", 4, 4, True), Cell("site:b", 0, 0, False)]) == {"site:b"}


def test_clusters_count_before_cases_and_equal_cells_go_by_name() -> None:
    small = Cell("site:x", 2, 2, True)
    assert companions([small, Cell("site:a", 20, 19, False), Cell("site:b", 90, 12, False)]) == {"site:b"}
    assert companions([small, Cell("site:b", 20, 20, False), Cell("site:a", 20, 20, False)]) == {"site:a"}


def test_no_small_cell_can_be_had_by_subtraction() -> None:
    draw = random.Random(3)
    for _ in range(300):
        made = cells("subgroup:age=", *(draw.randrange(1, 40) for _ in range(draw.randrange(2, 6))))
        small = {cell.slice for cell in made if cell.small}
        hidden = small | companions(made)
        assert len(hidden) != 1
        assert hidden >= small and len(hidden) <= max(len(small), 2)
        again = companions(itertools.chain(made, reversed(made)))
        assert again == hidden - small


def test_the_variable_of_a_slice() -> None:
    assert [variable_of(name) for name in ("all", "split:public", "site:lyon", "subgroup:sex=F", "subgroup:a=b=c")] == [
        None,
        None,
        "site",
        "subgroup:sex",
        "subgroup:a",
    ]
