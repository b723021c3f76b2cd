"""The resample plan: pinned bytes, unbiased draws, strata that never change size."""

import numpy as np
import pytest

import scoring.resampling
from scoring.resampling import ResamplePlan, draw_splits, make_plan

IDS = [f"p{i:02d}" for i in range(20)]
STRATA = np.array([0, 1] * 6 + [0] * 8)
GOLDEN_ROW = [1, 0, 1, 0, 1, 2, 0, 1, 3, 0, 0, 3, 1, 0, 1, 0, 0, 2, 1, 3]
GOLDEN_DIGEST = "b47f0d933f7f42a8f44f390ac423e3928c9dd7a72d2ac98aaae4f869de8cf731"
GOLDEN_SPLITS = [1, 0, 1, 1, 1, 1, 0, 1, 0, 1]


def plan(seed: int = 2026, replicates: int = 50) -> ResamplePlan:
    return make_plan(seed=seed, replicates=replicates, cluster_ids=IDS, strata=STRATA)


def test_golden_plan() -> None:
    """If this changes, every stored interval was drawn otherwise than now: never adapt it without a new version."""
    made = plan()
    assert made.counts[0].tolist() == GOLDEN_ROW
    assert made.digest == GOLDEN_DIGEST


def test_golden_splits() -> None:
    assert draw_splits(seed=2026, shares=[0.3, 0.7], clusters=10).tolist() == GOLDEN_SPLITS


def test_each_stratum_keeps_its_number_of_clusters() -> None:
    counts = plan().counts
    assert counts.dtype == np.uint16
    assert counts[:, STRATA == 0].sum(axis=1).tolist() == [14] * 50
    assert counts[:, STRATA == 1].sum(axis=1).tolist() == [6] * 50


def test_a_stratum_more_changes_no_other() -> None:
    alone = make_plan(seed=3, replicates=9, cluster_ids=IDS[:8], strata=np.zeros(8, dtype=np.intp))
    both = make_plan(seed=3, replicates=9, cluster_ids=IDS[:12], strata=np.array([0] * 8 + [1] * 4))
    assert both.counts[:, :8].tolist() == alone.counts.tolist()


def test_the_first_resamples_do_not_depend_on_how_many_are_drawn() -> None:
    few = make_plan(seed=3, replicates=9, cluster_ids=IDS[:8], strata=np.zeros(8, dtype=np.intp))
    more = make_plan(seed=3, replicates=90, cluster_ids=IDS[:8], strata=np.zeros(8, dtype=np.intp))
    assert more.counts[:9].tolist() == few.counts.tolist()


def test_the_chunk_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = plan().digest
    monkeypatch.setattr(scoring.resampling, "_CHUNK", 1)
    assert plan().digest == expected


def test_seed_ids_and_strata_are_in_the_digest() -> None:
    other_ids = make_plan(seed=2026, replicates=50, cluster_ids=[f"q{i:02d}" for i in range(20)], strata=STRATA)
    renamed = make_plan(seed=2026, replicates=50, cluster_ids=IDS, strata=STRATA + 5)
    assert len({plan().digest, plan(seed=1).digest, plan(replicates=49).digest, other_ids.digest, renamed.digest}) == 5


def test_every_integer_is_equally_likely() -> None:
    """Chi-square over 13 values stays below its 99.9 % point, 32.9 at 12 degrees of freedom."""
    k, n = 13, 260_000
    drawn = np.bincount(scoring.resampling._integers(np.random.PCG64(5), k, n), minlength=k)
    assert drawn.sum() == n
    assert float(((drawn - n / k) ** 2 / (n / k)).sum()) < 32.9


@pytest.mark.parametrize("k", [1, 2, 7, 1000, 3 * 2**30, 2**32 - 1])
def test_words_are_mapped_by_multiplication_and_those_that_would_favour_some_integers_are_drawn_again(k: int) -> None:
    words = (int(word) >> 32 for word in np.random.PCG64(1).random_raw(4000))
    expected = [word * k >> 32 for word in words if word * k % 2**32 >= 2**32 % k]
    assert scoring.resampling._integers(np.random.PCG64(1), k, 2000).tolist() == expected[:2000]


def test_no_resamples_no_clusters_and_one_cluster() -> None:
    assert plan(replicates=0).counts.shape == (0, 20)
    nobody = make_plan(seed=1, replicates=3, cluster_ids=[], strata=np.zeros(0, dtype=np.intp))
    assert nobody.counts.shape == (3, 0)
    one = make_plan(seed=1, replicates=3, cluster_ids=["p"], strata=np.zeros(1, dtype=np.intp))
    assert one.counts.tolist() == [[1], [1], [1]]


def test_the_plan_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        plan().counts[0, 0] = 9


@pytest.mark.parametrize(
    ("ids", "strata", "told"),
    [
        (["b", "a"], [0, 0], "ascending and unique"),
        (["a", "a"], [0, 0], "ascending and unique"),
        (["a", "b"], [0], "one per cluster"),
        (["a", "b"], [0, -1], "one per cluster"),
    ],
)
def test_clusters_out_of_order_or_without_stratum_are_refused(ids: list[str], strata: list[int], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make_plan(seed=1, replicates=1, cluster_ids=ids, strata=np.array(strata))


@pytest.mark.parametrize(
    ("shares", "clusters", "sizes"),
    [
        ([0.3, 0.7], 10, [3, 7]),
        ([0.3, 0.7], 101, [30, 71]),
        ([0.5, 0.5], 3, [2, 1]),
        ([0.1, 0.2, 0.7], 1, [0, 0, 1]),
        ([1.0], 4, [4]),
        ([0.3, 0.7], 0, [0, 0]),
        ([1 / 3, 1 / 3, 1 / 3], 9, [3, 3, 3]),
    ],
)
def test_splits_have_their_shares_exactly(shares: list[float], clusters: int, sizes: list[int]) -> None:
    codes = draw_splits(seed=11, shares=shares, clusters=clusters)
    assert np.bincount(codes, minlength=len(shares)).tolist() == sizes


@pytest.mark.parametrize("shares", [[], [0.3, 0.6], [1.2, -0.2], [float("nan"), 1.0]])
def test_shares_that_are_none_are_refused(shares: list[float]) -> None:
    with pytest.raises(ValueError, match="shares of splits must be 0 or more and sum to 1"):
        draw_splits(seed=1, shares=shares, clusters=5)


def test_another_seed_gives_another_split() -> None:
    assert (
        draw_splits(seed=1, shares=[0.5, 0.5], clusters=40).tolist()
        != draw_splits(seed=2, shares=[0.5, 0.5], clusters=40).tolist()
    )
