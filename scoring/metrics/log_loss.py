"""Log loss (cross-entropy) of probabilities."""

import numpy as np

from scoring.columns import Floats
from scoring.metric import Params, mean_metric
from scoring.metrics.probabilities import PROPERTIES, WAYS, check_probabilities, probabilities, true_codes
from scoring.metrics.schema import schema
from scoring.tables import Table

EPS = {
    "type": "number",
    "exclusiveMinimum": 0,
    "default": 1e-15,
    "description": "probabilities are taken as at least this and at most 1 minus this, so that no case costs infinity",
}


@mean_metric(
    key="log_loss",
    title="Log loss",
    task_category="classification",
    direction="lower",
    range=(0.0, np.inf),
    params=schema(PROPERTIES | {"eps": EPS}, required=("label",), one_of=WAYS),
    missing="A missing case gave its true label the probability 0, taken as eps.",
    check=check_probabilities,
)
def log_loss(reference: Table, entry: Table, params: Params) -> Floats:
    """-ln of the probability given to the true label, in nats; probabilities are not made to sum to exactly 1.

    A missing case gave probability 0, the worst there is: it costs -ln(eps).
    """
    given = probabilities(entry, params)
    chosen = given[np.arange(len(given)), true_codes(reference, params)]
    return np.asarray(-np.log(np.clip(np.where(entry.missing, 0.0, chosen), params["eps"], 1 - params["eps"])))
