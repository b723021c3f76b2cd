"""Waiting for a verdict: each new state is told once, or shown beside a moving sign where a terminal can."""

from __future__ import annotations

import time
from typing import Any

from app.cli import verdict
from app.cli.bars import working
from app.cli.client import Api, segment, steadily
from app.cli.errors import Fault
from app.cli.output import Output

WAIT_S = 900


def wait_for(api: Api, slug: str, number: int, *, limit_s: float, out: Output) -> Any:
    """The submission's document once its state is final; each new state is told on the way.

    Errors: Fault when it is not final after `limit_s` seconds; the entry is safe then.
    """
    address = f"/challenges/{segment(slug)}/submissions/{number}"
    ends, pause, told_state = time.monotonic() + limit_s, 0.2, ""
    with working(out) as tell:
        while True:
            status = steadily(lambda: api.get(f"{address}/status"), tell=tell)
            state = str(status["state"])
            if state in verdict.FINAL:
                return steadily(lambda: api.get(address), tell=tell)
            if state != told_state:
                tell(f"Submission {number}: {verdict.waiting(state, status.get('ahead'))}")
                told_state = state
            if time.monotonic() > ends:
                raise Fault(
                    f"Submission {number} has no verdict after {limit_s:g} s. It is safe and keeps its place; "
                    f"look again with: arbitre submission {slug} {number}",
                    code="E-STILL-WAITING",
                )
            time.sleep(pause)
            pause = min(pause * 1.5, 3.0)
