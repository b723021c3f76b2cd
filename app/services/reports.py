"""Whether a runner's report is about the job it was given: nothing that the phase does not have is written down."""

from __future__ import annotations

from collections import Counter

from app.db.evaluations import MetricValue
from app.db.phases import Phase
from app.db.submissions import Submission
from app.errors import N_, Invalid
from sandbox_runner.contract import Finish, Value

REFUSED = N_("The report does not fit its job, so it was not counted: %(reason)s.")
LARGEST = 2**31 - 1
TEXTS = ("metric", "output", "slice", "undefined", "interval")
LENGTHS: dict[str, int] = {name: getattr(MetricValue.__table__.c[name].type, "length", 0) for name in TEXTS}


def check(finish: Finish, *, submission: Submission, phase: Phase) -> None:
    """Raises Invalid for a report about other bytes, or with values that this phase cannot have."""
    said = finish.detail.sha256
    if said is not None and said != submission.sha256:
        raise Invalid(REFUSED, reason="the entry that was read is another one")
    # Receipts carry them, and canonical JSON holds no larger numbers.
    if max((*finish.detail.counts.values(), *finish.detail.total.values()), default=0) > LARGEST:
        raise Invalid(REFUSED, reason="a count is out of range")
    if finish.outcome == "ok" and not submission.check:
        _check_values(finish.values, phase)


def _check_values(values: list[Value], phase: Phase) -> None:
    spec = phase.scoring_spec
    metrics = {metric["id"] for metric in spec["metrics"]}
    splits = {f"split:{split['name']}" for split in spec["splits"]}
    found = Counter((value.metric, value.output, value.slice) for value in values)
    for value in values:
        if value.metric not in metrics or not _is_slice(value.slice, splits) or not _fits(value):
            raise Invalid(REFUSED, reason=f"there is no value {value.metric[:80]} on {value.slice[:80]} here")
        if found[value.metric, value.output, value.slice] > 1:
            raise Invalid(REFUSED, reason=f"{value.metric[:80]} on {value.slice[:80]} comes twice")
    ranking = spec["ranking"]
    missing = [name for name in splits if (ranking["metric"], ranking["output"], name) not in found]
    if missing:
        raise Invalid(REFUSED, reason=f"the ranking value is missing on {min(missing)}")


def _is_slice(name: str, splits: set[str]) -> bool:
    return name == "all" or name in splits or name.startswith(("subgroup:", "site:"))


def _fits(value: Value) -> bool:
    """Whether a row can hold it: lengths, counts, and no NUL, which PostgreSQL cannot keep."""
    texts = {name: getattr(value, name) or "" for name in LENGTHS}
    fits = all(len(text) <= LENGTHS[name] and "\0" not in text for name, text in texts.items())
    return fits and max(value.n_cases, value.n_clusters) <= LARGEST
