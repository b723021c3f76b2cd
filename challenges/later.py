"""What the format of a challenge folder will hold in later versions and this one cannot run.

A folder that asks for such a thing gets a plain sentence. Reading past it would run another challenge than the
organiser wrote.
"""

from __future__ import annotations

from challenges.toml_lines import Key

_VALUES: dict[str, tuple[str, frozenset[str]]] = {
    "sensitivity": ("T-LATER-CONTAINER", frozenset({"code-to-data"})),
    "kinds": ("T-LATER-CONTAINER", frozenset({"image", "code"})),
    "kind": ("T-LATER-GUARD", frozenset({"rounding", "ladder", "bootladder"})),
    "format": ("T-LATER-FORMAT", frozenset({"nifti", "dicom", "png", "tiff"})),
}
_KEYS = ("jury", "metric_public", "sites")
_FILES = {"metric.py": "T-LATER-METRIC", "inputs": "T-LATER-INPUTS"}


def value_code(key: Key, value: object) -> str | None:
    """The code of why this value of this key must wait; None if it is no word of a later version."""
    words = [part for part in key if isinstance(part, str)]
    code, values = _VALUES.get(words[-1], ("", frozenset[str]())) if words else ("", frozenset[str]())
    return code if isinstance(value, str) and value in values else None


def is_later_key(key: Key) -> bool:
    """Whether the key belongs to a part of the format that this version does not have."""
    return key[0] in _KEYS


def file_code(path: str) -> str | None:
    """The code of why this file must wait; None if it may stand in a folder of this version."""
    return _FILES.get(path.partition("/")[0])
