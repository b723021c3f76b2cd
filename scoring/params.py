"""Parameters of a metric: completed from the table they are used on, and checked against the metric's card.

The schema is JSON Schema (`scoring.schema_check`) with `required`, `oneOf` (lists of required properties), and the
words of our own that `scoring.metrics.schema` names.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from scoring.metric import MetricCard, Params, ParamsRefused
from scoring.schema_check import listed, wrong
from scoring.spec import TableSpec

Schemas = Mapping[str, Mapping[str, Any]]


def resolve_params(card: MetricCard, params: Params, table: TableSpec | None) -> dict[str, Any]:
    """`params` with defaults filled in, and labels taken from the table where the card says so.

    Raises ParamsRefused naming everything that is wrong.
    """
    problems = check_params(card, params, table)
    if problems:
        raise ParamsRefused("; ".join(problems))
    return _completed(card, params, table)


def check_params(card: MetricCard, params: Params, table: TableSpec | None) -> list[str]:
    """Everything wrong with using the metric on this table with these parameters: one sentence each, [] = nothing.

    `table` is None for a metric that reads none (`rows` = "none" on its card), and only for such a one.
    """
    properties = _properties(card)
    full = _completed(card, params, table)
    strange = [name for name in full if name not in properties]
    problems = [f"{card.key} has no parameter {name!r}: it has {listed(properties)}" for name in strange]
    problems += _missing(card, full, table)
    for name, schema in properties.items():
        if name in full:
            found = wrong(f"parameter {name} of {card.key}", full[name], schema)
            problems += found or _odd(card, name, full, table)
    return problems + _rows(card, table)


def _odd(card: MetricCard, name: str, full: Params, table: TableSpec | None) -> Iterator[str]:
    """What is wrong with a parameter of the right form, beside the table and the other parameters."""
    where, schema = f"parameter {name} of {card.key}", _properties(card)[name]
    if table is not None:
        yield from _columns(where, full[name], schema, table)
    if "x-by" in schema:
        yield from _square(where, full[name], full.get(schema["x-by"]))
    if name == "labels":
        yield from _other_labels(where, schema, full, _sources(card, full, table))


def _properties(card: MetricCard) -> Schemas:
    found: Schemas = card.params.get("properties", {})
    return found


def _completed(card: MetricCard, params: Params, table: TableSpec | None) -> dict[str, Any]:
    properties = _properties(card)
    full = {name: schema["default"] for name, schema in properties.items() if "default" in schema} | dict(params)
    if "labels" in full or "labels" not in properties:
        return full
    ordered = properties["labels"].get("x-ordered")
    # The keys of a table have no order of their own: the same challenge may come with them in another one.
    for source, labels in _sources(card, full, table).items():
        if not (ordered and "x-labels" in properties[source]):
            full["labels"] = labels
    return full


def _sources(card: MetricCard, full: Params, table: TableSpec | None) -> dict[str, list[str]]:
    """Parameter -> the labels that it tells: those of the column it names, or its keys."""
    found: dict[str, list[str]] = {}
    column = full.get(card.labels_from or "")
    for declared in table.columns if table is not None and isinstance(column, str) else ():
        if declared.name == column and declared.labels:
            found[str(card.labels_from)] = list(declared.labels)
    for name, schema in _properties(card).items():
        if "x-labels" in schema and isinstance(full.get(name), Mapping):
            found[name] = sorted(map(str, full[name]))
    return found


def _other_labels(
    where: str, schema: Mapping[str, Any], full: Params, sources: Mapping[str, list[str]]
) -> Iterator[str]:
    """Labels that cannot be answered, or that can be answered and are not among the labels."""
    for source, told in sources.items():
        lacking = set(full["labels"]) - set(told)
        spare = set() if full.get("subset") else set(told) - set(full["labels"])
        if lacking | spare and (schema.get("x-ordered") or isinstance(full[source], Mapping)):
            yield f"{where} and {source} must have the same labels: only one of them has {listed(lacking | spare)}"


def _missing(card: MetricCard, full: Params, table: TableSpec | None) -> list[str]:
    needed = [name for name in card.params.get("required", ()) if name not in full]
    missing = [f"{card.key} needs the parameter {name!r}" for name in needed]
    ways = [tuple(way["required"]) for way in card.params.get("oneOf", ())]
    given = {name for way in ways for name in way if name in full}
    if ways and given not in map(set, ways):
        told = " or ".join(" and ".join(way) for way in ways)
        missing.append(f"{card.key} needs exactly one of these sets of parameters: {told}")
    if table is not None and table.missing != "refuse":
        told = f'since table {table.name} takes entries with missing cases (missing = "{table.missing}")'
        lacking = [n for n, s in _properties(card).items() if s.get("x-needed") == "missing" and n not in full]
        missing += [f"{card.key} needs the parameter {name!r}, {told}" for name in lacking]
    return missing


def _columns(where: str, value: Any, schema: Mapping[str, Any], table: TableSpec) -> list[str]:
    """Entry columns that the table does not declare. Columns of the reference are known only with the reference."""
    declared = {column.name for column in table.columns}
    if isinstance(value, Mapping):
        inner = schema.get("additionalProperties", {})
        return [text for part in value.values() for text in _columns(where, part, inner, table)]
    if schema.get("x-column") != "entry" or not isinstance(value, str) or value in declared:
        return []
    return [f"{where} names the column {value!r}, but table {table.name} has {listed(declared)}"]


def _square(where: str, value: Any, labels: Any) -> Iterator[str]:
    if not isinstance(labels, list | tuple) or {len(value), *map(len, value)} == {len(labels)}:
        return
    found = f"{len(value)} rows of {', '.join(map(str, sorted({len(row) for row in value})))}"
    yield f"{where} must be {len(labels)} rows of {len(labels)} numbers, one for each label, not {found}"


def _rows(card: MetricCard, table: TableSpec | None) -> list[str]:
    if table is None:
        return [] if card.rows == "none" else [f"{card.key} needs a table"]
    if card.rows == table.rows_scored:
        return []
    if card.rows == "none":
        return [f"{card.key} reads no table, but outputs of other metrics"]
    told = f' and combine = "{table.combine}"' if table.combine else ""
    return [f'{card.key} needs {card.rows} row(s) per case, but table {table.name} has rows = "{table.rows}"{told}']
