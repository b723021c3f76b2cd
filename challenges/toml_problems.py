"""From what Pydantic refuses to sentences that name file, line, key, what was expected and what was found."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from challenges import later
from challenges.layout import LANGUAGES, SPEC_FILE
from challenges.problems import Problem, dotted, shown
from challenges.spec import ChallengeSpec
from challenges.toml_lines import Key, line_of

_TYPES = {
    "string_type": "a text in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "tuple_type": "a list in [brackets]",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "at least %s"),
    "greater_than": ("gt", "more than %s"),
    "less_than_equal": ("le", "at most %s"),
    "less_than": ("lt", "less than %s"),
    "string_too_long": ("max_length", "at most %s characters long"),
    "string_too_short": ("min_length", "at least %s character long"),
    "too_short": ("min_length", "a list or table with at least %s item"),
    "too_long": ("max_length", "a list with exactly %s items"),
}


def shape_problems(document: Mapping[str, Any], lines: Mapping[Key, int]) -> list[Problem]:
    """Every way in which the document (as `tomllib` read it) does not have the shape of a ChallengeSpec."""
    try:
        ChallengeSpec.model_validate(document)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        return [_problem(details, document, lines) for details in errors if not _is_echo(details, errors)]
    return []


def _is_echo(details: ErrorDetails, errors: list[ErrorDetails]) -> bool:
    """Pydantic counts only the items it could read, and so calls a list with one wrong item too short."""
    key = details["loc"]
    return details["type"] == "too_short" and any(
        len(e["loc"]) > len(key) and e["loc"][: len(key)] == key for e in errors
    )


def syntax_problem(error: Exception, raw: bytes) -> Problem:
    """The one problem of a text that is not TOML; its line where the error names one."""
    if isinstance(error, UnicodeDecodeError):
        line = raw.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{raw[error.start]:02x} on line {line}"
        return Problem("F-ENCODING", file=SPEC_FILE, line=line, found=found)
    if isinstance(error, RecursionError):
        return Problem("T-SYNTAX", file=SPEC_FILE, found="lists or tables stand too deep in each other")
    words, _, place = str(error).partition(" (at ")
    number = re.match(r"line (\d+)", place)
    last = len(raw.splitlines()) if place else None
    return Problem("T-SYNTAX", file=SPEC_FILE, line=int(number.group(1)) if number else last, found=words)


def _problem(details: ErrorDetails, document: Mapping[str, Any], lines: Mapping[Key, int]) -> Problem:
    key = tuple(part for part in details["loc"] if part != "[key]")
    known: dict[str, Any] = {"file": SPEC_FILE, "line": line_of(key, lines), "key": dotted(key)}
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(key, known)
    if kind == "missing":
        return _absent(key, known)
    if _is_moment(key):
        return Problem("T-MOMENT", **known, expected=_example(value, document), found=shown(str(value)))
    if kind == "literal_error":
        return _literal(key, value, context, known)
    if kind == "string_pattern_mismatch":
        return Problem("T-SLUG" if "(-" in context["pattern"] else "T-NAME", **known, found=shown(value))
    if kind == "value_error":
        return Problem("T-WORD", **known, found=shown(value), fields={"why": str(context["error"])})
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return Problem("T-VALUE", **known, expected=words % context[name], found=shown(value))
    return Problem("T-TYPE", **known, expected=_TYPES.get(kind, details["msg"]), found=shown(value))


def _unknown(key: Key, known: dict[str, Any]) -> Problem:
    hint = later.key_hint(key)
    if hint:
        return Problem("T-LATER-KEY", **known, fields={"hint": hint})
    near = difflib.get_close_matches(str(key[-1]), _known_keys(key[:-1]), n=1)
    return Problem("T-UNKNOWN-KEY", **known, fields={"hint": f"; did you mean {near[0]}" if near else ""})


def _absent(key: Key, known: dict[str, Any]) -> Problem:
    if key[-1] in LANGUAGES:
        return Problem("T-LANGUAGE", **{**known, "key": dotted(key[:-1])}, expected=str(key[-1]))
    return Problem("T-MISSING-KEY", **known)


def _literal(key: Key, value: object, context: Mapping[str, Any], known: dict[str, Any]) -> Problem:
    hint = later.value_hint(key, value)
    code = "T-VALUE" if hint is None else "T-LATER"
    return Problem(code, **known, expected=str(context["expected"]), found=shown(value), fields={"hint": hint or ""})


def _is_moment(key: Key) -> bool:
    return key[:1] == ("phases",) and key[-1] in ("opens", "closes")


def _example(value: object, document: Mapping[str, Any]) -> str:
    """What was meant, where only the offset is missing: the offset that the challenge's zone has on that day."""
    zone = document.get("zone")
    try:
        if isinstance(value, datetime) and isinstance(zone, str):
            return f"{value.replace(tzinfo=ZoneInfo(zone)).isoformat()} (the time in {zone})"
    except (ValueError, OSError, KeyError):
        pass
    return "2026-11-01T09:00:00+01:00"


def _known_keys(path: Key) -> list[str]:
    """Keys of the table at this path, by walking the models; none where the path leaves them."""
    place: Any = ChallengeSpec
    for part in path:
        if isinstance(place, type) and issubclass(place, BaseModel):
            field = place.model_fields.get(str(part))
            place = field.annotation if field else None
        else:
            place = next((inner for inner in reversed(get_args(place)) if inner not in (type(None), ...)), None)
    place = next((inner for inner in get_args(place) if inner is not type(None)), place)
    return list(place.model_fields) if isinstance(place, type) and issubclass(place, BaseModel) else []
