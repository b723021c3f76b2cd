"""MCC and decisions at thresholds against scikit-learn, with whole-number weights."""

import numpy as np
import sklearn.metrics as oracle
from hypothesis import given

from tests.oracles.test_scikit_learn import HARD, close, few, hard, hard_cases, outputs, repeated


@few
@given(hard_cases)
def test_mcc(cases: list[tuple[str, str, int]]) -> None:
    reference, entry, weight = hard(cases)
    found = outputs("mcc", reference, entry, HARD, weight)["mcc"]
    label, answer = repeated(reference.columns["label"], weight), repeated(entry.columns["prediction"], weight)
    if min(len(set(label.tolist())), len(set(answer.tolist()))) < 2:
        assert np.isnan(found)
    else:
        assert close(found, oracle.matthews_corrcoef(label, answer))
