"""What people write on one line: what of it is kept, and when two names look the same."""

from __future__ import annotations

import unicodedata

BASELINE = "Baseline"
"""The name of the organisers' own team; no other team may bear it."""


def one_line(text: str) -> str:
    """`text` without blanks at its ends or in a row, in NFC."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def is_name(text: str, *, longest: int) -> bool:
    """1 to `longest` characters, all of them visible: no control characters, direction marks or zero-width ones."""
    return 1 <= len(text) <= longest and text.isprintable()


def likeness(name: str) -> str:
    """Equal for names that a reader takes for one: without regard to case, width and ligatures (NFKC, casefold)."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def shown_text(text: str) -> str:
    """A note or a file's name in NFC: every blank a space (lines stay), everything invisible a visible �."""
    return "".join(_shown(character) for character in unicodedata.normalize("NFC", text.replace("\r\n", "\n")))


def _shown(character: str) -> str:
    if character == "\n" or character.isprintable():
        return character
    return " " if character == "\t" or unicodedata.category(character) == "Zs" else "\ufffd"
