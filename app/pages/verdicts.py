"""What became of a submission, in sentences: the verdict, whose fault, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.db.submissions import Submission
from app.domain.states import FINAL_STATES
from app.errors import N_
from app.pages.words import MARKS
from app.services import submissions

SENTENCES = {
    "received": N_("The file has arrived and waits for its turn."),
    "queued": N_("The file waits for its turn."),
    "running": N_("The file is being read and scored."),
    "scored": N_("The file was scored."),
    "checked": N_("The file has the right format. Nothing was scored: this was only a check."),
    "rejected": N_("The file was not scored, because its format is not the expected one."),
    "failed": N_("The file could not be scored."),
    "dead": N_("The file was not scored, because the platform failed several times."),
    "cancelled": N_("This submission was cancelled before it started."),
    "withdrawn": N_("The team withdrew this submission: it does not count on the board."),
}
CHECKING = N_("The file is being read and checked.")
FAULTS = {
    "participant": N_("The cause is in the file: correct it and send it again."),
    "platform": N_(
        "The fault is ours, not your file's. The organisers see it and can run it again; you need not do anything."
    ),
}
COSTS = {
    "check": N_("A check uses none of your submissions."),
    "used": N_("It used one of the team's submissions."),
    "holds": N_("It holds one of the team's submissions until it ends."),
    "none": N_("It used none of the team's submissions."),
    "rejected": N_("It used none of the team's submissions: format problems never do."),
}


@dataclass(frozen=True)
class Verdict:
    """Messages to translate. `mark`: good, bad or empty, the colour that goes with the words."""

    sentence: str
    detail: str
    fault: str
    cost: str
    mark: str


def verdict_of(submission: Submission) -> Verdict:
    """The verdict on a submission."""
    state = submission.state
    fault = submissions.fault_of(submission)
    return Verdict(
        sentence=CHECKING if submission.check and state == "running" else SENTENCES[state],
        detail=submission.message,
        fault=FAULTS[fault] if fault else "",
        cost=COSTS[_cost(submission)],
        mark=MARKS.get(state, ""),
    )


def _cost(submission: Submission) -> str:
    if submission.check:
        return "check"
    if submission.state == "rejected":
        return "rejected"
    if not submissions.uses_quota(submission):
        return "none"
    return "used" if submission.state in FINAL_STATES else "holds"


@dataclass(frozen=True)
class Report:
    """What reading the file found. `more`: problems that are counted but not listed; `lines`: None when not known."""

    errors: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    n_errors: int
    n_warnings: int
    more: int
    lines: int | None
    total: dict[str, int]
    counts: dict[str, int]


def report_of(report: dict[str, Any] | None, issues: list[dict[str, Any]]) -> Report:
    """The report of a submission with its issues in words. One issue may stand for many lines of a column."""
    known = report or {}
    total: dict[str, int] = known.get("total", {})
    errors = [issue for issue in issues if issue["level"] == "error"]
    more = max(sum(total.values()) - sum(_stands_for(issue) for issue in issues), 0)
    each = more == 0 and all(_stands_for(issue) == 1 for issue in errors)
    return Report(
        errors=errors,
        warnings=[issue for issue in issues if issue["level"] != "error"],
        n_errors=sum(n for code, n in total.items() if code.startswith("E-")),
        n_warnings=sum(n for code, n in total.items() if not code.startswith("E-")),
        more=more,
        lines=len({(issue["table"], issue["line"]) for issue in errors if issue["line"]}) if each else None,
        total=total,
        counts=known.get("counts", {}),
    )


def _stands_for(issue: dict[str, Any]) -> int:
    count = issue["fields"].get("count")
    return count if isinstance(count, int) else 1
