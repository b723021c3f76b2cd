"""Parameters of a metric: completed from the table they are used on, and checked against the metric's card.

The schema is JSON Schema, of which this reads `properties` (type, enum, default, minimum, exclusiveMinimum, items,
additionalProperties), `required` and `oneOf` (lists of required properties).
"""

from collections.abc import Callable, Mapping
from typing import Any

from scoring.metric import MetricCard, Params, ParamsRefused
from scoring.spec import TableSpec

_KINDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "string": (lambda v: isinstance(v, str), "a text"),
    "boolean": (lambda v: isinstance(v, bool), "true or false"),
    "number": (lambda v: isinstance(v, int | float) and not isinstance(v, bool), "a number"),
    "integer": (lambda v: isinstance(v, int) and not isinstance(v, bool), "a whole number"),
    "array": (lambda v: isinstance(v, list | tuple), "a list"),
    "object": (lambda v: isinstance(v, Mapping), "a table of names and values"),
}


def resolve_params(card: MetricCard, params: Params, table: TableSpec) -> dict[str, Any]:
    """`params` with defaults filled in, and labels taken from the table where the card says so.

    Raises ParamsRefused naming everything that is wrong.
    """
    problems = check_params(card, params, table)
    if problems:
        raise ParamsRefused("; ".join(problems))
    return _completed(card, params, table)


def check_params(card: MetricCard, params: Params, table: TableSpec) -> list[str]:
    """Everything wrong with using the metric on this table with these parameters: one sentence each, [] = nothing."""
    properties = card.params.get("properties", {})
    full = _completed(card, params, table)
    strange = [name for name in full if name not in properties]
    problems = [f"{card.key} has no parameter {name!r}: it has {_list(properties)}" for name in strange]
    problems += _missing(card, full)
    for name, schema in properties.items():
        if name in full:
            problems += _wrong(f"parameter {name} of {card.key}", full[name], schema)
            problems += _columns(f"parameter {name} of {card.key}", full[name], schema, table)
    if card.rows != table.rows_scored:
        told = f' and combine = "{table.combine}"' if table.combine else ""
        problems.append(
            f'{card.key} needs {card.rows} row(s) per case, but table {table.name} has rows = "{table.rows}"{told}'
        )
    return problems


def _completed(card: MetricCard, params: Params, table: TableSpec) -> dict[str, Any]:
    properties = card.params.get("properties", {})
    full = {name: schema["default"] for name, schema in properties.items() if "default" in schema} | dict(params)
    if "labels" not in full and isinstance(source := full.get(card.labels_from or ""), str):
        labels = [column.labels for column in table.columns if column.name == source]
        full |= {"labels": list(labels[0])} if labels and labels[0] else {}
    return full


def _missing(card: MetricCard, full: Params) -> list[str]:
    needed = [name for name in card.params.get("required", ()) if name not in full]
    missing = [f"{card.key} needs the parameter {name!r}" for name in needed]
    ways = [tuple(way["required"]) for way in card.params.get("oneOf", ())]
    given = {name for way in ways for name in way if name in full}
    if ways and given not in map(set, ways):
        told = " or ".join(" and ".join(way) for way in ways)
        missing.append(f"{card.key} needs exactly one of these sets of parameters: {told}")
    return missing


def _wrong(where: str, value: Any, schema: Mapping[str, Any]) -> list[str]:
    fits, wanted = _KINDS[schema["type"]]
    if not fits(value):
        return [f"{where} must be {wanted}, not {value!r:.80}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where} must be one of {_list(schema['enum'])}, not {value!r:.80}"]
    if "minimum" in schema and value < schema["minimum"]:
        return [f"{where} must be at least {schema['minimum']}, not {value!r:.80}"]
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        return [f"{where} must be above {schema['exclusiveMinimum']}, not {value!r:.80}"]
    return _wrong_parts(where, value, schema)


def _wrong_parts(where: str, value: Any, schema: Mapping[str, Any]) -> list[str]:
    if schema["type"] == "object":
        parts = [(f"{where}, key {key!r}", part, schema["additionalProperties"]) for key, part in value.items()]
    elif schema["type"] == "array":
        parts = [(f"{where}, place {i + 1}", part, schema["items"]) for i, part in enumerate(value)]
    else:
        return []
    if len(value) < schema.get("minItems", schema.get("minProperties", 0)):
        return [f"{where} is empty or too short"]
    twice = schema.get("uniqueItems") and len(set(map(str, value))) < len(value)
    return [f"{where} names something twice"] if twice else [text for part in parts for text in _wrong(*part)]


def _columns(where: str, value: Any, schema: Mapping[str, Any], table: TableSpec) -> list[str]:
    """Entry columns that the table does not declare. Columns of the reference are known only with the reference."""
    declared = {column.name for column in table.columns}
    if isinstance(value, Mapping):
        inner = schema.get("additionalProperties", {})
        return [text for part in value.values() for text in _columns(where, part, inner, table)]
    if schema.get("x-column") != "entry" or not isinstance(value, str) or value in declared:
        return []
    return [f"{where} names the column {value!r}, but table {table.name} has {_list(declared)}"]


def _list(names: Any) -> str:
    return ", ".join(sorted(map(str, names))) or "none"
