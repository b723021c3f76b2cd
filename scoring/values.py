"""One output of one metric on one slice, as it is stored and sent."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Value:
    """`value` rounded to 12 digits, or None and the code of the reason in `undefined`.

    `slice`: ``all``, ``split:<name>``, ``subgroup:<name>=<value>`` or ``site:<id>``. `low`, `high`, `level`: None where
    there is no interval; `interval` then says why (``none:clusters<30``). `n_cases`, `n_clusters`: of the slice; where
    `undefined` is ``cell<10`` they are the true counts, and whoever shows them must show ``<10`` instead.
    """

    metric: str
    output: str
    slice: str
    value: float | None
    undefined: str | None = None
    low: float | None = None
    high: float | None = None
    interval: str | None = None
    level: float | None = None
    n_cases: int = 0
    n_clusters: int = 0

    def to_json(self) -> dict[str, Any]:
        """The keys of the contract, as plain JSON."""
        return asdict(self)
