"""What a browser's form says: small text fields in memory, and one file that goes through in pieces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from app.errors import N_, AppError, too_large
from app.http.body import received_bytes

FIELDS = 200
FIELD_BYTES = 20_000
FORM_BYTES = 200_000
"""Largest form without a file, in bytes."""


class BadForm(AppError):
    status = 400
    code = "E-FORM"
    template = N_("This form did not arrive as a form. Open the page again and send it from there.")


class NoFile(AppError):
    """The form came without the file that it is about."""

    status = 422
    code = "E-NO-FILE"
    template = N_("Choose a file first.")


class Sink(Protocol):
    """Where the bytes of the file go."""

    def write(self, data: bytes, /) -> Any: ...


@dataclass(frozen=True)
class Form:
    """The text fields of a form, in the order sent; a name may come several times (checkboxes)."""

    pairs: tuple[tuple[str, str], ...] = ()

    def text(self, name: str) -> str:
        """The first value of a field, without blanks at its ends; empty when it was not sent."""
        return next((value.strip() for key, value in self.pairs if key == name), "")

    def raw(self, name: str) -> str:
        """The first value as typed (passwords)."""
        return next((value for key, value in self.pairs if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every value of a field."""
        return [value for key, value in self.pairs if key == name]

    def ticked(self, name: str) -> bool:
        """Whether a checkbox was ticked."""
        return any(key == name for key, _ in self.pairs)

    def without(self, *names: str) -> Form:
        """The form without these fields."""
        return Form(tuple(pair for pair in self.pairs if pair[0] not in names))


def small_form(request: Request, body: Annotated[bytes, Depends(received_bytes(limit=FORM_BYTES))]) -> Form:
    """A dependency: the fields of a form without a file. Raises BadForm."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise BadForm()
    return read_urlencoded(body)


FormDep = Annotated[Form, Depends(small_form)]


def read_urlencoded(body: bytes) -> Form:
    """The fields of an `application/x-www-form-urlencoded` body. Raises BadForm."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS)
    except ValueError as error:
        raise BadForm() from error
    return Form(tuple((name, value.replace("\r\n", "\n")) for name, value in pairs))


@dataclass
class _Part:
    """The part of the body that is being read."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    header: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    name: str = ""
    filename: str | None = None
    data: bytearray = field(default_factory=bytearray)


class Multipart:
    """Push parser of a `multipart/form-data` body: text fields are kept, the file named `file` is handed to a sink.

    Memory stays below the pieces given to `feed` plus the text fields, which are capped. Without a sink (the request
    was refused already) and above `limit` bytes the file is read and dropped, so that the browser gets its answer.
    """

    def __init__(self, request: Request, *, sink: Sink | None, limit: int) -> None:
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        if kind != b"multipart/form-data" or b"boundary" not in options:
            raise BadForm()
        self.sink, self.limit = sink, limit
        self.size = 0
        self.filename = ""
        self.whole = False
        self._refusal: AppError | None = None
        self._pairs: list[tuple[str, str]] = []
        self._part = _Part()
        try:
            self._parser = MultipartParser(options[b"boundary"], self._callbacks())  # type: ignore[arg-type]
        except FormParserError as error:
            raise BadForm() from error

    @property
    def form(self) -> Form:
        """The text fields read so far."""
        return Form(tuple(self._pairs))

    @property
    def refusal(self) -> AppError | None:
        """Why the file cannot be used, once the whole form is read."""
        if self._refusal is None and self.size > self.limit:
            return too_large(self.limit)
        return self._refusal or (None if self.filename else NoFile())

    def feed(self, data: bytes) -> None:
        """Read the next piece. Raises BadForm, or what the sink raises."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise BadForm() from error

    def _callbacks(self) -> Mapping[str, Callable[..., None]]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._part.header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._part.value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_headers_finished": self._named,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._done,
        }

    def _begin(self) -> None:
        self._part = _Part()

    def _header(self) -> None:
        part = self._part
        part.headers[bytes(part.header).lower()] = bytes(part.value)
        part.header.clear()
        part.value.clear()

    def _named(self) -> None:
        _, options = parse_options_header(self._part.headers.get(b"content-disposition", b""))
        self._part.name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" in options:
            self._part.filename = options[b"filename"].decode("utf-8", "replace")
            self._named_file(self._part)

    def _named_file(self, part: _Part) -> None:
        if part.name == "file" and part.filename:
            if self.filename:
                raise BadForm(N_("Send one file, not several."))
            self.filename = part.filename.replace("\\", "/").rsplit("/", 1)[-1]

    def _data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        if part.filename is None:
            if len(part.data) + end - start > FIELD_BYTES or len(self._pairs) >= FIELDS:
                raise BadForm()
            part.data += data[start:end]
        elif part.name == "file":
            self.size += end - start
            self._keep(data[start:end])

    def _keep(self, data: bytes) -> None:
        if self.sink is None or self.size > self.limit:
            return
        try:
            self.sink.write(data)
        except AppError as error:
            self._refusal, self.sink = error, None

    def _end(self) -> None:
        if self._part.filename is None:
            text = self._part.data.decode("utf-8", "replace").replace("\r\n", "\n")
            self._pairs.append((self._part.name, text))

    def _done(self) -> None:
        self.whole = True
