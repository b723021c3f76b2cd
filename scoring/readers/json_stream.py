"""One JSON document of any length, read value by value from a window of its text.

Only what is inside one item of a list is decoded at once, so memory is bounded by the longest item, and by nothing else
of the file. Numbers keep the text that they are written with; objects are tuples of their keys and values, with what
repeats.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

from scoring.issues import Tell
from scoring.readers.cells import Odd
from scoring.readers.limits import Limits, Unusable
from scoring.readers.unpack import Plain

_CHUNK = 1 << 16
_SHOWN = 60
_BLANKS = re.compile(r"[ \t\r\n]*")
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


class Number(str):
    """A JSON number as it is written."""

    __slots__ = ()


def _constant(name: str) -> Odd:
    """NaN, Infinity and -Infinity, which JSON does not have and Python writes."""
    return Odd(name, "E-NAN" if name == "NaN" else "E-INF")


_DECODER = json.JSONDecoder(object_pairs_hook=tuple, parse_float=Number, parse_int=Number, parse_constant=_constant)


class Stream:
    """The text of a document, from its start. `item`: number of the list's item that is being read, from 1; 0 outside.

    All methods raise `Unusable` where the text cannot be read on.
    """

    def __init__(self, plain: Plain, *, limits: Limits, tell: Tell) -> None:
        """`plain`: bytes from their start. `tell` gets W-BOM."""
        self._plain, self._most, self._done = plain, limits.record_characters, False
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text, self._at, self.item = "", 0, 0
        head = plain.peek(4)[:4]
        if head.startswith(_WIDE) or b"\0" in head:
            raise Unusable("E-ENCODING", found="UTF-16")
        if head.startswith(codecs.BOM_UTF8):
            plain.read(len(codecs.BOM_UTF8))
            tell("W-BOM", line=1)

    def next(self) -> str:
        """The next character that is not blank, which is not taken; "" at the end."""
        while True:
            self._at = _BLANKS.match(self._text, self._at).end()  # type: ignore[union-attr]  # it always matches
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill():
                return ""

    def take(self, character: str) -> bool:
        """Whether the next character that is not blank is this one, which is then taken."""
        if self.next() != character:
            return False
        self._at += 1
        return True

    def shown(self) -> str:
        """Some of the text that comes next."""
        self.next()
        return self._text[self._at : self._at + _SHOWN] or "-"

    def value(self) -> Any:
        """The next value: Number, str, bool, None, Odd, list, or tuple of the pairs of an object."""
        self.next()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as fault:
                if not self._widen():
                    raise self.invalid(fault.pos) from fault
            except RecursionError as fault:
                raise Unusable("E-COCO-DEPTH", line=self.item) from fault
            else:
                if end < len(self._text) or not self._widen():
                    self._at = end
                    return value

    def items(self) -> Iterator[Any]:
        """The items of the list that begins here; `item` counts them."""
        self.item = 0
        if not self.take("["):
            raise self.invalid(self._at)
        while not (self.item == 0 and self.take("]")):
            self.item += 1
            yield self.value()
            if self.take("]"):
                break
            if not self.take(","):
                raise self.invalid(self._at)

    def members(self) -> Iterator[str]:
        """The keys of the object that begins here; the value of each is to be taken before the next."""
        self.item, first = 0, True
        if not self.take("{"):
            raise self.invalid(self._at)
        while not (first and self.take("}")):
            key, first = self.value(), False
            if type(key) is not str or not self.take(":"):
                raise self.invalid(self._at)
            yield key
            self.item = 0
            if self.take("}"):
                break
            if not self.take(","):
                raise self.invalid(self._at)

    def invalid(self, at: int) -> Unusable:
        """What to raise where the text at this place of the window is not JSON, or has ended."""
        around = self._text[max(self._at, at - 20) : at + 40]
        return Unusable("E-COCO-JSON", line=max(1, self.item), value=around or "-")

    def _widen(self) -> bool:
        """More text after what was not yet taken, twice as much as there is; False at the end of the document."""
        have = len(self._text) - self._at
        if have > self._most:
            raise Unusable("E-FIELD-SIZE", line=max(1, self.item), most=self._most)
        before = have
        while have < max(_CHUNK, 2 * before) and self._fill():
            have = len(self._text) - self._at
        return have > before

    def _fill(self) -> bool:
        if self._done:
            return False
        chunk = self._plain.read(_CHUNK)
        self._done = not chunk
        try:
            more = self._decoder.decode(chunk, final=self._done)
        except UnicodeDecodeError as fault:
            around = chunk[max(0, fault.start - 20) : fault.end + 20].decode("utf-8", "backslashreplace")
            raise Unusable("E-UTF8", line=max(1, self.item), value=around) from fault
        self._text, self._at = self._text[self._at :] + more, 0
        return True
