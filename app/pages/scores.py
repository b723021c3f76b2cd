"""The values of an evaluation as tables: one per split, one for subgroups and sites, variable by variable."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.db.phases import Phase
from app.domain.suppression import COMPANION
from app.errors import N_
from app.pages import words
from app.pages.evaluation import card_of

Message = tuple[str, dict[str, Any]]
SLICES = {"split": N_("Split %(name)s"), "site": N_("Site %(name)s"), "subgroup": "%(name)s"}
ALL = N_("All cases")
SITES = N_("Site")
WITHHELD = N_("withheld, because a small group would follow from it")
FEW = re.compile(r"cell<(\d+)")


@dataclass(frozen=True)
class Score:
    """One value. `why`: why there is no value or no interval. `failed`: the metric has no value for these cases.

    `cases`, `clusters`: None where they are not told; there are then fewer than `few`, or it is withheld.
    """

    title: str
    output: str
    main: bool
    direction: str
    slice: Message
    value: float | None
    low: float | None
    high: float | None
    level: float | None
    why: Message | None
    failed: bool
    cases: int | None
    clusters: int | None
    few: str | None


@dataclass(frozen=True)
class Part:
    """One group of a variable, `F` of `sex`, with the main output of each metric."""

    name: str
    scores: list[Score]


@dataclass(frozen=True)
class Variable:
    """A variable that splits the cases, and its groups by name."""

    title: str
    parts: list[Part]


@dataclass(frozen=True)
class ScoreTable:
    """The values of one slice: the main output of each metric, then the others."""

    title: Message
    main: list[Score]
    others: list[Score]


@dataclass(frozen=True)
class Scores:
    """All that may be seen of an evaluation. `ranked`: the value that ranks, on the first split shown.

    `directions`: those of the metrics, each once.
    """

    ranked: Score | None
    tables: list[ScoreTable]
    variables: list[Variable]
    directions: list[str]
    clustered: bool


def scores_of(values: Sequence[dict[str, Any]], *, phase: Phase) -> Scores:
    """Arrange the values (design 11.7) of an evaluation of this phase."""
    spec = phase.scoring_spec
    order = {split["name"]: position for position, split in enumerate(spec["splits"])}
    slices = sorted({value["slice"] for value in values}, key=lambda name: _place(name, order))
    whole = [name for name in slices if name == "all" or name.startswith("split:")]
    mains = _mains(spec)
    ids = [metric["id"] for metric in spec["metrics"]]
    ordered = sorted(values, key=lambda value: (ids.index(value["metric"]), value["output"]))
    by_slice = {name: [value for value in ordered if value["slice"] == name] for name in slices}
    tables = [_table(name, by_slice[name], spec, mains) for name in whole]
    parts = {
        name: [_score(value, spec) for value in by_slice[name] if _is_main(value, mains)]
        for name in slices
        if name not in whole
    }
    return Scores(
        ranked=_ranked(whole, by_slice, spec),
        tables=tables,
        variables=_variables(parts),
        directions=sorted({score.direction for scores in parts.values() for score in scores}),
        clustered=spec["cases"]["cluster"] is not None,
    )


def _variables(parts: Mapping[str, list[Score]]) -> list[Variable]:
    """The parts by variable: subgroups by name, then sites; within one by the name of the group."""
    found: dict[str, list[Part]] = {}
    for name in sorted(parts, key=lambda name: (name.startswith("site:"), name)):
        kind, _, rest = name.partition(":")
        variable, _, group = (SITES, "", rest) if kind == "site" else rest.partition("=")
        found.setdefault(variable, []).append(Part(group, parts[name]))
    return [Variable(title, groups) for title, groups in found.items()]


def slice_title(name: str) -> Message:
    """`split:public` in words."""
    kind, _, rest = name.partition(":")
    return (SLICES[kind], {"name": rest.replace("=", " = ", 1)}) if kind in SLICES else (ALL, {})


def _place(name: str, order: dict[str, int]) -> tuple[int, int, str]:
    kind, _, rest = name.partition(":")
    if kind == "split":
        return 0, order.get(rest, len(order)), rest
    return (1, 0, "") if kind == "all" else (2, 0, name)


def _mains(spec: dict[str, Any]) -> dict[str, str]:
    """Metric id -> its main output."""
    found = {}
    for metric in spec["metrics"]:
        card = card_of(metric["use"])
        found[metric["id"]] = card.outputs[0] if card else ""
    found[spec["ranking"]["metric"]] = spec["ranking"]["output"]
    return found


def _is_main(value: dict[str, Any], mains: dict[str, str]) -> bool:
    return bool(mains.get(value["metric"]) == value["output"])


def _table(name: str, values: list[dict[str, Any]], spec: dict[str, Any], mains: dict[str, str]) -> ScoreTable:
    return ScoreTable(
        title=slice_title(name),
        main=[_score(value, spec) for value in values if _is_main(value, mains)],
        others=[_score(value, spec) for value in values if not _is_main(value, mains)],
    )


def _score(value: dict[str, Any], spec: dict[str, Any]) -> Score:
    use = next((metric["use"] for metric in spec["metrics"] if metric["id"] == value["metric"]), value["metric"])
    card = card_of(use)
    few = FEW.fullmatch(value["undefined"] or "")
    told = value["n_cases"] is not None and not few
    return Score(
        title=card.title if card else value["metric"],
        output=value["output"],
        main=card is not None and value["output"] == card.outputs[0],
        direction=words.DIRECTIONS[card.direction] if card else "",
        slice=slice_title(value["slice"]),
        value=value["value"],
        low=value["low"],
        high=value["high"],
        level=value["level"],
        why=_why(value),
        failed=value["value"] is None and told,
        cases=value["n_cases"] if told else None,
        clusters=value["n_clusters"] if told else None,
        few=few.group(1) if few else None,
    )


def _why(value: dict[str, Any]) -> Message | None:
    if value["undefined"] == COMPANION:
        return WITHHELD, {}
    if value["value"] is None:
        return words.reason(value["undefined"])
    if value["low"] is None:
        return words.reason(value["interval"] or "none:metric")
    return None


def _ranked(whole: Iterable[str], by_slice: dict[str, list[dict[str, Any]]], spec: dict[str, Any]) -> Score | None:
    ranking = spec["ranking"]
    for name in whole:
        for value in by_slice[name]:
            if (value["metric"], value["output"]) == (ranking["metric"], ranking["output"]):
                return _score(value, spec)
    return None
