"""The states of a submission (design 11.3) and what each means for quotas."""

from __future__ import annotations

STATES = ("received", "queued", "running", "scored", "checked", "rejected", "failed", "dead", "cancelled", "withdrawn")
FINAL_STATES = frozenset({"scored", "checked", "rejected", "failed", "dead", "cancelled", "withdrawn"})
OPEN_STATES = frozenset(STATES) - FINAL_STATES
QUOTA_STATES = OPEN_STATES | {"scored", "failed"}
"""States that hold a quota slot: an entry on its way holds one until it turns out to be rejected, dead or cancelled."""
EARLIER_STATES = OPEN_STATES | {"scored", "failed", "rejected", "checked"}
"""States in which the same bytes sent again are answered with the earlier entry."""


def holds_slot(state: str, outcome: str | None) -> bool:
    """Whether an entry (no check) holds a quota slot. Withdrawing a scored or failed one frees none."""
    return state in QUOTA_STATES or (state == "withdrawn" and outcome != "internal")


def state_of(outcome: str, *, check: bool) -> str:
    """The final state that an outcome of a sandbox leads to; `internal` leads to none (the job is retried).

    `invalid` is a format problem: rejected. A metric's own refusal is reported by the runner as outcome `invalid` with
    `detail.refused_by = "metric"` and is mapped to failed by the caller.
    """
    if outcome == "ok":
        return "checked" if check else "scored"
    return "rejected" if outcome == "invalid" else "failed"
