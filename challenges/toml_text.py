"""A challenge as TOML text: what the web form edits and the folder export writes.

Only keys that differ from their default are written, in the order of the model; moments are in UTC.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from challenges.spec import ChallengeSpec

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def to_toml(spec: ChallengeSpec) -> str:
    """The text of challenge.toml; reading it again gives an equal spec."""
    document = spec.model_dump(mode="python", exclude_defaults=True)
    return "\n".join(_table((), document)).strip() + "\n"


def _table(path: tuple[str, ...], table: dict[str, Any]) -> Iterator[str]:
    """Plain values first: after the header of an inner table they would belong to that table."""
    inner = {key: value for key, value in table.items() if isinstance(value, dict) or _is_tables(value)}
    for key, value in table.items():
        if key not in inner:
            yield f"{_key(key)} = {_range(value) if key == 'range' and path[:1] == ('entry',) else _value(value)}"
    for key, value in inner.items():
        name = ".".join(_key(part) for part in (*path, key))
        for item in value if not isinstance(value, dict) else (value,):
            yield f"\n[{name}]" if isinstance(value, dict) else f"\n[[{name}]]"
            yield from _table((*path, key), item)


def _is_tables(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(item, dict) for item in value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _text(value: str) -> str:
    """A JSON string is a TOML basic string, but for U+007F."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _range(value: tuple[float | None, float | None]) -> str:
    low, high = value
    return f"[{'-inf' if low is None else _value(low)}, {'inf' if high is None else _value(high)}]"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_key(key)} = {_value(item)}' for key, item in value.items())}}}"
    return repr(value)
