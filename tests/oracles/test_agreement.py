"""R² against scikit-learn, Spearman against scipy, Lin's concordance against its definition by expected squares."""

import numpy as np
import scipy.stats
from hypothesis import given, settings
from numpy.typing import NDArray
from sklearn.metrics import r2_score

from tests.oracles.test_everyday_metrics import number_cases
from tests.oracles.test_scikit_learn import close, outputs
from tests.scoring.builders import table

PARAMS = {"label": "y", "value": "guess"}


def concordance(true: NDArray[np.float64], guess: NDArray[np.float64]) -> float:
    """1 - (expected squared difference) / (that of pairs drawn independently): Lin's own reading, by all pairs."""
    return float(1 - ((true - guess) ** 2).mean() / (np.subtract.outer(true, guess) ** 2).mean())


@settings(max_examples=60, deadline=None, derandomize=True)
@given(number_cases)
def test_agreement_of_numbers(cases: list[tuple[float, float, int]]) -> None:
    given_true, given_guess, weight = (list(part) for part in zip(*cases, strict=True))
    reference, entry = table({"y": given_true}), table({"guess": given_guess})
    r2, ccc, spearman = (outputs(key, reference, entry, PARAMS, weight)[key] for key in ("r2", "ccc", "spearman"))
    true, guess = np.repeat(given_true, weight), np.repeat(given_guess, weight)
    different = len(set(true.tolist())), len(set(guess.tolist()))
    assert np.isnan(r2) if different[0] < 2 else close(r2, r2_score(true, guess))
    assert np.isnan(ccc) if len({*true.tolist(), *guess.tolist()}) < 2 else close(ccc, concordance(true, guess))
    assert np.isnan(spearman) if min(different) < 2 else close(spearman, scipy.stats.spearmanr(true, guess).statistic)
