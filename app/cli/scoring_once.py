"""One metric on two files: the scoring of a phase, with everything a challenge would declare taken from the command."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.cli.errors import Invalid, Usage
from app.cli.issues import issue_document
from app.cli.output import Output
from app.cli.submit import read_file
from scoring.cases import CaseIndex, read_attributes, read_case_index
from scoring.evaluation import evaluate, validate
from scoring.issues import InputRefused, IssueLog, make_issue
from scoring.metric import MetricCard, ParamsRefused, ReferenceRefused
from scoring.notes import notes
from scoring.params import check_params
from scoring.read import ORGANISER, read_entry, read_reference
from scoring.readers.limits import Unusable
from scoring.readers.unpack import open_plain
from scoring.registry import get
from scoring.spec import CasesSpec, ColumnSpec, MetricUse, RankingSpec, ResampleSpec, ScoringSpec, TableSpec
from scoring.tables import Entry

TABLE = "predictions"


@dataclass(frozen=True)
class Question:
    """What the command asks. `case`: column of ids, "" = the one both files share."""

    metric: str
    reference: Path
    predictions: Path
    params: Mapping[str, Any]
    case: str
    key: tuple[str, ...]
    cluster: str | None
    subgroups: tuple[str, ...]
    missing: Literal["refuse", "worst", "empty"]
    duplicates: Literal["refuse", "first"]
    replicates: int
    seed: int


def answer(question: Question, out: Output) -> list[dict[str, Any]]:
    """The Values (design 11.7) of the metric. Errors: Usage for a wrong question, Invalid with all problems."""
    read_file(question.reference)
    read_file(question.predictions)
    spec = _spec(question)
    index = _index(question, spec)
    reference = _read(read_reference, question.reference, index)
    entry = _read(read_entry, question.predictions, index)
    try:
        log = IssueLog()
        log.extend(validate(spec=spec, index=index, entry=entry))
        _refuse(question.predictions, log)
        with question.reference.open("rb") as stream:
            attributes = read_attributes(stream, index=index, cases=spec.cases, splits=(), seed=question.seed)
        result = evaluate(
            spec=spec, index=index, attributes=attributes, reference=reference, entry=entry, seed=question.seed
        )
    except (ParamsRefused, ReferenceRefused) as error:
        raise Invalid(f"{_capital(str(error))}.") from error
    except InputRefused as error:
        raise _refusal(question.reference, error.issues) from error
    if notes(spec):
        out.note("Intervals are per case, and too narrow if cases share a patient: name that column with --cluster.")
    return [value.to_json() for value in result.values]


def _spec(question: Question) -> ScoringSpec:
    try:
        plugin = get(question.metric)
    except KeyError as error:
        raise Usage(f"{_capital(str(error.args[0]))}.") from error
    card = plugin.card
    assert card.rows != "none"  # `metric` has refused it
    case = question.case or _shared_column(question)
    columns = tuple(_column(name, column, question) for name, column in _entry_columns(card, question.params))
    table = TableSpec(
        name=TABLE,
        file=question.predictions.name,
        case=case,
        key=question.key or (case,),
        columns=tuple({column.name: column for column in columns}.values()),
        rows=card.rows,
        missing=question.missing,
        duplicates=question.duplicates,
    )
    problems = [*_order(card, question.params), *check_params(card, question.params, table)]
    if problems:
        raise Usage(f"{_capital('; '.join(problems))}. See: arbitre metric show {card.key}")
    use = MetricUse(id=card.key, use=card.key, table=TABLE, params=dict(question.params), version=card.version)
    return ScoringSpec(
        tables=(table,),
        cases=CasesSpec(id=case, cluster=question.cluster, subgroups=question.subgroups),
        metrics=(use,),
        splits=(),
        ranking=RankingSpec(metric=card.key, output=card.outputs[0], direction=card.direction),
        resample=ResampleSpec(replicates=question.replicates),
    )


def _order(card: MetricCard, params: Mapping[str, Any]) -> Iterator[str]:
    """Two files tell which labels there are, and not in which order."""
    if card.params.get("properties", {}).get("labels", {}).get("x-ordered") and "labels" not in params:
        yield f"{card.key} needs the parameter 'labels': their order counts, and files do not tell it"


def _entry_columns(card: MetricCard, params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(parameter, column of the predictions) for every column that the parameters or their defaults name."""
    for name, schema in card.params.get("properties", {}).items():
        value = params.get(name, schema.get("default"))
        if schema.get("x-column") == "entry" and isinstance(value, str):
            yield name, value
        if schema.get("additionalProperties", {}).get("x-column") == "entry" and isinstance(value, Mapping):
            yield from ((name, column) for column in value.values() if isinstance(column, str))


