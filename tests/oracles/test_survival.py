"""Harrell's concordance against all pairs counted one by one, by rules written down apart from those of the metric."""

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles.test_scikit_learn import close, outputs, weights
from tests.scoring.builders import table

PARAMS = {"time": "time", "event": "event", "came": "1", "score": "risk", "higher": "risk"}
Case = tuple[int, bool, float]
cases_of = st.lists(
    st.tuples(st.integers(0, 6), st.booleans(), st.sampled_from([0.0, 1.0, 1.5, 4.0]), weights), min_size=1, max_size=20
)


def pairs(cases: list[Case]) -> float:
    """Each pair asks: who is known to have had the event first? Nobody, where that is open or both had it at once."""
    right, asked = 0.0, 0
    for one, other in combinations(cases, 2):
        first, second = sorted([one, other], key=lambda case: (case[0], not case[1]))
        if not first[1] or (first[0] == second[0] and second[1]):
            continue
        asked += 1
        right += 1.0 if first[2] > second[2] else 0.5 if first[2] == second[2] else 0.0
    return right / asked if asked else np.nan


@settings(max_examples=100, deadline=None, derandomize=True)
@given(cases_of)
def test_concordance(drawn: list[tuple[int, bool, float, int]]) -> None:
    time, event, risk, weight = zip(*drawn, strict=True)
    reference = table({"time": np.array(time, dtype=float), "event": np.array(event).astype(int).astype(str)})
    found = outputs("harrell_c", reference, table({"risk": list(risk)}), PARAMS, weight)["harrell_c"]
    repeated = [case[:3] for case in drawn for _ in range(case[3])]
    assert close(found, pairs(repeated))


def test_concordance_of_600_cases_with_few_ties() -> None:
    rng = np.random.default_rng(0)
    time, event, risk = rng.exponential(5, 600).round(2), rng.random(600) < 0.4, rng.normal(size=600)
    weight = rng.integers(0, 3, 600).tolist()
    reference = table({"time": time, "event": event.astype(int).astype(str)})
    found = outputs("harrell_c", reference, table({"risk": risk}), PARAMS, weight)["harrell_c"]
    drawn = list(zip(time.tolist(), event.tolist(), risk.tolist(), strict=True))
    assert close(found, pairs([case for case, times in zip(drawn, weight, strict=True) for _ in range(times)]))
