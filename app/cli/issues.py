"""Problems of an entry, one sentence each: where, what was read, what is wrong, how to fix it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.cli.output import Output
from app.cli.problems import issue_line, told
from app.cli.words import count


def show_issues(issues: Sequence[Mapping[str, Any]], total: Mapping[str, int], out: Output) -> None:
    """The problems that are kept, errors first, and how many there are in all. With `--json` the document has them."""
    ordered = sorted(issues, key=lambda issue: issue.get("level") != "error")
    if not ordered or out.json:
        return
    if out.is_plain:
        for issue in ordered:
            out.say(f"- {issue_line(issue)}")
    else:
        rows = [[_level(i), i.get("line"), i.get("column"), told(i), i.get("code")] for i in ordered]
        out.table(["", "line", "column", "problem and fix", "code"], rows)
    counted = sum(int(n) for n in total.values())
    if counted > len(ordered):
        kinds = ", ".join(f"{code} {n:,}" for code, n in sorted(total.items()))
        out.say(f"These are {len(ordered)} of {count(counted, 'problem')} ({kinds}).")


def issue_document(issue: Mapping[str, Any]) -> dict[str, Any]:
    """An issue found here (design 11.6) with the `text` and `fix` that the server would give it."""
    # scoring imports numpy, which commands that only talk to a server never need to pay for
    from scoring.messages import explain

    words = explain(issue)
    return {**issue, "text": words.text, "fix": words.fix}


def _level(issue: Mapping[str, Any]) -> str:
    return "warning" if issue.get("level") == "warning" else "error"
