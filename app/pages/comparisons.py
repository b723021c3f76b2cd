"""Whether an entry differs from the one before it, in a sentence."""

from __future__ import annotations

from typing import Any

from app.errors import N_
from app.pages.formats import number

NOISE = N_(
    "Compared with submission %(number)s: %(difference)s (%(low)s to %(high)s): within noise; "
    "the two entries cannot be told apart."
)
BETTER = N_("Compared with submission %(number)s: %(difference)s (%(low)s to %(high)s): better, by more than noise.")
WORSE = N_("Compared with submission %(number)s: %(difference)s (%(low)s to %(high)s): worse, by more than noise.")


def compared(
    document: dict[str, Any] | None, *, direction: str, places: int | None, language: str
) -> tuple[str, dict[str, Any]] | None:
    """The sentence of a comparison (services.comparisons.document_for): a message and its fields.

    `direction`: of the ranking value, higher or lower is better. `places`: digits after the point.
    """
    if document is None:
        return None
    up = document["difference"] > 0
    told = NOISE if not document["separable"] else BETTER if up == (direction == "higher") else WORSE
    fields = {key: signed(document[key], language, places=places) for key in ("difference", "low", "high")}
    return told, fields | {"number": number(document["number"], language)}


def signed(value: float, language: str, *, places: int | None) -> str:
    """With its sign, a true minus; what is shown as zero has none."""
    text = number(abs(value), language, places=places)
    if text == number(0.0, language, places=places):
        return text
    return f"{'+' if value > 0 else '−'}{text}"
