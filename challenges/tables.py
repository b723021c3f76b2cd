"""Tables of the entry and columns of the cases as scoring sees them."""

from __future__ import annotations

from challenges.spec import ChallengeSpec, TableSpec
from scoring import spec as scoring


def scoring_table(name: str, table: TableSpec) -> scoring.TableSpec:
    """The table with defaults filled in: the key of a row is the case, a probability lies in [0, 1]."""
    columns = []
    for column, form in table.columns.items():
        unset = (0.0, 1.0) if form.type == "probability" else (None, None)
        low, high = form.range if form.range is not None else unset
        columns.append(scoring.ColumnSpec(name=column, type=form.type, low=low, high=high, labels=form.labels))
    return scoring.TableSpec(
        name=name,
        file=table.file,
        format=table.format,
        key=table.key or (table.case,),
        case=table.case,
        columns=tuple(columns),
        rows=table.rows,
        combine=table.combine,
        missing=table.missing,
        duplicates=table.duplicates,
    )


def scoring_tables(spec: ChallengeSpec) -> tuple[scoring.TableSpec, ...]:
    """All tables of the entry, in the order of challenge.toml."""
    return tuple(scoring_table(name, table) for name, table in spec.entry.tables.items())


def scoring_cases(spec: ChallengeSpec) -> scoring.CasesSpec:
    """The columns of the case files."""
    return scoring.CasesSpec(**spec.cases.model_dump(exclude={"file"}))
