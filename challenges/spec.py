"""The shape of ``challenge.toml`` (`spec = 1`), as Pydantic models.

Only the shape is here: types, allowed words, lengths. What one key means for another (a ranking metric that exists, a
phase that closes after it opens) is in `challenges.rules`, so that all problems can be told at once.
Unknown keys are refused everywhere. Later versions add optional keys with defaults; the canonical form omits keys equal
to their default, so no digest changes when a key is added.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, Strict

from challenges.words import WordRefused, check_json, check_line, check_path, check_zone

Slug = Annotated[str, Strict(), Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Name = Annotated[str, Strict(), Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Line = Annotated[str, Strict(), Field(min_length=1, max_length=300), AfterValidator(check_line)]
Label = Annotated[str, Strict(), Field(min_length=1, max_length=100), AfterValidator(check_line)]
Path = Annotated[str, Strict(), Field(min_length=1, max_length=500), AfterValidator(check_path)]
Zone = Annotated[str, Strict(), AfterValidator(check_zone)]
Count = Annotated[int, Strict(), Field(ge=1, le=1_000_000)]
Real = Annotated[float, Strict(), Field(allow_inf_nan=False)]


def _bound(value: object) -> object:
    """An open side of a range: TOML writes it `inf` or `-inf`, JSON null."""
    return None if isinstance(value, float) and math.isinf(value) else value


def _moment(value: object) -> object:
    if isinstance(value, str | datetime):
        return value
    raise WordRefused("T-MOMENT")


def _utc(value: datetime) -> datetime:
    """One moment has one spelling in the canonical form, whatever offset it was written with."""
    return value.astimezone(UTC)


Bound = Annotated[Real | None, BeforeValidator(_bound)]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment), AfterValidator(_utc)]
Params = Annotated[dict[str, Any], AfterValidator(check_json)]


class Part(BaseModel):
    """One table of the file: immutable, and closed to keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(Part):
    """A short text in both languages."""

    fr: Line
    en: Line


class Pages(Part):
    """A file in both languages: paths inside the folder."""

    fr: Path
    en: Path


class DocumentSpec(Part):
    """A text that participants read and accept; a higher `version` asks them again."""

    slug: Slug = "rules"
    version: Count
    title: Text
    file: Pages
    required: Annotated[bool, Strict()] = True


class ColumnSpec(Part):
    """One column of an entry. `range` is [low, high], both included; `labels` are the only values a label may take."""

    type: Literal["text", "number", "integer", "label", "probability"]
    range: tuple[Bound, Bound] | None = None
    labels: tuple[Label, ...] = ()


class TableSpec(Part):
    """One file of an entry. `case` is the column with the case id; `key` names one row (empty: the case itself).

    `combine`: many rows of a case become one, each column its mean or max over them.
    """

    file: Path = "predictions.csv"
    format: Literal["csv", "jsonl", "coco", "parquet"] = "csv"
    key: tuple[Line, ...] = ()
    case: Line
    columns: dict[Line, ColumnSpec]
    rows: Literal["one", "many"] = "one"
    combine: Literal["mean", "max"] | None = None
    missing: Literal["refuse", "worst", "empty"] = "refuse"
    duplicates: Literal["refuse", "first"] = "refuse"


class EntrySpec(Part):
    """What a participant sends: one or more named tables."""

    tables: dict[Name, TableSpec] = Field(min_length=1)


class CasesSpec(Part):
    """Column names in the attributes file (ids for validation always come from `public/cases.csv`)."""

    file: Path = "public/cases.csv"
    id: Line
    cluster: Line | None = None
    site: Line | None = None
    subgroups: tuple[Line, ...] = ()
    split: Line | None = None


class MetricSpec(Part):
    """One use of a metric: its own id, the key of the metric, the table it reads, its parameters.

    `table` is left out for `use = "composite"` alone, which reads outputs of other metrics.
    """

    id: Name
    use: Line
    table: Name | None = None
    params: Params = {}


class QuotaSpec(Part):
    """Entries per team that are scored or fail; a day begins at 00:00 in the challenge's zone."""

    day: Count = 5
    total: Count = 100


class SplitSpec(Part):
    """A part of the cases: those whose split column holds `value`, or a `share` drawn by cluster."""

    name: Name
    visible: Literal["live", "after_close", "never"]
    value: Label | None = None
    share: Annotated[float, Strict(), Field(gt=0, le=1)] | None = None


class RankingSpec(Part):
    """What orders the board: the main output of `metric` unless `output` names another."""

    metric: Name
    output: Line | None = None
    select: Literal["best", "last", "final"] = "best"
    ties: Literal["bootstrap", "bayes", "exact"] = "bootstrap"
    alpha: Annotated[float, Strict(), Field(gt=0, lt=0.5)] = 0.05
    finals: Count = 1


class GuardSpec(Part):
    """Protection of the live split against being learned from its own scores."""

    kind: Literal["none"] = "none"


class LimitSpec(Part):
    """Largest entry as expanded (MB = 10^6 bytes), and the time and memory one scoring may take."""

    size_mb: Count = 50
    wall_s: Count = 60
    memory_mb: Count = 2048


class PhaseSpec(Part):
    """A window [opens, closes) with its own quotas, splits, metrics and board."""

    slug: Slug = "main"
    title: Text | None = None
    opens: Moment
    closes: Moment
    kinds: tuple[Literal["predictions"], ...] = ("predictions",)
    quotas: QuotaSpec = QuotaSpec()
    splits: tuple[SplitSpec, ...] = Field(min_length=1)
    metrics: tuple[Name, ...] = Field(min_length=1)
    ranking: RankingSpec
    guard: GuardSpec = GuardSpec()
    limits: LimitSpec = LimitSpec()
    precision: Annotated[int, Strict(), Field(ge=0, le=12)] | None = None


class JurySpec(Part):
    """Reserved: this version has no key of the jury yet."""


class ChallengeSpec(Part):
    """The whole of ``challenge.toml``."""

    spec: Literal[1]
    slug: Slug
    zone: Zone
    sensitivity: Literal["open", "controlled"]
    title: Text
    summary: Text | None = None
    documents: tuple[DocumentSpec, ...] = ()
    entry: EntrySpec
    cases: CasesSpec
    metrics: tuple[MetricSpec, ...] = Field(min_length=1)
    phases: tuple[PhaseSpec, ...] = Field(min_length=1)
    jury: JurySpec = JurySpec()
    bias: dict[Name, Text] = {}


def phase_of(spec: ChallengeSpec, *, slug: str) -> PhaseSpec:
    """The phase of that slug; KeyError naming the phases there are."""
    for phase in spec.phases:
        if phase.slug == slug:
            return phase
    raise KeyError(f"No phase {slug!r} in {spec.slug}: there are {', '.join(phase.slug for phase in spec.phases)}.")
