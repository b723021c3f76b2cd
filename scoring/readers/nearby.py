"""Names that nearly match: only to say which one was meant, never to take one for the other."""

import re
import unicodedata
from collections.abc import Callable, Iterable

_PADDED = re.compile(r"\+?0*([1-9][0-9]*|0)(?:[.,]0*)?")
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE][+-]?[0-9]+")
_LONGEST = 500  # characters of a key that is worth a search

Key = tuple[str, ...]


def folded(text: str) -> str:
    """`text` without case, surrounding spaces, invisible characters and differences of width."""
    if text.isascii() and text.isprintable():
        return text.strip().lower()
    wide = unicodedata.normalize("NFKC", text)
    return "".join(c for c in wide if unicodedata.category(c) not in ("Cf", "Cc")).strip().casefold()


def bare(text: str) -> str:
    """`folded`, and a whole number without leading zeros and without .0: what a spreadsheet makes of 007 or 123."""
    plain = folded(text)
    number = _PADDED.fullmatch(plain)
    return number.group(1) if number else plain


def _stem(text: str) -> str:
    """`folded`, without folders and without the file's extension."""
    name = re.split(r"[/\\]", folded(text))[-1]
    return name.rpartition(".")[0] or name


class Nearby:
    """Finds the known key that an unknown one was meant to be, where exactly one comes into question."""

    def __init__(self, known: Iterable[Key]) -> None:
        """`known`: keys of one or more parts, all of the same length."""
        keys = list(known)
        self._forms = [(code, form, _by_form(keys, form)) for code, form in _FORMS]

    def find(self, key: Key) -> tuple[str, Key | None]:
        """The code of the issue, and the key that was meant or None."""
        if sum(map(len, key)) <= _LONGEST:
            for code, form, keys in self._forms:
                right = keys.get(tuple(map(form, key)))
                if right is not None:
                    return code, right
        return ("E-ID-SCIENTIFIC" if any(_SCIENTIFIC.fullmatch(part.strip()) for part in key) else "E-ID-UNKNOWN"), None


_FORMS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("E-ID-FORM", folded),
    ("E-ID-ZEROS", bare),
    ("E-ID-FORM", _stem),
)


def _by_form(keys: Iterable[Key], form: Callable[[str], str]) -> dict[Key, Key | None]:
    """Key in that form → the known key; None where several known keys have the same."""
    found: dict[Key, Key | None] = {}
    for key in keys:
        formed = tuple(map(form, key))
        found[formed] = None if formed in found else key
    return found
