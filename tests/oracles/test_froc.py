"""FROC against the way of the LUNA16 evaluation: scikit-learn's ROC curve of the candidates, then interpolation."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from tests.oracles.test_scikit_learn import close, outputs
from tests.scoring.builders import many

RATES = [0.125, 0.5, 1.0, 2.0, 8.0]
PARAMS = {"x": "x", "y": "y", "radius": "r", "excluded": "out", "score": "score", "rates": RATES}
place, level = st.integers(0, 8), st.sampled_from([0.0, 0.25, 0.5, 1.0])
scans = st.lists(
    st.tuples(
        st.lists(st.tuples(place, st.booleans()), max_size=3),
        st.lists(st.tuples(place, level), max_size=5),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=5,
)
Scan = tuple[list[tuple[int, bool]], list[tuple[int, float]], int]


def expected(drawn: list[Scan]) -> list[float] | None:
    """Sensitivity at each rate. Lesions lie on a line, with radius 1.5."""
    hits: list[int] = []
    score: list[float] = []
    lesions = total = 0
    for findings, candidates, times in drawn:
        for _ in range(times):
            total += 1
            lesions += sum(not out for _, out in findings)
            for at, out in findings:
                near = [told for x, told in candidates if abs(x - at) < 1.5]
                if near and not out:
                    hits, score = [*hits, 1], [*score, max(near)]
            false = [told for x, told in candidates if all(abs(x - at) >= 1.5 for at, _ in findings)]
            hits, score = hits + [0] * len(false), score + false
    if not lesions:
        return None
    if not hits:
        return [0.0] * 5
    # One of each kind at the lowest score, so that the curve always has both; they come in last and are left out.
    false_share, hit_share, _ = roc_curve([*hits, 0, 1], [*score, -1.0, -1.0], drop_intermediate=False)
    rate = false_share[:-1] * (hits.count(0) + 1) / total
    share = hit_share[:-1] * (hits.count(1) + 1) / lesions
    return [float(value) for value in np.interp(RATES, rate, share)]


@settings(max_examples=80, deadline=None, derandomize=True)
@given(scans)
def test_froc(drawn: list[Scan]) -> None:
    true = [(i, at, out) for i, (findings, _, _) in enumerate(drawn) for at, out in findings]
    given_to = [(i, at, told) for i, (_, candidates, _) in enumerate(drawn) for at, told in candidates]
    sites = np.array([row[1] for row in true], dtype=float)
    columns = {"x": sites, "y": sites * 0, "r": sites * 0 + 1.5, "out": np.array([row[2] for row in true]) * 1.0}
    reference = many([row[0] for row in true], columns, n_cases=len(drawn))
    marks = np.array([row[1] for row in given_to], dtype=float)
    scored = {"x": marks, "y": marks * 0, "score": np.array([row[2] for row in given_to], dtype=float)}
    entry = many([row[0] for row in given_to], scored, n_cases=len(drawn))
    found = outputs("froc", reference, entry, PARAMS, [scan[2] for scan in drawn])
    wanted = expected(drawn)
    if wanted is None:
        assert np.isnan(list(found.values())).all()
        return
    values = list(found.values())
    assert all(close(value, other) for value, other in zip(values[1:], wanted, strict=True))
    assert close(values[0], float(np.mean(wanted)))
