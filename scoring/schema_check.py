"""A value against its JSON Schema, in sentences: the part of JSON Schema that cards of metrics use.

That is: `type`, `enum`, `minimum`, `exclusiveMinimum`, `maximum`, `exclusiveMaximum`; of a list `items`, `minItems`,
`uniqueItems`; of an object `properties` and `required`, or `additionalProperties` (the schema of every value), and
`minProperties`.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

_KINDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "string": (lambda v: isinstance(v, str), "a text"),
    "boolean": (lambda v: isinstance(v, bool), "true or false"),
    "number": (lambda v: isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v), "a number"),
    "integer": (lambda v: isinstance(v, int) and not isinstance(v, bool), "a whole number"),
    "array": (lambda v: isinstance(v, list | tuple), "a list"),
    "object": (lambda v: isinstance(v, Mapping), "a table of names and values"),
}


def wrong(where: str, value: Any, schema: Mapping[str, Any]) -> list[str]:
    """Everything wrong with `value`, one sentence each; `where` is how they name it. [] = it fits."""
    fits, wanted = _KINDS[schema["type"]]
    if not fits(value):
        return [f"{where} must be {wanted}, not {value!r:.80}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where} must be one of {listed(schema['enum'])}, not {value!r:.80}"]
    if "minimum" in schema and value < schema["minimum"]:
        return [f"{where} must be at least {schema['minimum']}, not {value!r:.80}"]
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        return [f"{where} must be above {schema['exclusiveMinimum']}, not {value!r:.80}"]
    if "maximum" in schema and value > schema["maximum"]:
        return [f"{where} must be at most {schema['maximum']}, not {value!r:.80}"]
    if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
        return [f"{where} must be below {schema['exclusiveMaximum']}, not {value!r:.80}"]
    if schema["type"] not in ("array", "object"):
        return []
    if len(value) < schema.get("minItems", schema.get("minProperties", 0)):
        return [f"{where} is empty or too short"]
    return _in_object(where, value, schema) if schema["type"] == "object" else _in_list(where, value, schema)


def listed(names: Any) -> str:
    """Names for a sentence, sorted."""
    return ", ".join(sorted(map(str, names))) or "none"


def _in_list(where: str, value: Any, schema: Mapping[str, Any]) -> list[str]:
    if schema.get("uniqueItems") and len(set(map(str, value))) < len(value):
        return [f"{where} names something twice"]
    return [text for i, part in enumerate(value) for text in wrong(f"{where}, place {i + 1}", part, schema["items"])]


def _in_object(where: str, value: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    properties, every = schema.get("properties"), schema.get("additionalProperties")
    if properties is None:
        return [text for key, part in value.items() for text in wrong(f"{where}, key {key!r}", part, every or {})]
    found = [f"{where} has no {key!r}: it has {listed(properties)}" for key in value if key not in properties]
    found += [f"{where} needs {key!r}" for key in schema.get("required", ()) if key not in value]
    named = ((key, part, properties[key]) for key, part in value.items() if key in properties)
    return found + [text for key, part, form in named for text in wrong(f"{where}, key {key!r}", part, form)]
