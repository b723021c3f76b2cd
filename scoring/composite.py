"""A composite score: a weighted sum of outputs of other metrics, on the value and inside each resample alike.

So its interval is right for free, and it can rank. It is computed on outputs as they are stored, to 12 digits.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.metric import Params, ParamsRefused
from scoring.rounding import round12

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Term:
    """weight · the output in this column of the metric of this id."""

    metric: str
    column: int
    weight: float


@dataclass(frozen=True)
class Sum:
    """offset + Σ terms."""

    terms: tuple[Term, ...]
    offset: float

    def of(self, outputs: Mapping[str, Floats]) -> Floats:
        """Metric id -> (..., outputs) becomes (..., 1): nan where a term with another weight than 0 is nan."""
        total = np.asarray(self.offset, dtype=np.float64)
        for term in self.terms:
            if term.weight:
                total = total + term.weight * outputs[term.metric][..., term.column]
        some = next(iter(outputs.values()))
        return round12(np.broadcast_to(total, some.shape[:-1])[..., np.newaxis])


def sum_of(name: str, params: Params, offered: Mapping[str, tuple[str, ...]]) -> Sum:
    """What the composite of id `name` sums up, of what its phase offers: metric id -> outputs, without composites.

    Raises ParamsRefused, naming every term that is none of these. The form of `params` was checked before.
    """
    problems = [text for i, term in enumerate(params["terms"]) for text in _wrong(f"term {i + 1}", term, offered)]
    if problems:
        raise ParamsRefused(f"composite {name}: {'; '.join(problems)}")
    return Sum(tuple(_term(term, offered[term["metric"]]) for term in params["terms"]), float(params["offset"]))


def _wrong(where: str, term: Params, offered: Mapping[str, tuple[str, ...]]) -> list[str]:
    outputs = offered.get(term["metric"])
    if outputs is None:
        told = ", ".join(offered) or "none"
        return [f"{where} names {term['metric']!r}, and the metrics that it can be made of are {told}"]
    if term.get("output", outputs[0]) not in outputs:
        return [f"{where} names the output {term['output']!r}, and {term['metric']} has {', '.join(outputs)}"]
    return []


def _term(term: Params, outputs: tuple[str, ...]) -> Term:
    return Term(term["metric"], outputs.index(term.get("output", outputs[0])), float(term["weight"]))