def _column(parameter: str, column: str, question: Question) -> ColumnSpec:
    """A column of labels where the parameter says labels, else of numbers; the metric looks at ranges itself."""
    if parameter not in {"prediction", "class"}:
        return ColumnSpec(name=column, type="number")
    labels = question.params.get("labels") or _labels(question, column)
    return ColumnSpec(name=column, type="label", labels=tuple(map(str, labels)))


def _labels(question: Question, column: str) -> list[str]:
    """Every label that occurs in either file, sorted; a column of the same name, or the one of parameter `label`."""
    true_column = str(question.params.get("label", column))
    found = set(_cells(question.reference, true_column)) | set(_cells(question.predictions, column))
    return sorted(found - {""})


def _shared_column(question: Question) -> str:
    """The column of ids: the only one that both files have, or the first of the reference that the other has too."""
    reference, predictions = _header(question.reference), _header(question.predictions)
    shared = [name for name in reference if name and name in predictions]
    if not shared:
        raise Usage(
            f"{question.reference} and {question.predictions} share no column. Name the column of case ids with --id."
        )
    return shared[0]


def _index(question: Question, spec: ScoringSpec) -> CaseIndex:
    """The cases are those of the reference; with a --key, so are the rows that are expected."""
    case = spec.cases.id
    header = _header(question.reference)
    if case not in header:
        raise Usage(f"{question.reference} has no column {case!r}. Its columns: {', '.join(header)}.")
    try:
        with question.reference.open("rb") as stream:
            return read_case_index(stream, tables=spec.tables, cases=spec.cases)
    except InputRefused as error:
        raise _refusal(question.reference, error.issues) from error


def _read(reader: Any, path: Path, index: CaseIndex) -> Entry:
    with path.open("rb") as stream:
        found = reader({TABLE: stream}, index=index, limits=ORGANISER)
    _refuse(path, found.issues)
    entry: Entry = found.entry
    return entry


def _refuse(path: Path, issues: IssueLog) -> None:
    if issues.refused:
        raise _refusal(path, issues)


def _refusal(path: Path, issues: IssueLog) -> Invalid:
    problems = [issue_document(issue.to_json()) for issue in issues.errors]
    return Invalid(f"{path} cannot be scored.", problems=problems)


def _header(path: Path) -> list[str]:
    return next(_records(path), [])


def _cells(path: Path, column: str) -> Iterator[str]:
    records = _records(path)
    header = next(records, [])
    if column in header:
        place = header.index(column)
        yield from (record[place] for record in records if len(record) > place)


def _records(path: Path) -> Iterator[list[str]]:
    """Lines of a file as text cells, leniently: what is wrong with them is told by the real reader afterwards."""
    try:
        with path.open("rb") as stream:
            text = io.TextIOWrapper(open_plain(stream, ORGANISER), "utf-8-sig", errors="replace", newline="")
            yield from csv.reader(text)
    except Unusable as error:
        log = IssueLog()
        log.extend([make_issue(error.code, **error.fields)])  # type: ignore[arg-type]
        raise _refusal(path, log) from error
    except csv.Error as error:
        raise Invalid(f"{path} cannot be read as CSV ({error}).") from error


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
