"""What scoring must know of one phase: tables, cases, metrics, splits, resampling and ranking. Plain JSON in and out.

`challenges` makes it from a challenge folder; the runner gets it as JSON. It holds nothing secret.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

ColumnType = Literal["text", "number", "integer", "label", "probability"]
Rows = Literal["one", "many"]
Format = Literal["csv", "jsonl", "coco", "parquet"]
Combine = Literal["mean", "max"]
Missing = Literal["refuse", "worst", "empty"]
Duplicates = Literal["refuse", "first"]
Visible = Literal["live", "after_close", "never"]
Direction = Literal["higher", "lower"]
Select = Literal["best", "last", "final"]
Interval = Literal["", "percentile", "basic", "bca", "delong", "none"]
Ties = Literal["bootstrap", "bayes", "exact"]


@dataclass(frozen=True)
class ColumnSpec:
    """One column of an entry. `low`, `high`: bounds, themselves allowed; a probability lies in [0, 1] without them."""

    name: str
    type: ColumnType
    low: float | None = None
    high: float | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableSpec:
    """One file of an entry.

    `case`: the column that holds the case id. `key`: the columns that identify one row; (case,) where rows = "one", and
    where rows = "many" without further columns: rows have no identity and are never duplicates.
    `combine`: with rows = "many", the rows of a case become one, each column its mean (or max) over them.
    """

    name: str
    file: str
    case: str
    key: tuple[str, ...]
    columns: tuple[ColumnSpec, ...]
    rows: Rows = "one"
    missing: Missing = "refuse"
    duplicates: Duplicates = "refuse"
    format: Format = "csv"
    combine: Combine | None = None

    @property
    def rows_scored(self) -> Rows:
        """Rows per case as metrics meet them: one where those of a case are combined."""
        return "one" if self.combine else self.rows

    @property
    def row_key(self) -> tuple[str, ...]:
        """The columns that tell two rows of one case apart; () where nothing does."""
        return self.key if any(name != self.case for name in self.key) else ()


@dataclass(frozen=True)
class CasesSpec:
    """Names of columns: `id` in public/cases.csv and in the attributes file, the others in the attributes file."""

    id: str
    cluster: str | None = None
    site: str | None = None
    subgroups: tuple[str, ...] = ()
    split: str | None = None


@dataclass(frozen=True)
class MetricUse:
    """One use of a metric: its id in the challenge, the metric's key (`use`), the table it reads, its parameters.

    `table` is "" for what reads no table but the outputs of other metrics (`use` = "composite"). `interval`: the method
    that the challenge was made for, so that a newer platform moves no interval; "" is the one on the metric's card.
    """

    id: str
    use: str
    table: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    version: str = "1"
    interval: Interval = ""


@dataclass(frozen=True)
class SplitSpec:
    """A part of the cases: those with `value` in the organiser's own split column, or a `share` drawn by cluster."""

    name: str
    visible: Visible
    value: str | None = None
    share: float | None = None


@dataclass(frozen=True)
class ResampleSpec:
    """Resamples per evaluation, level of the intervals, and below how many clusters nothing is shown."""

    replicates: int = 1000
    level: float = 0.95
    min_clusters_interval: int = 30
    min_clusters_subgroup: int = 10


@dataclass(frozen=True)
class RankingSpec:
    """What orders the board. `finals`: how many entries a team may choose where select = "final"."""

    metric: str
    output: str
    direction: Direction
    select: Select = "best"
    ties: Ties = "bootstrap"
    alpha: float = 0.05
    finals: int = 1


@dataclass(frozen=True)
class ScoringSpec:
    """All of it for one phase."""

    tables: tuple[TableSpec, ...]
    cases: CasesSpec
    metrics: tuple[MetricUse, ...]
    splits: tuple[SplitSpec, ...]
    ranking: RankingSpec
    resample: ResampleSpec = ResampleSpec()


def to_json(spec: ScoringSpec) -> dict[str, Any]:
    """Plain JSON with every key written out, defaults too. `from_json(to_json(spec)) == spec`."""
    plain: dict[str, Any] = _plain(spec, whole=True)
    return plain


def essentials(spec: ScoringSpec) -> dict[str, Any]:
    """`to_json` without the keys that equal their default: a key that is added later changes no digest of this."""
    plain: dict[str, Any] = _plain(spec, whole=False)
    return plain


def from_json(data: object) -> ScoringSpec:
    """The spec that this JSON describes. Raises ValueError naming a key that is unknown, missing or of a wrong kind."""
    spec: ScoringSpec = _read(ScoringSpec, data, "spec")
    return spec


def _plain(value: Any, *, whole: bool) -> Any:
    if is_dataclass(value):
        told = [(part, getattr(value, part.name)) for part in fields(value)]
        return {part.name: _plain(held, whole=whole) for part, held in told if whole or held != _default(part)}
    if isinstance(value, Mapping):
        return {key: _plain(part, whole=whole) for key, part in value.items()}
    return [_plain(part, whole=whole) for part in value] if isinstance(value, tuple | list) else value


def _default(part: Field[Any]) -> Any:
    return part.default if part.default_factory is MISSING else part.default_factory()


def _read(kind: Any, data: Any, where: str) -> Any:
    if is_dataclass(kind):
        return _read_parts(kind, data, where)
    origin, choices = get_origin(kind), get_args(kind)
    if origin is Literal:
        return _checked(data, data in choices, where, f"one of {', '.join(map(str, choices))}")
    if origin in (Union, types.UnionType):
        return None if data is None else _read(choices[0], data, where)
    if origin is tuple:
        _checked(data, isinstance(data, list), where, "a list")
        return tuple(_read(choices[0], part, f"{where}[{i}]") for i, part in enumerate(data))
    if origin is Mapping:
        return dict(_checked(data, isinstance(data, dict), where, "an object"))
    return _read_scalar(kind, data, where)


def _read_parts(kind: Any, data: Any, where: str) -> Any:
    _checked(data, isinstance(data, dict), where, "an object")
    parts, hints = {part.name: part for part in fields(kind)}, get_type_hints(kind)
    unknown = sorted(set(data) - set(parts))
    needed = [n for n, p in parts.items() if p.default is MISSING and p.default_factory is MISSING and n not in data]
    if unknown or needed:
        told = [f"unknown key {name}" for name in unknown] + [f"missing key {name}" for name in needed]
        raise ValueError(f"{where}: {', '.join(told)}")
    return kind(**{name: _read(hints[name], value, f"{where}.{name}") for name, value in data.items()})


def _read_scalar(kind: Any, data: Any, where: str) -> Any:
    if kind is float:
        return float(_checked(data, isinstance(data, int | float) and not isinstance(data, bool), where, "a number"))
    named = {str: "a text", int: "a whole number"}[kind]
    return _checked(data, isinstance(data, kind) and not isinstance(data, bool), where, named)


def _checked(data: Any, good: bool, where: str, wanted: str) -> Any:
    if not good:
        raise ValueError(f"{where}: expected {wanted}, found {data!r:.80}")
    return data
