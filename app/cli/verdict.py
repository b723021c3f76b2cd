"""What became of a submission, in sentences: what happened, whose fault it was, what it cost, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.cli import comparison
from app.cli.answers import local_time
from app.cli.errors import FAULT, INVALID, OK
from app.cli.issues import show_issues
from app.cli.output import Output
from app.cli.values import show_values
from app.cli.words import count

FINAL = frozenset({"scored", "checked", "rejected", "failed", "dead", "cancelled", "withdrawn"})
EXITS: Mapping[str, int] = {"rejected": INVALID, "failed": INVALID, "cancelled": INVALID, "dead": FAULT}
_STATES: Mapping[str, str] = {
    "received": "It has arrived and waits for its turn.",
    "queued": "It waits for a free runner.",
    "running": "It is being scored.",
    "scored": "Scored.",
    "checked": "Checked: the file has the right form.",
    "rejected": "Rejected: the file does not have the right form.",
    "failed": "Failed.",
    "dead": "Not scored: the platform failed at it several times. The organisers can run it again.",
    "cancelled": "Cancelled before it started.",
    "withdrawn": "Withdrawn by your team: it does not count on the board.",
}
_FAULTS: Mapping[str, str] = {
    "participant": "The cause is in the file.",
    "organiser": "The cause is in the challenge, not in your file.",
    "platform": "The cause is in the platform, not in your file.",
}


def exit_code(document: Mapping[str, Any]) -> int:
    """0 for scored and checked, 1 where the entry is at fault, 5 where the platform is."""
    return EXITS.get(str(document.get("state")), OK)


def sentence(state: str) -> str:
    """The state in words."""
    return _STATES.get(state, f"It is {state}.")


def waiting(state: str, ahead: int | None) -> str:
    """A state on the way in words, with how many entries come before."""
    if state != "queued" or not ahead:
        return sentence(state)
    return f"It waits for a free runner, with {count(ahead, 'entry', 'entries')} before it."


def show(document: Mapping[str, Any], out: Output) -> None:
    """Everything about one submission for a person."""
    state = str(document["state"])
    parts = [sentence(state), str(document.get("message") or ""), _FAULTS.get(str(document.get("fault")), "")]
    if state in FINAL:
        parts.append(_cost(document))
    out.say(f"Submission {document['number']}: {' '.join(part for part in parts if part)}")
    show_report(document.get("report") or {}, out)
    if document.get("values"):
        show_values(document["values"], out)
    if document.get("compared_with"):
        out.say(comparison.sentence(document["compared_with"]))


def show_report(report: Mapping[str, Any], out: Output) -> None:
    """How much was read, and every problem."""
    counts = report.get("counts") or {}
    kinds = (
        ("rows", "row", "read"),
        ("missing", "case", "without an answer"),
        ("duplicates", "repeated row", ""),
        ("extra_columns", "unused column", ""),
    )
    parts = [f"{count(int(counts[key]), noun)} {what}".strip() for key, noun, what in kinds if counts.get(key)]
    if parts:
        out.say(f"{', '.join(parts)}.")
    show_issues(report.get("issues") or [], report.get("total") or {}, out)


def quota_sentence(quota: Mapping[str, Any] | None) -> str:
    """What the team has left; empty where there is no limit or nothing is told."""
    if not quota or quota.get("left") is None:
        return ""
    left = int(quota["left"])
    text = f"Your team has {count(left, 'submission') if left else 'no submission'} left"
    return f"{text}; more from {local_time(str(quota['resets_at']))}." if quota.get("resets_at") else f"{text}."


def _cost(document: Mapping[str, Any]) -> str:
    if document.get("uses_quota"):
        return "It used one of your team's submissions."
    return "A check uses none." if document.get("check") else "It used none of your team's submissions."
