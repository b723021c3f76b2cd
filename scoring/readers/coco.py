"""Files in COCO's form as cells of text: the results of a detector, a list of boxes; or a reference, an object.

A line is the position of a box in its list, from 1. Faults of its form and of its cells are reported all at once; where
the JSON itself breaks off, those before are.
"""

from functools import partial
from typing import Any, BinaryIO, cast

from scoring.issues import IssueLog, Tell
from scoring.readers.coco_items import Items
from scoring.readers.csv import Sheet
from scoring.readers.header import Wanted
from scoring.readers.json_stream import Stream
from scoring.readers.limits import Limits, Unusable
from scoring.readers.unpack import drain, open_plain

_FORMAT = "JSON in COCO's form"
_TRUTH = "annotations"


def read_sheet(stream: BinaryIO, *, wanted: Wanted, most_rows: int, limits: Limits, log: IssueLog, table: str) -> Sheet:
    """Read one file, from a seekable stream; all faults go to `log`. At most `most_rows` rows are held.

    With `wanted.keep_others` it is a reference, whose boxes stand under ``annotations`` and have `iscrowd` and `area`
    besides; else the list of boxes alone, which may be empty.
    """
    sheet, tell = Sheet(), cast(Tell, partial(log.add, table=table))
    items = Items(wanted, sheet, log, table)
    try:
        plain = open_plain(stream, limits)
        document = Stream(plain, limits=limits, tell=tell)
        _read(document, items, most_rows, reference=wanted.keep_others)
        drain(plain)
    except Unusable as fault:
        tell(fault.code, **fault.told(_FORMAT))
        sheet.complete = False
    items.finish()
    return sheet


def _read(document: Stream, items: Items, most_rows: int, *, reference: bool) -> None:
    if not document.next():
        raise Unusable("E-EMPTY")
    if reference:
        _read_annotations(document, items, most_rows)
    elif document.next() == "[":
        _read_list(document, items, most_rows)
    else:
        raise _not_a_list(document)
    if document.next():
        raise Unusable("E-COCO-END", value=document.shown())


def _read_list(document: Stream, items: Items, most_rows: int) -> None:
    for value in document.items():
        if document.item > most_rows:
            raise Unusable("E-ROWS", line=document.item, most=most_rows)
        items.add(value, document.item)


def _read_annotations(document: Stream, items: Items, most_rows: int) -> None:
    found = False
    if document.next() == "{":
        for key in document.members():
            if key == _TRUTH and document.next() == "[":
                found = True
                _read_list(document, items, most_rows)
            else:
                _pass_over(document)
    if not found:
        raise Unusable("E-COCO-ANNOTATIONS")


def _pass_over(document: Stream) -> None:
    """A value that is not needed; the images of a large reference are a list that does not fit the window."""
    if document.next() != "[":
        document.value()
        return
    for _ in document.items():
        pass


def _not_a_list(document: Stream) -> Unusable:
    begins = document.shown()
    key: Any = next(document.members(), "") if document.next() == "{" else ""
    if key in ("info", "licenses", "images", "annotations", "categories", "type"):
        return Unusable("E-COCO-TRUTH", value=key)
    return Unusable("E-COCO", value=begins)
