"""The work of a sandbox, called here: arrays from elsewhere are held against all that an entry must be."""

import io
import json

import numpy as np
import pytest

from sandbox_runner import work
from sandbox_runner.child import Told
from scoring.packing import pack
from scoring.spec import (
    CasesSpec,
    ColumnSpec,
    MetricUse,
    RankingSpec,
    ResampleSpec,
    ScoringSpec,
    SplitSpec,
    TableSpec,
    to_json,
)
from scoring.tables import Entry, Table

LABELS = ("a", "b", "c")
ROWS = 30
USED = {"label": "label", "probabilities": {label: f"p_{label}" for label in LABELS}}
SPEC = ScoringSpec(
    tables=(
        TableSpec(
            "risks", "risks.csv", "id", ("id",),
            tuple(ColumnSpec(f"p_{label}", "probability", low=0.0, high=1.0) for label in LABELS),
        ),
    ),
    cases=CasesSpec("id"),
    metrics=(MetricUse("log_loss", "log_loss", "risks", USED),),
    splits=(SplitSpec("public", "live", share=1.0),),
    ranking=RankingSpec("log_loss", "log_loss", "lower"),
    resample=ResampleSpec(replicates=20),
)  # fmt: skip


@pytest.fixture(scope="module")
def scoring() -> work.Scoring:
    cases = "id\n" + "".join(f"p{i}\n" for i in range(ROWS))
    reference = "id,label\n" + "".join(f"p{i},{LABELS[i % 3]}\n" for i in range(ROWS))
    texts = {"cases": cases, "attributes": cases, "plan": '{"seed": 1}', "reference/risks": reference}
    texts["spec"] = json.dumps(to_json(SPEC))
    return work.prepare_score({role: io.BytesIO(text.encode()) for role, text in texts.items()}, {})


def arrays(each: float) -> io.BytesIO:
    """What a reader hands out where every probability is this."""
    columns = {f"p_{label}": np.full(ROWS, each) for label in LABELS}
    return io.BytesIO(pack(Entry({"risks": Table(np.arange(ROWS), columns, np.zeros(ROWS, dtype=bool))})))


def test_arrays_that_a_metric_refuses_are_not_scored(scoring: work.Scoring) -> None:
    """With 1 for every label the logarithmic loss would be the best there is."""
    with pytest.raises(Told) as told:
        work.score(scoring, {"arrays": arrays(1.0)}, {})
    assert str(told.value) == "The arrays of the entry cannot be used: a metric refuses them (E-PROB-SUM)."


def test_arrays_that_a_metric_takes_are_scored(scoring: work.Scoring) -> None:
    head = work.score(scoring, {"arrays": arrays(1 / 3)}, {}).head
    assert (head["outcome"], round(head["values"][0]["value"], 6)) == ("ok", round(float(np.log(3)), 6))
