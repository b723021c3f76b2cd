"""Which phase of a challenge a command is about, where the user names none."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from app.cli.client import Api, rows_of, segment
from app.cli.errors import Usage


def phase_named(api: Api, slug: str, named: str) -> str:
    """The slug of the phase that `named` or the time points to. Errors: Usage naming the phases there are."""
    return str(phase_row(api, slug, named)["slug"])


def phase_row(api: Api, slug: str, named: str) -> Mapping[str, Any]:
    """The same phase as the API gives it. Errors: as `phase_named`."""
    rows = rows_of(api.get(f"/challenges/{segment(slug)}"), "phases")
    name = chosen_phase(rows, named, slug)
    return next(row for row in rows if row["slug"] == name)


def chosen_phase(rows: Sequence[Mapping[str, Any]], named: str, slug: str) -> str:
    """`named` where there is one of that name, else the only phase, else the only one that is open."""
    slugs = [str(row["slug"]) for row in rows]
    if named in slugs:
        return named
    if named:
        near = difflib.get_close_matches(named, slugs, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"It has: {', '.join(slugs)}."
        raise Usage(f"{slug} has no phase {named!r}. {hint}")
    fitting = slugs if len(slugs) == 1 else [str(row["slug"]) for row in rows if window_of(row) == "open"]
    if len(fitting) != 1:
        raise Usage(f"{slug} has several phases. Name one of them with --phase: {', '.join(slugs)}.")
    return fitting[0]


def window_of(row: Mapping[str, Any]) -> str:
    """draft, before, open, paused or closed: the server's word, else by the phase's own times."""
    if row.get("window"):
        return str(row["window"])
    opens, closes = (dt.datetime.fromisoformat(str(row[key])) for key in ("opens_at", "closes_at"))
    now = dt.datetime.now(dt.UTC)
    return "before" if now < opens else "open" if now < closes else "closed"
