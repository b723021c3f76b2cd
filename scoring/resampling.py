"""Which clusters stand in which resample: drawn once per phase, the same for every team and metric.

Every comparison is therefore paired. Draws come from the raw 64-bit stream of PCG64, mapped to integers here, because
the methods of numpy's `Generator` may change their streams between releases while bit generators may not.
"""

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.ma  # np.unique loads it when first called, which in a sandbox is when somebody waits
from numpy.typing import NDArray

_RESAMPLE, _SPLIT = 0, 1  # first word of the spawn key: a split is never drawn from the stream of a resample
_CHUNK = 1 << 20  # draws held at once: 8 MiB
_WORDS = 1 << 13  # raw words held at once: few enough to stay in the cache
_HALF, _FRACTION = np.uint64(32), np.uint64(2**32 - 1)


@dataclass(frozen=True, eq=False)
class ResamplePlan:
    """How often each cluster stands in each resample.

    `by_cluster`: (K, B) uint16, read-only; rows in the order of `cluster_ids` (ascending). It lies in memory this way
    round: to repeat the row of a cluster for its cases is to copy it. Within each stratum every resample has as many
    clusters as the stratum. `strata`: (K,) intp, the stratum of each cluster.
    `digest`: sha256 hex over ids, strata and counts. As secret as the reference: with it, scores give labels away.
    """

    by_cluster: NDArray[np.uint16]
    cluster_ids: tuple[str, ...]
    strata: NDArray[np.intp]
    digest: str

    @property
    def counts(self) -> NDArray[np.uint16]:
        """`by_cluster` turned, (B, K): a view of the same numbers, which may be too many to be held twice."""
        return self.by_cluster.T


def make_plan(*, seed: int, replicates: int, cluster_ids: Sequence[str], strata: NDArray[np.intp]) -> ResamplePlan:
    """Draw clusters with replacement within each stratum (stratum = split, so that no split changes its size).

    `seed` >= 0; `replicates` = B >= 0; `cluster_ids` (K,) strictly ascending; `strata` (K,) codes >= 0. Adding a
    stratum does not change the draws of the others. Raises ValueError where ids are not ascending or shapes differ.
    """
    ids = tuple(cluster_ids)
    codes = np.asarray(strata, dtype=np.intp)
    if codes.shape != (len(ids),) or (codes < 0).any():
        raise ValueError(f"strata must be {len(ids)} codes of 0 or more, one per cluster")
    if any(a >= b for a, b in itertools.pairwise(ids)):
        raise ValueError("cluster ids must be ascending and unique, so that the plan depends on nothing else")
    by_cluster = np.zeros((len(ids), replicates), dtype=np.uint16)
    for stratum in np.unique(codes):
        _draw(_stream(seed, _RESAMPLE, int(stratum)), by_cluster, np.flatnonzero(codes == stratum))
    by_cluster.flags.writeable = False
    return ResamplePlan(by_cluster=by_cluster, cluster_ids=ids, strata=codes, digest=_digest(by_cluster.T, ids, codes))


def draw_splits(*, seed: int, shares: Sequence[float], clusters: int) -> NDArray[np.intp]:
    """Give each of K clusters, in ascending order of id, a split at random: (K,) codes, position in `shares`.

    `shares` sum to 1; sizes are exact (largest remainder, ties to the first). Raises ValueError for other shares.
    """
    wanted = np.asarray(shares, dtype=np.float64)
    if not (wanted.size and (wanted >= 0).all() and abs(wanted.sum() - 1) <= 1e-9):
        raise ValueError(f"shares of splits must be 0 or more and sum to 1, not {list(shares)}")
    exact = np.round(wanted * clusters, 9)
    sizes = np.floor(exact).astype(np.intp)
    left = clusters - int(sizes.sum())
    sizes[np.argsort(sizes - exact, kind="stable")[:left]] += 1
    order = np.argsort(_stream(seed, _SPLIT).random_raw(clusters), kind="stable")
    codes = np.empty(clusters, dtype=np.intp)
    codes[order] = np.repeat(np.arange(wanted.size), sizes)
    return codes


def _stream(seed: int, *key: int) -> np.random.PCG64:
    return np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key))


def _draw(bits: np.random.PCG64, by_cluster: NDArray[np.uint16], rows: NDArray[np.intp]) -> None:
    """Fill `rows` (k,) of each column by k draws of k. The result does not depend on the chunk: draws come in order."""
    k, replicates = len(rows), by_cluster.shape[1]
    where = slice(None) if k == len(by_cluster) else rows
    step = max(1, _CHUNK // k)
    for start in range(0, replicates, step):
        n = min(step, replicates - start)
        drawn = np.empty((n, k), dtype=np.uint16)
        for i, row in enumerate(_integers(bits, k, n * k).reshape(n, k)):
            drawn[i] = np.bincount(row, minlength=k)
        by_cluster[where, start : start + n] = drawn.T


def _integers(bits: np.random.PCG64, k: int, n: int) -> NDArray[np.intp]:
    """(n,) integers in [0, k), each equally likely: multiply-shift with rejection (Lemire 2019, arXiv 1805.10941)."""
    low = np.uint64(2**32 % k)
    out, fractions = np.empty(n, dtype=np.uint64), np.empty(_WORDS, dtype=np.uint64)
    done = 0
    while done < n:
        # In place, because there are millions of draws and each new array costs more than what is done with it.
        product = bits.random_raw(min(n - done, _WORDS))
        product >>= _HALF
        product *= np.uint64(k)
        fraction = np.bitwise_and(product, _FRACTION, out=fractions[: product.size])
        if low and fraction.min() < low:
            product = product[fraction >= low]
        np.right_shift(product, _HALF, out=out[done : done + product.size])
        done += product.size
    return out.view(np.int64).astype(np.intp, copy=False)


def _digest(counts: NDArray[np.uint16], ids: tuple[str, ...], strata: NDArray[np.intp]) -> str:
    digest = hashlib.sha256(b"arbitre plan 1\n")
    digest.update(repr(counts.shape).encode())
    names = [name.encode() for name in ids]
    digest.update(b"".join(len(name).to_bytes(8, "little") + name for name in names))
    digest.update(strata.astype("<i8").tobytes())
    step = max(1, 4 * _CHUNK // max(1, counts.shape[1]))  # uint16: 8 MiB held at once
    for start in range(0, len(counts), step):
        digest.update(np.ascontiguousarray(counts[start : start + step], dtype="<u2").data)
    return digest.hexdigest()
