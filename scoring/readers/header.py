"""The names of columns: which is which, and the delimiter of a CSV file.

Names match exactly only. Where one is nearly there, the right name is told and reading goes on, so that the other
faults of the file are found too.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from scoring.issues import Tell
from scoring.readers.nearby import folded

_DELIMITERS = (",", ";", "\t", "|")


def _never(_: str) -> bool:
    return False


@dataclass(frozen=True)
class Wanted:
    """Columns to take: `names`, of which `required` must be there and `numeric` hold numbers.

    `keep_others`: columns of other names are taken too, instead of being listed as extra. `is_id`: whether a cell is a
    known id, to notice a file without a header line. `ids`: the columns that say what a row is about.
    """

    names: Sequence[str]
    required: Sequence[str]
    numeric: Sequence[str] = ()
    keep_others: bool = False
    is_id: Callable[[str], bool] = _never
    ids: Sequence[str] = ()


def choose_delimiter(first: str, names: Sequence[str]) -> str:
    """The delimiter under which the line holds most of `names`; the comma unless another does better."""
    best, most = ",", (0, 1)
    for delimiter in _DELIMITERS:
        cells = first.strip("\r\n").replace('"', "").split(delimiter)
        score = matches(cells, names), min(len(cells), 2)
        if score > most:
            best, most = delimiter, score
    return best


def locate(header: Sequence[str], *, wanted: Wanted, most: int, tell: Tell) -> dict[str, int] | None:
    """Name → position of the columns to take, or None where the header is no header.

    Reports E-HEADER, E-COL-COUNT, E-COL-DUP, E-COL-HEADER (nearly the name) and E-COL-MISSING.
    """
    if len(header) > most:
        tell("E-COL-COUNT", found=len(header), most=most)
        return None
    if not matches(header, wanted.names) and any(map(wanted.is_id, header)):
        tell("E-HEADER", value=", ".join(header[:20]), names=", ".join(wanted.names))
        return None
    found: dict[str, int] = {}
    near = {folded(name): i for i, name in reversed(list(enumerate(header))) if name not in wanted.names}
    for name in wanted.names:
        if name in header:
            found[name] = header.index(name)
        elif (place := near.get(folded(name))) is not None:
            tell("E-COL-HEADER", column=name, value=header[place])
            found[name] = place
        elif name in wanted.required:
            tell("E-COL-MISSING", column=name, found=", ".join(header[:20]) or "-")
    if wanted.keep_others:
        found |= {name: i for i, name in enumerate(header) if name and i not in found.values() and name not in found}
    _tell_repeated(header, found, tell)
    return found


def tell_extra(header: Sequence[str], places: dict[str, int], tell: Tell) -> int:
    """Name the columns that are not used (W-COL-EXTRA); how many there are."""
    extra = [(i, name) for i, name in enumerate(header) if i not in set(places.values()) and name not in places]
    for place, name in extra:
        if name:
            tell("W-COL-EXTRA", column=name, place=place + 1)
        else:
            tell("W-COL-UNNAMED", place=place + 1)
    return len(extra)


def _tell_repeated(header: Sequence[str], names: Iterable[str], tell: Tell) -> None:
    for name in names:
        places = [str(i) for i, other in enumerate(header, 1) if other == name]
        if len(places) > 1:
            tell("E-COL-DUP", column=name, places=", ".join(places))


def matches(header: Iterable[str], wanted: Iterable[str]) -> int:
    """How many wanted names a header holds, exactly or nearly."""
    return len({folded(name) for name in header} & {folded(name) for name in wanted})
