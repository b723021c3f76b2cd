"""The keys of JSON objects: which of them is which column, told once for all lines that have the same keys."""

from collections.abc import Sequence
from dataclasses import dataclass

from scoring.issues import Tell
from scoring.readers.header import Wanted
from scoring.readers.nearby import folded

_KEPT = 1_000


@dataclass(frozen=True)
class Shape:
    """`places`: column → position of its key in the object, None where it has none. `twice`: a key that repeats."""

    places: dict[str, int | None]
    twice: str | None


class Shapes:
    """All shapes of one file. `columns`: names found so far, in order. `extra`: keys that are no column."""

    def __init__(self, wanted: Wanted, tell: Tell, most: int) -> None:
        """`most`: different keys that a file may have."""
        self._wanted, self._tell, self._most = wanted, tell, most
        self._known: dict[tuple[str, ...], Shape] = {}
        self._misnamed: set[tuple[str, str]] = set()
        self.columns: dict[str, None] = {}
        self.extra: dict[str, None] = {}
        self.first: tuple[tuple[str, ...], int] = (), 1

    def of(self, keys: tuple[str, ...], line: int) -> Shape | None:
        """The shape of an object with these keys; None where there are too many, which is told. `line`: where it is."""
        found = self._known.get(keys)
        if found is not None:
            return found
        if len(keys) > self._most or len(self.columns) + len(self.extra) + len(self._misnamed) > self._most:
            self._tell("E-COL-COUNT", line=line, found=max(len(keys), self._most + 1), most=self._most)
            return None
        shape = self._new(keys, line)
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[keys] = shape
        return shape

    def tell_missing(self) -> None:
        """E-COL-MISSING for each required column that no object has."""
        keys, line = self.first
        for name in self._wanted.required:
            if name not in self.columns:
                self._tell("E-COL-MISSING", line=line, column=name, found=", ".join(keys[:20]) or "-")

    def _new(self, keys: Sequence[str], line: int) -> Shape:
        self.first = self.first if self.first[0] else (tuple(keys), line)
        names = self._wanted.names
        near = {folded(key): place for place, key in reversed(list(enumerate(keys))) if key not in names}
        places: dict[str, int | None] = {}
        for name in names:
            places[name] = keys.index(name) if name in keys else near.get(folded(name))
        for name, place in places.items():
            if place is not None and keys[place] != name and (name, keys[place]) not in self._misnamed:
                self._misnamed.add((name, keys[place]))
                self._tell("E-COL-HEADER", line=line, column=name, value=keys[place])
        self._add_others(keys, places, line)
        found = {name: None for name, place in places.items() if place is not None}
        if not found.keys() <= self.columns.keys():
            self._known.clear()  # they do not know of the new columns
            self.columns |= found
        return Shape(places, _repeated(keys))

    def _add_others(self, keys: Sequence[str], places: dict[str, int | None], line: int) -> None:
        taken = set(places.values())
        for place, key in enumerate(keys):
            if place in taken or key in places:
                continue
            if self._wanted.keep_others and key:
                places[key] = place
            elif key not in self.extra:
                self.extra[key] = None
                if key:
                    self._tell("W-COL-EXTRA", line=line, column=key, place=place + 1)
                else:
                    self._tell("W-COL-UNNAMED", line=line, place=place + 1)


def _repeated(keys: Sequence[str]) -> str | None:
    if len(set(keys)) == len(keys):
        return None
    return next(key for i, key in enumerate(keys) if key in keys[:i])
