"""Pieces of the JSON Schemas of metric parameters, so that the same parameter is described alike everywhere.

Words of our own in them (`scoring.params` checks what they say): `x-column`: names a column of the entry or reference.
`x-labels`: the keys are labels. `x-ordered`: the order of the labels counts, and all labels of the answers are there.
`x-by`: a square of numbers, rows and columns as that parameter lists them. `x-needed` = "missing": needed where the
table takes entries with missing cases.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Schema = dict[str, Any]

LABEL: Schema = {"type": "string", "x-column": "reference", "description": "column of the reference with the answer"}
SCORE: Schema = {"type": "string", "x-column": "entry", "description": "column of the entry with the score"}
VALUE: Schema = {"type": "string", "x-column": "entry", "description": "column of the entry with the number"}
PREDICTION: Schema = {"type": "string", "x-column": "entry", "description": "column of the entry with the label"}
POSITIVE: Schema = {"type": "string", "description": "the label that counts as positive; all others are negative"}
LABELS: Schema = {
    "type": "array",
    "items": {"type": "string"},
    "minItems": 1,
    "uniqueItems": True,
    "description": (
        "the label set; by default the labels of the prediction column, or those of the probabilities in alphabetical "
        "order; of equal probabilities the label that stands first here is the answer"
    ),
}
ORDERED_LABELS: Schema = LABELS | {
    "minItems": 2,
    "x-ordered": True,
    "description": (
        "all labels in their order; by default the labels of the prediction column; to be given with probabilities; "
        "of equal probabilities the label that stands first here is the answer"
    ),
}
PROBABILITIES: Schema = {
    "type": "object",
    "additionalProperties": {"type": "string", "x-column": "entry"},
    "minProperties": 2,
    "x-labels": True,
    "description": "column of the entry with the probability of each label",
}
ABSENT: Schema = {
    "enum": ["nan", "skip"],
    "type": "string",
    "default": "nan",
    "description": "what a mean over labels is where one of them does not occur: undefined, or the mean of the others",
}
SUBSET: Schema = {
    "type": "boolean",
    "default": False,
    "description": "true: labels outside the label set may occur, and count as none of them",
}


def schema(
    properties: Mapping[str, Schema], *, required: Sequence[str] = (), one_of: Sequence[Sequence[str]] = ()
) -> Schema:
    """An object of these properties and no others; `one_of`: sets of properties of which exactly one is given."""
    made: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    if required:
        made["required"] = list(required)
    if one_of:
        made["oneOf"] = [{"required": list(way)} for way in one_of]
    return made
