"""Problems told one by one, but never more of one kind than are kept anyway."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scoring.issues import KEPT, Issue


def listed(wrong: NDArray[np.bool_], tell: Callable[[int], Issue]) -> list[Issue]:
    """An issue for each row that is `wrong`; beyond 50 the last one stands for the others too, by its ``count``."""
    rows = np.flatnonzero(wrong)
    issues = [tell(row) for row in rows[:KEPT].tolist()]
    if len(rows) > KEPT:
        issues[-1] = replace(issues[-1], fields={**issues[-1].fields, "count": len(rows) - KEPT + 1})
    return issues
