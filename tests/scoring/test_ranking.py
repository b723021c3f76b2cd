"""Ranks, rank intervals and tie groups on arrays small enough to see."""

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring.ranking import bayes_factor, first_share, group_ranks, paired_p, rank_intervals, ranks, tie_groups

NAN = float("nan")


def array(*values: float) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)


def test_ranks_are_one_more_than_the_number_of_better_teams() -> None:
    assert ranks(array(0.5, 0.9, 0.5, 0.1), "higher").tolist() == [2, 1, 2, 4]
    assert ranks(array(0.5, 0.9, 0.5, 0.1), "lower").tolist() == [2, 4, 2, 1]


def test_equal_at_twelve_digits_is_equal() -> None:
    assert ranks(array(0.1 + 0.2, 0.3, 0.3 + 1e-11), "higher").tolist() == [2, 2, 1]


def test_undefined_never_ranks() -> None:
    assert ranks(array(NAN, 0.9, NAN, 0.1), "higher").tolist() == [0, 1, 0, 2]
    assert ranks(array(NAN, NAN), "lower").tolist() == [0, 0]
    assert ranks(array(), "lower").tolist() == []


def test_each_resample_is_ranked_by_itself() -> None:
    replicates = np.array([[0.9, 0.1, NAN], [0.5, 0.5, 0.5], [0.5, 0.6, 0.7]])
    assert ranks(replicates, "higher").tolist() == [[1, 3, 0], [2, 2, 2], [2, 1, 1]]


def test_minus_zero_is_zero() -> None:
    assert ranks(array(-0.0, 0.0), "higher").tolist() == [1, 1]


def test_rank_intervals_hold_the_middle_of_the_ranks() -> None:
    draws = 1000
    leads = np.arange(draws) % 100 != 0
    replicates = np.array([np.where(leads, 0.9, 0.4), np.full(draws, 0.5), np.full(draws, 0.1)])
    low, high = rank_intervals(replicates, "higher", 0.95)
    assert (low.tolist(), high.tolist()) == ([1, 2, 3], [1, 2, 3])
    low, high = rank_intervals(replicates, "higher", 0.99)
    assert (low.tolist(), high.tolist()) == ([1, 1, 3], [2, 2, 3])


def test_rank_intervals_round_outwards() -> None:
    replicates = np.array([[2.0, 0.0, 2.0], [1.0, 1.0, 1.0]])
    low, high = rank_intervals(replicates, "higher", 0.5)
    assert (low.tolist(), high.tolist()) == ([1, 1], [2, 2])


def test_resamples_without_a_value_say_nothing_about_the_rank() -> None:
    replicates = np.array([[NAN, 0.2, 0.2, 0.2], [0.1, 0.1, 0.1, 0.1], [NAN] * 4])
    low, high = rank_intervals(replicates, "higher")
    assert (low.tolist(), high.tolist()) == ([1, 1, 0], [1, 2, 0])


def test_share_of_resamples_in_which_a_team_is_first() -> None:
    replicates = np.array([[3.0, 3, 1, NAN], [2, 3, 2, NAN], [NAN, 0, 0, NAN]])
    assert first_share(replicates, "higher").tolist() == [2 / 3, 2 / 3, 0.0]
    assert first_share(replicates, "lower").tolist() == [0.0, 1 / 3, 2 / 3]
    assert np.isnan(first_share(np.full((2, 3), NAN), "higher")).all()


def test_paired_p_is_twice_the_smaller_side() -> None:
    leader = np.zeros(1000)
    other = np.where(np.arange(1000) < 20, 1.0, -1.0)
    assert paired_p(leader, np.array([other, -other, leader])).tolist() == [0.04, 0.04, 1.0]


def test_paired_p_leaves_out_what_is_undefined() -> None:
    leader, other = array(1, 1, 1, NAN), array(0, 0, NAN, 0)
    assert paired_p(leader, other[None]).tolist() == [0.0]
    assert paired_p(leader, np.full((1, 4), NAN)).tolist() == [1.0]


def test_bayes_factor_is_the_share_won_over_the_share_lost() -> None:
    leader = np.zeros(8)
    others = np.array([[-1.0] * 6 + [1] * 2, [1] * 6 + [-1] * 2, [0] * 8, [-1] * 8, [-1] * 4 + [0] * 4])
    assert bayes_factor(leader, others).tolist() == [3.0, 3.0, 1.0, np.inf, 3.0]


