"""Words for the codes that services store: states, reasons, rules. English, translated where they are shown."""

from __future__ import annotations

import re
from typing import Any

from app.errors import N_
from app.pages.formats import number

NOTICES: dict[str | None, str] = {
    "unfrozen": N_("The board is open again and is computed anew."),
    "joined": N_("You have joined this challenge."),
    "renamed": N_("Your team has its new name."),
    "moved": N_("You are in this team now."),
    "revoked": N_("The token is revoked. It opens nothing any more."),
    "published": N_("The challenge is published. Its baseline, if it has one, is being scored."),
    "created": N_("The challenge was created as a draft. Only its organisers can see it."),
    "updated": N_("The challenge has a new version."),
    "unchanged": N_("This folder is the version in force already. Nothing was changed."),
    "closed": N_("The phase is closed. Its board freezes as soon as nothing is left to do."),
    "cancelled": N_("The submission is cancelled. It used none of your submissions."),
    "withdrawn": N_("The submission is withdrawn. It no longer counts on the board."),
    "final": N_("This is now a final submission of your team."),
    "not-final": N_("This is no longer a final submission of your team."),
    "retried": N_("The submission runs again."),
    "dismissed": N_("The submission will not run again. It no longer keeps the board from freezing."),
    "earlier": N_("Your team sent this very file before. This is that submission; no new one was made."),
    "signed-out": N_("You are signed out."),
}

STATES = {
    "received": N_("received"),
    "queued": N_("waiting"),
    "running": N_("running"),
    "scored": N_("scored"),
    "checked": N_("checked"),
    "rejected": N_("format refused"),
    "failed": N_("failed"),
    "dead": N_("not scored: our fault"),
    "cancelled": N_("cancelled"),
    "withdrawn": N_("withdrawn"),
}
MARKS = {"scored": "good", "checked": "good", "rejected": "bad", "failed": "bad", "dead": "bad"}
"""Colour of a state; the word beside it says the same."""

WINDOWS = {
    "draft": N_("draft"),
    "before": N_("not open yet"),
    "open": N_("open"),
    "paused": N_("paused"),
    "closed": N_("closed"),
}

SENSITIVITIES = {
    "open": N_("open data"),
    "controlled": N_("data for participants only"),
}

TYPES = {
    "text": N_("text"),
    "number": N_("number"),
    "integer": N_("whole number"),
    "label": N_("one of the labels"),
    "probability": N_("probability from 0 to 1"),
}
FORMATS = {
    "csv": N_("A CSV file in UTF-8, separated by commas, with a decimal point."),
    "jsonl": N_("JSON lines in UTF-8: one object per line, its keys the columns."),
    "coco": N_("A JSON array of results as COCO has them: image_id, category_id, bbox [x, y, width, height], score."),
    "parquet": N_("A Parquet file."),
}
COMBINED = {
    "mean": N_("The rows of a case become one: each number is the mean of theirs."),
    "max": N_("The rows of a case become one: each number is the largest of theirs."),
}
LACKING = {
    "refuse": "",
    "worst": N_("A case that lacks one of its rows counts as one without any."),
    "empty": N_("A case that lacks some of its rows is scored on those there are."),
}
MISSING = {
    "refuse": N_("A case without a row is an error: the file is refused."),
    "worst": N_("A case without a row counts as a wrong answer. It is counted and told, not refused."),
    "empty": N_("A case without a row counts as an empty answer. It is counted and told, not refused."),
}
DUPLICATES = {
    "refuse": N_("The same row twice is an error: the file is refused."),
    "first": N_("Where the same row stands twice, the first counts. It is counted and told, not refused."),
}
SELECTIONS = {
    "best": N_("The best submission of a team, by its score on the live split, stands for it."),
    "last": N_("The last submission of a team stands for it."),
    "final": N_("Each team chooses its final submissions. A team that chooses none is ranked by its best."),
}
TIES = {
    "bootstrap": N_(
        "On the final board, teams that a paired bootstrap test (α = %(alpha)s) cannot tell from the best "
        "of their group share a rank."
    ),
    "bayes": N_(
        "On the final board, teams that a Bayes factor of at most 3 cannot tell from the best "
        "of their group share a rank."
    ),
    "exact": N_("On the final board, only teams with exactly equal scores share a rank."),
}
VISIBLE = {
    "live": N_("shown at once"),
    "after_close": N_("shown when the board is frozen"),
    "never": N_("never shown"),
}
DIRECTIONS = {"higher": N_("higher is better"), "lower": N_("lower is better")}
BLOCKERS = {
    "clock": N_("minutes, since it closed while the platform stood still or its clock leapt"),
    "uploads": N_("uploads under way"),
    "open": N_("submissions not scored yet"),
    "dead": N_("submissions that the platform could not score (run them again or dismiss them)"),
}
SCOPES = {
    "read": N_("read: see your submissions and download data"),
    "submit": N_("submit: join challenges and send submissions"),
    "organise": N_("organise: create, publish and close challenges"),
    "admin": N_("admin: administer this instance"),
}

