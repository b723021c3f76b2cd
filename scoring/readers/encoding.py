"""Text out of bytes: UTF-8 only, with the other encodings named instead of guessed."""

import io
from collections import deque
from collections.abc import Iterable

from scoring.issues import IssueLog
from scoring.readers.limits import Limits, TooLong
from scoring.readers.unpack import Plain

_BOM = b"\xef\xbb\xbf"
_WIDE = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_MOSTLY, _RARELY = 0.8, 0.1
_CHUNK = 1 << 16


class Lines:
    """The physical lines of a file, with their ends (LF, CRLF or CR), as `csv.reader` takes them.

    Bytes that are not UTF-8 and NUL bytes are reported line by line and replaced, so that reading goes on and the other
    problems of the file are found too; a file with such an issue is refused in any case.

    `number`: lines given so far. `start`: line where the record began.
    """

    def __init__(self, plain: Plain, *, limits: Limits, log: IssueLog, table: str) -> None:
        """`plain`: bytes from their start."""
        self._log, self._table, self._most = log, table, limits.record_characters
        encoding = self._encoding(plain.peek(4096))
        errors = "surrogateescape" if encoding == "utf-8" else "replace"
        self._text = io.TextIOWrapper(plain, encoding, errors, newline="")
        self._tail, self._waiting = "", deque[str]()
        self.number = self._characters = 0
        self.start = 1

    def begin(self) -> None:
        """The next line begins a new record: `start` is its number, and its characters are counted anew."""
        self.start, self._characters = self.number + 1, 0

    def __iter__(self) -> "Lines":
        """One pass."""
        return self

    def __next__(self) -> str:
        """The next line. Raises `TooLong` where the lines since `begin` hold more characters than one record may."""
        if not self._waiting:
            self.unread(io.StringIO(self._block(), newline=""))
            if not self._waiting:
                raise StopIteration
        line = self._waiting.popleft()
        self.number += 1
        self._characters += len(line)
        if self._characters > self._most:
            raise TooLong
        return line if line.isascii() and "\0" not in line else self._clean(line)

    def quiet_lines(self) -> list[str]:
        """Many lines at once, where all of them are UTF-8 without NUL; else none. `number` is left to the caller."""
        if self._waiting:
            return []
        block = self._block()
        lines = list(io.StringIO(block, newline=""))
        if "\0" not in block and _encodes(block):
            return lines
        self.unread(lines)
        return []

    def regroup(self) -> None:
        """Take the lines that wait back into a block: the header is read by itself, what follows may be quiet."""
        self._tail = "".join(self._waiting) + self._tail
        self._waiting.clear()

    def unread(self, lines: Iterable[str]) -> None:
        """Put lines back, to be given one by one."""
        self._waiting.extend(lines)

    def _block(self) -> str:
        """Some whole lines; "" at the end. Raises `TooLong`."""
        first = not self.number and not self._tail
        while True:
            chunk = self._text.read(_CHUNK)
            block = self._tail + chunk
            end = _end_of_lines(block) if chunk else len(block)
            if end or not chunk:
                self._tail = block[end:]
                return self._without_mark(block[:end]) if first else block[:end]
            self._tail = block
            if len(block) > self._most:
                raise TooLong

    def _without_mark(self, block: str) -> str:
        if not block.startswith("\ufeff"):
            return block
        self._log.add("W-BOM", table=self._table, line=1)
        return block[1:]

    def _encoding(self, head: bytes) -> str:
        wide = next((name for magic, name in _WIDE if head.startswith(magic)), None)
        guessed = None if wide else _wide_without_mark(head)
        if wide or guessed:
            self._log.add("E-ENCODING", table=self._table, found=wide or "UTF-16")
        return guessed or wide or "utf-8"

    def _clean(self, line: str) -> str:
        if "\0" in line:
            self._log.add("E-NUL", table=self._table, line=self.number, value=line.rstrip("\r\n"))
            line = line.replace("\0", "")
        try:
            line.encode()
        except UnicodeEncodeError as fault:
            around = line[max(0, fault.start - 20) : fault.end + 20].strip("\r\n")
            self._log.add("E-UTF8", table=self._table, line=self.number, value=around)
            line = line.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
        return line


def _wide_without_mark(head: bytes) -> str | None:
    """UTF-16 without a byte-order mark: every second byte of Latin text is zero."""
    even, odd = head[0::2], head[1::2]
    if len(odd) < 2:
        return None
    zeros = even.count(0) / len(even), odd.count(0) / len(odd)
    if zeros[1] >= _MOSTLY and zeros[0] <= _RARELY:
        return "utf-16-le"
    return "utf-16-be" if zeros[0] >= _MOSTLY and zeros[1] <= _RARELY else None


def _end_of_lines(text: str) -> int:
    """Where the last whole line ends; 0 where there is none. A CR at the very end may be half of a CRLF."""
    return text.rfind("\n") + 1 or text.rfind("\r", 0, -1) + 1


def _encodes(text: str) -> bool:
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False