def noisy(means: list[float], spread: float, draws: int = 2000) -> NDArray[np.float64]:
    rng = np.random.default_rng(0)
    return np.array(means)[:, None] + rng.normal(scale=spread, size=(len(means), draws))


def test_groups_are_led_by_the_best_unplaced_team() -> None:
    """Neighbours are never separable here, but the third is from the first: it leads a group of its own."""
    means = [0.90, 0.89, 0.88, 0.87]
    groups = tie_groups(np.array(means), noisy(means, 0.006), "higher", "bootstrap")
    assert groups.tolist() == [1, 1, 2, 2]


def test_a_group_ends_at_the_first_separable_team_even_if_a_later_one_is_not() -> None:
    replicates = np.array([[0.5] * 100, [0.4] * 100, [0.0] * 50 + [0.9] * 50])
    assert tie_groups(array(0.5, 0.4, 0.3), replicates, "higher", "bootstrap").tolist() == [1, 2, 2]


def test_groups_do_not_depend_on_the_order_of_teams() -> None:
    means = [0.90, 0.89, 0.88, 0.87, 0.80]
    replicates, order = noisy(means, 0.006), [3, 0, 4, 2, 1]
    groups = tie_groups(np.array(means), replicates, "higher", "bayes")
    shuffled = tie_groups(np.array(means)[order], replicates[order], "higher", "bayes")
    assert shuffled.tolist() == groups[order].tolist()


def test_lower_is_better_gives_the_same_groups_upside_down() -> None:
    means = [0.90, 0.89, 0.88, 0.87]
    values, replicates = np.array(means), noisy(means, 0.006)
    for rule in ("bootstrap", "bayes", "exact"):
        turned = tie_groups(-values, -replicates, "lower", rule)
        assert turned.tolist() == tie_groups(values, replicates, "higher", rule).tolist()


def test_bayes_separates_above_a_factor_of_three() -> None:
    leader = np.zeros(8)
    at_three, above = np.array([-1.0] * 6 + [1] * 2), np.array([-1.0] * 7 + [1])
    assert tie_groups(array(0.5, 0.4), np.array([leader, at_three]), "higher", "bayes").tolist() == [1, 1]
    assert tie_groups(array(0.5, 0.4), np.array([leader, above]), "higher", "bayes").tolist() == [1, 2]


def test_exact_needs_no_resamples() -> None:
    values = array(0.3, 0.1 + 0.2, 0.2, NAN)
    assert tie_groups(values, np.zeros((4, 0)), "higher", "exact").tolist() == [1, 1, 2, 0]


def test_without_resamples_nothing_else_is_separable() -> None:
    assert tie_groups(array(0.9, 0.1), np.zeros((2, 0)), "higher", "bootstrap").tolist() == [1, 1]
    assert tie_groups(array(0.9, 0.1), np.full((2, 5), NAN), "higher", "bayes").tolist() == [1, 1]


def test_teams_of_equal_value_are_never_separated() -> None:
    replicates = np.array([[1.0] * 10, [2.0] * 10])
    assert tie_groups(array(0.5, 0.5), replicates, "higher", "bootstrap").tolist() == [1, 1]


def test_alpha_is_the_organisers() -> None:
    replicates = np.array([[0.0] * 100, [1.0] * 4 + [-1.0] * 96])
    assert tie_groups(array(0.5, 0.4), replicates, "higher", "bootstrap", alpha=0.05).tolist() == [1, 1]
    assert tie_groups(array(0.5, 0.4), replicates, "higher", "bootstrap", alpha=0.08).tolist() == [1, 2]


def test_a_group_shares_the_rank_of_its_leader() -> None:
    assert group_ranks(np.array([1, 2, 2, 0, 3, 1])).tolist() == [1, 3, 3, 0, 5, 1]
    assert group_ranks(np.array([], dtype=np.int64)).tolist() == []


def test_nobody_ranked_gives_no_groups() -> None:
    assert tie_groups(array(NAN, NAN), np.full((2, 3), NAN), "higher", "bootstrap").tolist() == [0, 0]


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_level_outside_0_to_1_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="level must lie between 0 and 1"):
        rank_intervals(np.zeros((2, 3)), "higher", level)


def test_unknown_words_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown direction 'up': use higher or lower"):
        ranks(array(1.0), "up")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown tie rule 'wilcoxon': use bootstrap, bayes or exact"):
        tie_groups(array(1.0), np.zeros((1, 2)), "higher", "wilcoxon")  # type: ignore[arg-type]
