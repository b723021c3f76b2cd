"""Places on a board, and whether two entries can be told apart."""

import numpy as np

from app.domain.ranking import Apart, Candidate, apart, places
from scoring.ranking import paired_p

GENERATOR = np.random.default_rng(7)
NOISE = GENERATOR.normal(0, 0.01, 200)


def candidate(key: str, value: float | None, *, shift: float = 0.0, ranks: bool = True) -> Candidate:
    replicates = None if value is None else value + NOISE + shift * GENERATOR.normal(0, 1, 200)
    return Candidate(key, value, replicates, ranks)


def board(*candidates: Candidate, closed: bool = False) -> list[tuple[str, int | None, bool]]:
    found = places(candidates, direction="higher", closed=closed, rule="bootstrap", alpha=0.05)
    return [(place.key, place.rank, place.tied) for place in found]


def test_baselines_have_a_place_and_no_rank() -> None:
    found = board(candidate("a", 0.9), candidate("base", 0.8, ranks=False), candidate("b", 0.7))
    assert found == [("a", 1, False), ("base", None, False), ("b", 2, False)]


def test_equal_values_share_a_rank() -> None:
    assert board(candidate("a", 0.9), candidate("b", 0.9), candidate("c", 0.1)) == [
        ("a", 1, True),
        ("b", 1, True),
        ("c", 3, False),
    ]


def test_teams_that_cannot_be_told_apart_share_a_rank_only_when_closed() -> None:
    teams = candidate("a", 0.801, shift=0.05), candidate("b", 0.800, shift=0.05), candidate("c", 0.3)
    assert board(*teams) == [("a", 1, False), ("b", 2, False), ("c", 3, False)]
    assert board(*teams, closed=True) == [("a", 1, True), ("b", 1, True), ("c", 3, False)]


def test_undefined_stands_last_without_rank() -> None:
    found = places(
        [Candidate("a", None, None, True), Candidate("b", 0.0, None, True)],
        direction="higher",
        closed=False,
        rule="bootstrap",
        alpha=0.05,
    )
    assert [(place.key, place.rank, place.rank_low) for place in found] == [("b", 1, None), ("a", None, None)]


def test_an_undefined_team_takes_no_rank_interval_and_no_tie_from_the_others() -> None:
    teams = candidate("a", 0.801, shift=0.05), candidate("b", 0.800, shift=0.05), candidate("c", 0.3)
    for closed in (False, True):
        options = {"direction": "higher", "closed": closed, "rule": "bootstrap", "alpha": 0.05}
        alone = places(teams, **options)  # type: ignore[arg-type]
        found = places([*teams, Candidate("u", None, None, True)], **options)  # type: ignore[arg-type]
        assert found[:-1] == alone
        assert (found[-1].rank, found[-1].rank_low) == (None, None)


def test_lower_is_better() -> None:
    found = places(
        [candidate("a", 0.9), candidate("b", 0.1)], direction="lower", closed=False, rule="exact", alpha=0.05
    )
    assert [(place.key, place.rank, place.rank_low, place.rank_high) for place in found] == [
        ("b", 1, 1, 1),
        ("a", 2, 2, 2),
    ]


def test_an_empty_board() -> None:
    assert board() == []


def test_the_interval_of_a_difference_leaves_out_zero_exactly_where_the_paired_test_separates() -> None:
    draw = np.random.default_rng(11)
    told = set()
    for shift in np.linspace(-0.2, 0.2, 41):
        # Few levels, so that some resamples are equal.
        after, before = (np.round(draw.normal(0.8, 0.02, 200), 2) for _ in range(2))
        found = apart(0.8 + shift, 0.8, drawn=np.round(after + shift, 2), before=before, alpha=0.05)
        assert found is not None
        separable = shift != 0 and bool(paired_p(np.round(after + shift, 2), before[None])[0] <= 0.05)
        assert (found.separable, found.difference) == (separable, round(shift, 12))
        assert found.low <= found.high
        told.add(separable)
    assert told == {False, True}
    clear = apart(0.9, 0.8, drawn=NOISE + 0.9, before=NOISE + 0.8, alpha=0.05)
    assert clear == Apart(0.1, 0.1, 0.1, True)


def test_equal_values_are_never_told_apart() -> None:
    assert apart(0.8, 0.8, drawn=NOISE + 0.9, before=NOISE + 0.8, alpha=0.05) == Apart(0.0, 0.1, 0.1, False)


def test_nothing_is_said_without_paired_resamples() -> None:
    none = np.full(200, np.nan)
    assert apart(0.8, 0.7, drawn=none, before=NOISE, alpha=0.05) is None
    assert apart(0.8, 0.7, drawn=NOISE[:100], before=NOISE, alpha=0.05) is None
    assert apart(0.8, 0.7, drawn=np.full(200, np.inf), before=NOISE, alpha=0.05) is None
    noise = NOISE.round(6)
    some = np.where(np.arange(200) < 100, np.nan, noise + 0.1)
    assert apart(0.8, 0.7, drawn=some, before=noise, alpha=0.05) == Apart(0.1, 0.1, 0.1, True)
