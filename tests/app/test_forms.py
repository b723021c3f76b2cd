"""Browser forms: fields and a file in any order, hostile bodies, and files that never stand in memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import Request

from app.errors import DiskFull, TooLarge
from app.http.forms import BadForm, Form, Multipart, NoFile, read_urlencoded

BOUNDARY = "----b0undary"


def request(kind: str = f"multipart/form-data; boundary={BOUNDARY}") -> Request:
    return Request({"type": "http", "headers": [(b"content-type", kind.encode())]})


def text(name: str, value: str) -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def file(content: bytes, filename: str = "p.csv", name: str = "file") -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"'
    return head.encode() + b"\r\nContent-Type: text/csv\r\n\r\n" + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


@dataclass
class Kept:
    """A sink that keeps everything, or is full from some size on."""

    data: bytearray = field(default_factory=bytearray)
    room: int = 1 << 40

    def write(self, data: bytes, /) -> Any:
        if len(self.data) + len(data) > self.room:
            raise DiskFull()
        self.data += data


def parsed(body: bytes, *, limit: int = 1000, piece: int = 7, sink: Kept | None = None) -> tuple[Multipart, bytes]:
    kept = sink or Kept()
    parts = Multipart(request(), sink=kept, limit=limit)
    for start in range(0, len(body), piece):
        parts.feed(body[start : start + piece])
    return parts, bytes(kept.data)


@pytest.mark.parametrize("piece", [1, 2, 7, 64, 10_000])
def test_fields_stand_before_and_after_the_file(piece: int) -> None:
    content = b"id,risk\r\na,0.5\r\n--\r\n-- ----b0undar\r\n"
    body = text("note", "first é\r\nline") + file(content) + text("again", "yes") + END
    parts, kept = parsed(body, piece=piece)
    assert kept == content
    assert (parts.whole, parts.filename, parts.refusal) == (True, "p.csv", None)
    assert parts.form == Form((("note", "first é\nline"), ("again", "yes")))


def test_the_name_of_the_file_is_no_path() -> None:
    assert parsed(file(b"x", "C:\\data\\p.csv") + END)[0].filename == "p.csv"
    assert parsed(file(b"x", "../../etc/passwd") + END)[0].filename == "passwd"


def test_no_file_was_chosen() -> None:
    assert isinstance(parsed(file(b"", filename="") + text("note", "n") + END)[0].refusal, NoFile)
    assert isinstance(parsed(text("note", "n") + END)[0].refusal, NoFile)


def test_too_large_a_file_is_read_on_and_refused() -> None:
    parts, kept = parsed(file(b"x" * 1001) + text("note", "kept") + END)
    assert isinstance(parts.refusal, TooLarge)
    assert len(kept) <= 1000
    assert parts.form.text("note") == "kept"


def test_a_full_disk_is_told_after_the_form_was_read() -> None:
    parts, _ = parsed(file(b"x" * 500) + text("note", "kept") + END, sink=Kept(room=100))
    assert isinstance(parts.refusal, DiskFull)
    assert (parts.whole, parts.form.text("note")) == (True, "kept")


def test_a_form_that_stops_is_not_whole() -> None:
    assert not parsed(file(b"abc"))[0].whole
    assert not parsed(text("note", "n"))[0].whole


@pytest.mark.parametrize(
    "body",
    [
        file(b"1") + file(b"2") + END,
        b"no boundary at all",
        text("note", "x" * 30_000) + END,
        b"".join(text("a", "b") for _ in range(300)) + END,
    ],
)
def test_what_no_browser_sends_is_refused(body: bytes) -> None:
    with pytest.raises(BadForm):
        parsed(body, piece=4096)


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data", f"multipart/form-data; boundary={500 * 'x'}", ""]
)
def test_only_multipart_forms(kind: str) -> None:
    with pytest.raises(BadForm):
        Multipart(request(kind), sink=None, limit=1)


def test_memory_stays_flat() -> None:
    class Nothing:
        def write(self, data: bytes, /) -> Any:
            return len(data)

    def pieces() -> Iterator[bytes]:
        yield file(b"")[:-2]
        for _ in range(200):
            yield b"0.123456,\r\n" * 10_000
        yield b"\r\n" + END

    parts = Multipart(request(), sink=Nothing(), limit=1 << 40)
    tracemalloc.start()
    for piece in pieces():
        parts.feed(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (parts.whole, parts.size) == (True, 200 * 110_000)
    assert peak < 2_000_000


def test_urlencoded_fields() -> None:
    form = read_urlencoded(b"a=1&a=2&b=%C3%A9+x%0D%0Ay&empty=")
    assert form.all("a") == ["1", "2"]
    assert (form.text("b"), form.text("none"), form.ticked("empty"), form.ticked("none")) == ("é x\ny", "", True, False)
    assert form.without("a").all("a") == []


@pytest.mark.parametrize("body", [b"\xff=1", b"a=%FF%FE", b"&".join(b"a=1" for _ in range(300))])
def test_urlencoded_nonsense_is_refused(body: bytes) -> None:
    with pytest.raises(BadForm):
        read_urlencoded(body)
