"""Sending an entry once, whatever the network does: in one request while it is small, in pieces above."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import quote

from app.cli.bars import bar, counted
from app.cli.client import Api, steadily
from app.cli.entries import File
from app.cli.errors import CliError, Fault
from app.cli.output import Output
from app.cli.resumable import CHUNK, Wish, changed, send_resumable

DIRECT = 8_000_000
"""Above this size (bytes) what arrived is worth keeping when a connection breaks."""


def send(api: Api, file: File, wish: Wish, out: Output) -> Any:
    """The API's answer to the entry; its digest is the file's. A repetition never makes a second entry.

    Errors: CliError; Fault when the server holds other bytes.
    """
    answer = send_resumable(api, file, wish, out) if file.size > DIRECT else _send_direct(api, file, wish, out)
    if answer["sha256"] != file.sha256:
        raise Fault(
            f"The server holds other bytes than {file.path}: sha256 {answer['sha256']} there, {file.sha256} here. "
            f"Look at submission {answer['number']} before you trust it.",
            document=answer,
        )
    return answer


def _send_direct(api: Api, file: File, wish: Wish, out: Output) -> Any:
    """One request, repeated with the same key while it fails in a way that may pass."""
    headers = {
        "Content-Length": str(file.size),
        "Content-Type": "application/octet-stream",
        "Idempotency-Key": str(uuid.uuid4()),
        "X-Filename": header_text(file.name),
        "X-Sha256": file.sha256,
    }
    query = {"kind": wish.kind, "check": "true" if wish.check else "false", "note": wish.note}
    query |= {"again": "true"} if wish.again else {}

    def attempt() -> Any:
        with file.path.open("rb") as stream, bar("submit", total=file.size, out=out) as moved:
            content = counted(_chunks(stream, file), moved)
            return api.json(api.send("POST", wish.address, content=content, params=query, headers=headers))

    try:
        return steadily(attempt, tell=out.note)
    except CliError as error:
        if error.code != "E-RESUMABLE":
            raise
    return send_resumable(api, file, wish, out)


def _chunks(stream: BinaryIO, file: File) -> Iterator[bytes]:
    left = file.size
    while left and (chunk := stream.read(min(CHUNK, left))):
        left -= len(chunk)
        yield chunk
    if left:
        raise changed(file)


def header_text(text: str) -> str:
    """`text` as a header can carry it: percent-encoded UTF-8 for `%` and whatever is not printable ASCII."""
    plain = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
    return quote(text, safe=plain)[:200]
