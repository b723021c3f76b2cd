"""What the keys of challenge.toml mean for each other: names that exist, dates in order, splits that can be made.

Each rule reads a spec that may come from `salvage`: a required key that could not be read is None, and a rule passes
over it, since `toml_problems` has told it already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from challenges.layout import CASES_FILE
from challenges.metric_rules import metric_rules
from challenges.phase_rules import phase_rules
from challenges.problems import Problem, shown
from challenges.rule import Finding, place, repeats, words
from challenges.spec import ChallengeSpec, ColumnSpec, TableSpec
from challenges.toml_lines import Key
from scoring.readers.archives import base_name


def rule_problems(spec: ChallengeSpec, lines: Mapping[Key, int]) -> list[Problem]:
    """Every broken rule, in the order of the file."""
    findings = [*_documents(spec), *_tables(spec), *_highest(spec), *_cases(spec), *metric_rules(spec)]
    findings += phase_rules(spec)
    # A table that is named in a way that could not be read is told already.
    told = [finding for finding in findings if finding.code != "R-NO-TABLE" or finding.key not in lines]
    return [place(finding, lines) for finding in told]


def _documents(spec: ChallengeSpec) -> Iterator[Finding]:
    yield from repeats((("documents", i, "slug"), document.slug) for i, document in enumerate(spec.documents))


def _tables(spec: ChallengeSpec) -> Iterator[Finding]:
    if spec.entry is None:
        return
    tables = spec.entry.tables or {}
    files = [(("entry", "tables", name, "file"), table.file) for name, table in tables.items()]
    # In an archive a file is found by its last name, and capitals tell no files apart on every machine.
    yield from repeats((key, base_name(file).casefold()) for key, file in files if file is not None)
    for name, table in tables.items():
        yield from _table(("entry", "tables", name), table)


def _table(key: Key, table: TableSpec) -> Iterator[Finding]:
    if table.rows == "one" and table.key and table.case is not None and table.key != (table.case,):
        yield Finding("R-CASE-COLUMN", (*key, "key"), expected=table.case, found=words(table.key))
    yield from repeats(((*key, "key", i), name) for i, name in enumerate(table.key))
    if table.combine is not None:
        yield from _combine(key, table)
    for name, column in (table.columns or {}).items():
        if name == table.case or name in table.key:
            yield Finding("R-COLUMN-ID", (*key, "columns", name))
        yield from _column((*key, "columns", name), column)


def _combine(key: Key, table: TableSpec) -> Iterator[Finding]:
    if table.rows == "one":
        yield Finding("R-COMBINE-ONE", (*key, "combine"), found=shown(table.combine))
    for name, column in (table.columns or {}).items():
        if column.type in ("text", "label"):
            yield Finding("R-COMBINE-TYPE", (*key, "columns", name, "type"), expected=table.combine, found=column.type)


def _highest(spec: ChallengeSpec) -> Iterator[Finding]:
    """The highest probability of each label over the rows of a case: together more than 1, which metrics refuse."""
    tables = (spec.entry and spec.entry.tables) or {}
    for metric in spec.metrics or ():
        table = tables.get(metric.table or "")
        if table is not None and table.combine == "max" and "probabilities" in (metric.params or {}):
            yield Finding("R-COMBINE-MAX", ("entry", "tables", metric.table or "", "combine"), found=shown(metric.id))


def _column(key: Key, column: ColumnSpec) -> Iterator[Finding]:
    if column.type == "label" and not column.labels:
        yield Finding("R-LABELS", key, found="none")
    if column.type not in ("label", None) and column.labels:
        yield Finding("R-NO-LABELS", (*key, "labels"))
    yield from repeats(((*key, "labels", i), label) for i, label in enumerate(column.labels))
    if column.range is not None and column.type is not None:
        yield from _range((*key, "range"), column)


def _range(key: Key, column: ColumnSpec) -> Iterator[Finding]:
    if column.type in ("text", "label"):
        yield Finding("R-NO-RANGE", key)
        return
    assert column.range is not None
    low, high = column.range
    found = f"[{'-inf' if low is None else low}, {'inf' if high is None else high}]"
    if low is not None and high is not None and low >= high:
        yield Finding("R-RANGE", key, found=found)
    elif column.type == "probability" and not (low is not None and high is not None and low >= 0 and high <= 1):
        yield Finding("R-RANGE-PROBABILITY", key, found=found)
    elif column.type == "integer" and any(side is not None and side != int(side) for side in (low, high)):
        yield Finding("R-RANGE-INTEGER", key, found=found)


def _cases(spec: ChallengeSpec) -> Iterator[Finding]:
    cases = spec.cases
    if cases is None:
        return
    if cases.file is not None and cases.file != CASES_FILE and not cases.file.startswith("reference/"):
        yield Finding("R-CASES-FILE", ("cases", "file"), expected=CASES_FILE, found=shown(cases.file))
    if cases.file == CASES_FILE and cases.split is not None:
        yield Finding("R-SPLIT-PUBLIC", ("cases", "split"), found=shown(cases.split))
    purposes: list[tuple[Key, object]] = [
        (("cases", "id"), cases.id),
        (("cases", "cluster"), cases.cluster),
        (("cases", "split"), cases.split),
    ]
    yield from repeats([*purposes, *((("cases", "subgroups", i), name) for i, name in enumerate(cases.subgroups))])
