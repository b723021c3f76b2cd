"""Columns of tables as metrics need them: text, numbers, and labels as codes."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scoring.metric import ReferenceRefused
from scoring.tables import Table

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Texts = NDArray[np.str_]

NONE = -1
_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")


def texts(table: Table, column: str) -> Texts:
    """A column as text; whole numbers as written without a point, so that "1" and 1 are the same label."""
    values = table.columns[column]
    if values.dtype.kind == "U":
        return values
    if values.dtype.kind == "f":
        return np.array([f"{v:.0f}" if v.is_integer() else f"{v:g}" for v in values.tolist()], dtype=str)
    return values.astype(str)


def numbers(table: Table, column: str) -> Floats:
    """A column of numbers as float64."""
    return np.asarray(table.columns[column], dtype=np.float64)


def true_numbers(reference: Table, column: str) -> Floats:
    """Numbers of the reference, (rows,): columns that no entry has are read as text. ReferenceRefused for others."""
    _demand(reference, column)
    values = reference.columns[column]
    if values.dtype.kind != "U":
        return np.asarray(values, dtype=np.float64)
    strange = [value for value in values.tolist() if not _NUMBER.fullmatch(value)]
    found = np.array([float(value) for value in values.tolist()]) if not strange else np.zeros(0)
    strange += values[~np.isfinite(found)].tolist() if not strange else []
    if strange:
        told = f"{len(strange)} of {len(values)} cells that are no finite numbers, for example {strange[0]!r:.80}"
        raise ReferenceRefused(f"column {column!r} of the reference holds {told}")
    return found


def truth(reference: Table, column: str) -> Texts:
    """Labels of the reference, (rows,). Raises ReferenceRefused where the column or a label is missing."""
    _demand(reference, column)
    values = texts(reference, column)
    empty = np.flatnonzero(values == "")
    if empty.size:
        raise ReferenceRefused(f"column {column!r} of the reference is empty in {empty.size} of {len(values)} rows")
    return values


def _demand(reference: Table, column: str) -> None:
    if column not in reference.columns:
        raise ReferenceRefused(f"the reference has no column {column!r}: it has {', '.join(sorted(reference.columns))}")


def codes(values: Texts, labels: Sequence[str]) -> Codes:
    """Position of each value among `labels`, -1 where it is none of them."""
    names = np.asarray(labels, dtype=str)
    if names.size == 0:
        return np.full(values.shape, NONE, dtype=np.intp)
    order = np.argsort(names, kind="stable")
    place = np.searchsorted(names[order], values)
    found = order[np.minimum(place, len(names) - 1)]
    return np.where(names[found] == values, found, NONE).astype(np.intp)


def known(values: Texts, labels: Sequence[str], column: str) -> Codes:
    """As `codes`; raises ReferenceRefused where a value is none of the labels."""
    found = codes(values, labels)
    strange = sorted(set(values[found == NONE].tolist()))
    if strange:
        shown = ", ".join(map(repr, strange[:5])) + (", …" if len(strange) > 5 else "")
        raise ReferenceRefused(f"column {column!r} of the reference holds {shown}, none of the declared labels")
    return found
