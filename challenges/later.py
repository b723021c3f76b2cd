"""What the format of a challenge folder will hold in later versions and this one cannot run.

A folder that asks for such a thing gets a plain sentence. Reading past it would run another challenge than the
organiser wrote.
"""

from __future__ import annotations

from challenges.toml_lines import Key

_CONTAINERS = ": only files of predictions are scored so far"
_GUARDS = ": the live split cannot be guarded yet"
_FORMATS = ": only CSV is read so far"

_VALUES: dict[str, dict[str, str]] = {
    "sensitivity": {"code-to-data": _CONTAINERS},
    "kinds": {"image": _CONTAINERS, "code": _CONTAINERS},
    "kind": {"rounding": _GUARDS, "ladder": _GUARDS, "bootladder": _GUARDS},
    "format": {"jsonl": _FORMATS, "parquet": _FORMATS, "nifti": _FORMATS, "png": _FORMATS, "zip": _FORMATS},
}
_KEYS: dict[tuple[str, ...], str] = {
    ("jury",): ": the jury is not there yet",
    ("metric_public",): ": metrics of one's own are not run yet",
    ("sites",): ": data that stay at their sites cannot be scored yet",
}
_FILES: dict[str, str] = {
    "metric.py": ": metrics of one's own are not run yet; use the built-in ones",
    "inputs": _CONTAINERS,
}


def value_hint(key: Key, value: object) -> str | None:
    """Why this value of this key must wait; None if it is no word of a later version."""
    words = [part for part in key if isinstance(part, str)]
    return _VALUES.get(words[-1], {}).get(str(value)) if words else None


def key_hint(key: Key) -> str | None:
    """Why this key must wait; None if it is no key of a later version."""
    for known, hint in _KEYS.items():
        if key[: len(known)] == known:
            return hint
    return None


def file_hint(path: str) -> str | None:
    """Why this file must wait; None if it may stand in a folder of this version."""
    return _FILES.get(path.partition("/")[0])
