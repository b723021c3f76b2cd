"""Which split each case is in: by the organiser's own column, or drawn by cluster from the seed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scoring.issues import Tell
from scoring.resampling import draw_splits
from scoring.spec import SplitSpec

Codes = NDArray[np.intp]


def split_by_value(values: Sequence[str], splits: Sequence[SplitSpec], *, ids: Sequence[str], tell: Tell) -> Codes:
    """(n,) position in `splits` of the split with each case's value; E-SPLIT-VALUE where none has it (-1)."""
    place = {split.value: i for i, split in enumerate(splits)}
    codes = [place.get(value, -1) for value in values]
    for case, value, code in zip(ids, values, codes, strict=True):
        if code < 0:
            tell("E-SPLIT-VALUE", value=value, case=case, expected=", ".join(str(split.value) for split in splits))
    return np.array(codes, dtype=np.intp)


def split_by_share(cluster: Codes, clusters: int, splits: Sequence[SplitSpec], *, seed: int) -> Codes:
    """(n,) position in `splits`, drawn so that a cluster is never divided. `cluster`: (n,) codes below `clusters`.

    One split may leave its share open: it gets what the others leave. Raises ValueError where shares do not sum to 1.
    """
    told = [split.share for split in splits if split.share is not None]
    if len(told) < len(splits) - 1:
        raise ValueError("at most one split may leave its share open")
    shares = [max(0.0, 1 - sum(told)) if split.share is None else split.share for split in splits]
    return draw_splits(seed=seed, shares=shares, clusters=clusters)[cluster]


def check_splits(
    codes: Codes, cluster: Codes, *, splits: Sequence[SplitSpec], cluster_ids: Sequence[str], tell: Tell
) -> None:
    """E-SPLIT-EMPTY for a split without any case, E-SPLIT-CLUSTER for each cluster that stands in several splits.

    A patient on both sides lets scores on the public split tell about the private one, and is drawn twice in resamples.
    """
    for i, split in enumerate(splits):
        if not (codes == i).any():
            tell("E-SPLIT-EMPTY", value=split.name)
    low, high = np.full(len(cluster_ids), len(splits)), np.full(len(cluster_ids), -1)
    known = codes >= 0
    np.minimum.at(low, cluster[known], codes[known])
    np.maximum.at(high, cluster[known], codes[known])
    for i in np.flatnonzero(low < high).tolist():
        tell("E-SPLIT-CLUSTER", value=cluster_ids[i], first=splits[low[i]].name, second=splits[high[i]].name)
