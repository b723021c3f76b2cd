"""How an entry compares with the one before it, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.cli.values import text_of


def sentence(compared: Mapping[str, Any]) -> str:
    """`Compared with submission 3: +0.004 (-0.011 to +0.019): within noise; …`."""
    difference, low, high = (signed(compared[name]) for name in ("difference", "low", "high"))
    told = (
        "more than noise; the two entries can be told apart."
        if compared.get("separable")
        else "within noise; the two entries cannot be told apart."
    )
    return f"Compared with submission {compared['number']}: {difference} ({low} to {high}): {told}"


def signed(value: Any) -> str:
    """With its sign, a true minus; zero has none."""
    text = text_of(abs(value))
    return text if not value else f"{'+' if value > 0 else '−'}{text}"
