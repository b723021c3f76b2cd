"""Where each key of a TOML text stands, so that a problem can name its line.

`tomllib` gives values without positions. This walks a text that `tomllib` has already accepted, so it may trust the
grammar and needs only its shape: headers, keys, and where each value ends.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping

Key = tuple[str | int, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'', re.DOTALL)
_PLAIN = re.compile(r"[^,\]}#\n]*")


def key_lines(text: str) -> dict[Key, int]:
    """Line (from 1) of every key, table and array item of a valid TOML text, by its path: `("phases", 0, "slug")`."""
    return _Walk(text).run()


def line_of(key: Key, lines: Mapping[Key, int]) -> int | None:
    """Line of a key, or of the nearest table around it that is written in the file."""
    while key and key not in lines:
        key = key[:-1]
    return lines.get(key)


class _Walk:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Key, int] = {}
        self.arrays: dict[Key, int] = {}
        self.breaks = [found.start() for found in re.finditer("\n", text)]

    def run(self) -> dict[Key, int]:
        table: Key = ()
        while self._skip():
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self.lines

    def _skip(self) -> bool:
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at < len(self.text)

    def _mark(self, path: Key) -> None:
        line = bisect_left(self.breaks, self.at) + 1
        for end in range(1, len(path) + 1):
            self.lines.setdefault(path[:end], line)

    def _header(self) -> Key:
        many = self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        path = self._inside(tuple(self._dotted()))
        if many:
            number = self.arrays[path] = self.arrays.get(path, -1) + 1
            self._mark(path)
            path = (*path, number)
        self._mark(path)
        self.at += 2 if many else 1
        return path

    def _inside(self, written: Key) -> Key:
        """A header below an array of tables speaks of the array's latest table."""
        path: Key = ()
        for part in written[:-1]:
            path = (*path, part)
            if path in self.arrays:
                path = (*path, self.arrays[path])
        return (*path, *written[-1:])

    def _dotted(self) -> Iterator[str]:
        while True:
            self._skip()
            yield self._key()
            self._skip()
            if self.text[self.at] != ".":
                return
            self.at += 1

    def _key(self) -> str:
        found = _BARE.match(self.text, self.at)
        if found:
            self.at = found.end()
            return found.group()
        return _unquote(self._string())

    def _string(self) -> str:
        found = _STRING.match(self.text, self.at)
        if found is None:
            raise ValueError(f"no TOML string at character {self.at}")
        self.at = found.end()
        return found.group()

    def _pair(self, table: Key) -> None:
        start = self.at
        path = (*table, *self._dotted())
        end, self.at = self.at, start
        self._mark(path)
        self.at = end + 1  # past the equals sign
        self._value(path)

    def _value(self, path: Key) -> None:
        self._skip()
        first = self.text[self.at]
        if first in "\"'":
            self._string()
        elif first == "[":
            self._list(path)
        elif first == "{":
            self._inline(path)
        else:
            found = _PLAIN.match(self.text, self.at)
            self.at = found.end() if found else self.at

    def _list(self, path: Key) -> None:
        self.at += 1
        number = 0
        while self._skip() and self.text[self.at] != "]":
            self._mark((*path, number))
            self._value((*path, number))
            number += 1
            self._comma()
        self.at += 1

    def _inline(self, path: Key) -> None:
        self.at += 1
        while self._skip() and self.text[self.at] != "}":
            self._pair(path)
            self._comma()
        self.at += 1

    def _comma(self) -> None:
        self._skip()
        if self.text[self.at] == ",":
            self.at += 1


def _unquote(written: str) -> str:
    """A quoted key as its text: TOML's escapes in double quotes, none in single quotes."""
    if written[0] == "'":
        return written[1:-1]
    return re.sub(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", _escape, written[1:-1])


def _escape(found: re.Match[str]) -> str:
    body = found.group(1)
    if body[0] in "uU":
        return chr(int(body[1:], 16))
    return {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}.get(body, body)