REASONS = {
    "no-cases": N_("no case takes part"),
    "label-absent": N_("a label does not occur here"),
    "one-class": N_("only one class occurs here"),
    "no-positives": N_("no positive case occurs here"),
    "one-label": N_("truth and answers are one and the same label here"),
    "constant-labels": N_("all truths or all answers are one label here"),
    "no-negatives": N_("no negative case occurs here"),
    "none-positive": N_("no case is answered positive here"),
    "none-negative": N_("no case is answered negative here"),
    "nothing-expected": N_("the probabilities expect no positive case here"),
    "not-fitted": N_("only one class occurs here, or the probabilities part the classes or are all the same"),
    "constant-truth": N_("the true numbers are all the same here"),
    "constant-numbers": N_("the true or the predicted numbers are all the same here"),
    "no-pairs": N_("no two cases can be compared here"),
    "no-boxes": N_("there are no boxes here"),
    "term-undefined": N_("a value that it is made of is undefined here"),
    "no-truth": N_("there is no reference here"),
    "undefined": N_("undefined"),
    "no value": N_("not scored on this split"),
}
NO_INTERVALS = {
    "undefined": N_("undefined in too many resamples"),
    "no-resamples": N_("not resampled"),
    "no-spread": N_("the same in all resamples, which says nothing about other patients"),
    "bias": N_("all resamples lie on one side of the score"),
    "metric": N_("this metric has none"),
}
INTERVALS = {
    "percentile": N_("its interval is the middle of its resampled values"),
    "basic": N_("its interval is that of its resampled values, turned round the score (basic)"),
    "bca": N_("its interval is that of its resampled values, corrected for bias and skewness (BCa)"),
    "delong": N_("its interval is DeLong’s, which takes all cases of a patient together (Obuchowski)"),
    "none": N_("it has no interval"),
}
COVERS = N_(
    "An interval says how far a score would move with other test patients like these, for the same entry. It does not "
    "cover another training run of the method, other hospitals, or that the best of many tries looks better than it is."
)

CELL = N_("fewer than %(count)s cases or patients")
SIDE = N_("fewer than %(count)s patients (or cases) that are positive, or that are negative")
SMALL = re.compile(r"(?:cell|clusters|side)<(\d+)")


def reason(code: str | None) -> tuple[str, dict[str, Any]]:
    """Why there is no value or no interval: a message and its fields. A text that is no code is shown as it is."""
    bare = (code or "undefined").removeprefix("none:")
    small = SMALL.fullmatch(bare)
    if small:
        return SIDE if bare.startswith("side<") else CELL, {"count": small.group(1)}
    if code and code.startswith("none:"):
        return NO_INTERVALS.get(bare, "%(text)s"), {"text": bare}
    return REASONS.get(bare, "%(text)s"), {"text": bare}


def ties(rule: str, alpha: float, language: str) -> tuple[str, dict[str, Any]]:
    """The rule for shared ranks: a message and its fields."""
    return TIES[rule], {"alpha": number(alpha, language)}
