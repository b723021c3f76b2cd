"""Values with their intervals, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.cli.output import Output


def show_values(values: Sequence[Mapping[str, Any]], out: Output) -> None:
    """A table of values; what is undefined says why."""
    rows = [[_name(value), str(value.get("slice")), number(value), interval(value), _cases(value)] for value in values]
    out.table(["metric", "slice", "value", "interval", "cases"], rows)


def number(value: Mapping[str, Any]) -> str:
    """The value as the server gives it (it rounds), or why there is none."""
    shown = value.get("value")
    return f"undefined ({value.get('undefined') or 'no reason given'})" if shown is None else text_of(shown)


def interval(value: Mapping[str, Any]) -> str:
    """`0.81 to 0.87 (95 %)`, or `none (clusters<30)` with the reason the server gives."""
    low, high, level = value.get("low"), value.get("high"), value.get("level")
    if low is None or high is None:
        method, _, reason = str(value.get("interval") or "").partition(":")
        return f"{method} ({reason})" if reason else ""
    return f"{text_of(low)} to {text_of(high)}" + (f" ({level * 100:g} %)" if isinstance(level, float) else "")


def text_of(shown: Any) -> str:
    """At most 6 significant digits; `--json` has all that the server gives."""
    return f"{shown:.6g}" if isinstance(shown, float) else str(shown)


def _name(value: Mapping[str, Any]) -> str:
    metric, output = str(value.get("metric")), str(value.get("output"))
    return metric if output in {metric, ""} else f"{metric}.{output}"


def _cases(value: Mapping[str, Any]) -> str:
    cases, clusters = value.get("n_cases"), value.get("n_clusters")
    if cases is None:
        return ""
    return str(cases) if clusters in {None, cases} else f"{cases} in {clusters} clusters"
