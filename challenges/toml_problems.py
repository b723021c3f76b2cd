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
from challenges.words import WordRefused

_TYPES = {
    "string_type": "T-TEXT",
    "int_type": "T-WHOLE",
    "int_from_float": "T-WHOLE",
    "float_type": "T-NUMBER",
    "finite_number": "T-NUMBER",
    "bool_type": "T-BOOLEAN",
    "tuple_type": "T-LIST",
    "dict_type": "T-TABLE",
    "model_type": "T-TABLE",
    "model_attributes_type": "T-TABLE",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "T-LEAST"),
    "greater_than": ("gt", "T-ABOVE"),
    "less_than_equal": ("le", "T-MOST"),
    "less_than": ("lt", "T-BELOW"),
    "string_too_long": ("max_length", "T-LONG"),
    "string_too_short": ("min_length", "T-EMPTY"),
    "too_short": ("min_length", "T-FEW"),
    "too_long": ("max_length", "T-MANY"),
}
_ZONED = "2026-11-01T09:00:00+01:00"


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
        return Problem("F-ENCODING", file=SPEC_FILE, line=line, found=f"0x{raw[error.start]:02x}")
    if isinstance(error, RecursionError):
        return Problem("T-DEEP", file=SPEC_FILE)
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
        return _word(context["error"], value, known)
    if kind in _BOUNDS:
        name, code = _BOUNDS[kind]
        return Problem(code, **known, expected=str(context[name]), found=shown(value))
    return Problem(_TYPES.get(kind, "T-OTHER"), **known, expected=details["msg"], found=shown(value))


def _word(error: Exception, value: object, known: dict[str, Any]) -> Problem:
    if isinstance(error, WordRefused):
        return Problem(error.code, **known, expected=error.found, found=shown(value))
    return Problem("T-OTHER", **known, expected=str(error), found=shown(value))


def _unknown(key: Key, known: dict[str, Any]) -> Problem:
    if later.is_later_key(key):
        return Problem("T-LATER-KEY", **known)
    near = difflib.get_close_matches(str(key[-1]), _known_keys(key[:-1]), n=1)
    return Problem("T-UNKNOWN-NEAR", **known, expected=near[0]) if near else Problem("T-UNKNOWN-KEY", **known)


def _absent(key: Key, known: dict[str, Any]) -> Problem:
    if key[-1] in LANGUAGES:
        return Problem("T-LANGUAGE", **{**known, "key": dotted(key[:-1])}, expected=str(key[-1]))
    return Problem("T-MISSING-KEY", **known)


def _literal(key: Key, value: object, context: Mapping[str, Any], known: dict[str, Any]) -> Problem:
    code = later.value_code(key, value) or "T-CHOICE"
    words = str(context["expected"]).replace(" or ", ", ")
    return Problem(code, **known, expected=words, found=shown(value))


def _is_moment(key: Key) -> bool:
    return key[:1] == ("phases",) and key[-1] in ("opens", "closes")


def _example(value: object, document: Mapping[str, Any]) -> str:
    """What was meant, where only the offset is missing: the time in the challenge's zone on that day."""
    zone = document.get("zone")
    try:
        if isinstance(value, datetime) and isinstance(zone, str):
            return value.replace(tzinfo=ZoneInfo(zone)).isoformat()
    except (ValueError, OSError, KeyError):
        return _ZONED
    return _ZONED


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
