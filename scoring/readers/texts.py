"""Texts out of files that are not text: numpy and UTF-8 must be able to keep every character of them."""

from collections.abc import Sequence

from scoring.readers.cells import Odd

_SHOWN = 100


def whole_text(text: str, code: str = "E-SURROGATE") -> str:
    """The text, where it has no NUL (numpy drops one at the end) and no half of a character; else an `Odd`.

    `code`: of a half of a character.
    """
    if "\0" in text:
        return Odd(text[:_SHOWN], "E-NUL")
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        return Odd(text[max(0, fault.start - 20) : fault.start + 20], code)
    return text


def all_whole(texts: Sequence[str]) -> bool:
    """Whether all of them are ASCII without NUL, as most are."""
    joined = "".join(texts)
    return joined.isascii() and "\0" not in joined


def quoted(text: str) -> Odd:
    """A text where a number must be."""
    return Odd(f'"{text[:_SHOWN]}"', "E-CELL-TEXT")


def truth(value: bool) -> Odd:
    """A truth value where a number or a text must be."""
    return Odd("true" if value else "false", "E-CELL-BOOL")
