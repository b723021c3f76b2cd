"""Sending a large file in pieces (tus 1.0), so that a broken connection, or a closed laptop, costs one piece.

What is needed to go on stands in the user's cache, by server, challenge, phase and sha256: the upload's id, and the key
under which the entry is made, which every run uses again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli import client
from app.cli.answers import not_reached, problem_of
from app.cli.bars import bar
from app.cli.client import BASE, Api, segment, steadily
from app.cli.entries import File, read_file
from app.cli.errors import CliError, Fault, Usage
from app.cli.files import size_text
from app.cli.output import Output
from app.cli.places import cache_folder

if TYPE_CHECKING:
    import httpx

PIECE, SMALLEST = 8 << 20, 1 << 16
"""Bytes of one request: what proxies usually let through, and what gets through where hardly anything does."""
CHUNK = 1 << 18
BUSY_S = (1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0, 15.0, 15.0)
"""Pauses while another request holds the upload: the server gives a silent one up after a minute."""
LONGER_S = (15.0, 15.0, 15.0, 15.0)
"""Further pauses while the server cannot be reached: it may be starting again."""
KEPT_S = 86_400.0
"""The server forgets an upload a day after its last piece."""
TUS = {"Tus-Resumable": "1.0.0"}
GO_ON = "What arrived is kept; run the same again to go on."


@dataclass(frozen=True)
class Wish:
    """What the entry is to be."""

    slug: str
    phase: str
    note: str = ""
    check: bool = False
    again: bool = False
    kind: str = "predictions"

    @property
    def address(self) -> str:
        """Where entries are made, below /api/v1."""
        return f"/challenges/{segment(self.slug)}/phases/{segment(self.phase)}/submissions"


@dataclass(frozen=True)
class State:
    """How far a file came: the upload's id ("" before there is one) and the key of its entry."""

    path: Path
    key: str
    upload: str = ""

    def saved(self, upload: str) -> State:
        """Keep the id of the upload. A cache that cannot be written costs the way back, not the entry."""
        state = replace(self, upload=upload)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(dir=self.path.parent)
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump({"key": state.key, "upload": upload}, stream)
            Path(name).replace(self.path)
        except OSError:
            return state
        return state

    def done(self) -> None:
        """There is nothing to go on with."""
        self.path.unlink(missing_ok=True)


def send_resumable(api: Api, file: File, wish: Wish, out: Output) -> Any:
    """The API's answer to the entry, after as many pieces and tries as it takes. Errors: CliError."""
    state = _state(api, file, wish)
    with bar("submit", total=file.size, out=out) as moved:
        transfer = _Transfer(api, file, wish, out, moved, state)
        transfer.run()
    body: dict[str, Any] = {"upload_id": transfer.state.upload, "kind": wish.kind, "note": wish.note}
    body |= {"check": wish.check, "again": wish.again}
    answer = steadily(
        lambda: api.json(api.send("POST", wish.address, json=body, headers={"Idempotency-Key": state.key})),
        tell=out.note,
    )
    transfer.state.done()
    return answer


class _Transfer:
    """One file on its way. `state` changes when an upload is begun."""

    def __init__(
        self, api: Api, file: File, wish: Wish, out: Output, moved: Callable[[int], None], state: State
    ) -> None:
        self.api, self.file, self.wish, self.out, self.moved = api, file, wish, out, moved
        self.state = state
        self.piece = PIECE
        self.restarted = False

    def run(self) -> None:
        """Until all bytes are there. Errors: CliError; what arrived stays on the server."""
        tries, reached = 0, -1
        while True:
            try:
                offset = self._stand()
                tries, reached = (0, offset) if offset > reached else (tries, reached)
                while offset < self.file.size:
                    offset = self._send_piece(offset)
                    tries, reached = 0, offset
                return
            except CliError as error:
                self._pause(error, tries)
                tries += 1

    def _pause(self, error: CliError, tries: int) -> None:
        """Wait before the next try, or raise the error when there is none."""
        busy = error.code in {"E-LOCKED", "E-OFFSET", "E-RACE"}
        waits = BUSY_S if busy else (*client.WAITS_S, *LONGER_S)
        if error.code == "E-DIGEST" and not self.restarted:
            self._check_unchanged()
            self.restarted = True
        elif tries >= len(waits) or not (busy or error.may_pass):
            if error.may_pass or error.code == "E-DISK-FULL":
                error.text += f" {GO_ON}"
            raise error
        else:
            self.piece = self.piece if busy else max(self.piece // 4, SMALLEST)
            self.out.note(f"{error.text} Trying again in {waits[tries]:g} s.")
            time.sleep(waits[tries])

    def _stand(self) -> int:
        """How many bytes the server has; a new upload where there is none to go on with."""
        if self.state.upload:
            answer = self._request("HEAD", f"/uploads/{self.state.upload}")
            if answer.is_success and int(answer.headers.get("upload-length", -1)) == self.file.size:
                offset = int(answer.headers["upload-offset"])
                if offset:
                    self.out.note(f"Going on at {size_text(offset)} of {size_text(self.file.size)}.")
                self.moved(offset)
                return offset
            if not answer.is_success and answer.status_code not in {404, 410}:
                # An answer to HEAD has no sentence; the same refusal of a GET has.
                self.api.get("/me")
                self.api.refuse(answer, "/uploads")
        return self._begin()

    def _begin(self) -> int:
        told = {"challenge": self.wish.slug, "phase": self.wish.phase, "kind": self.wish.kind}
        told |= {"sha256": self.file.sha256, "filename": self.file.name}
        told |= {name: "true" for name in ("check", "again") if getattr(self.wish, name)}
        coded = ",".join(f"{key} {base64.b64encode(text.encode()).decode()}" for key, text in told.items())
        headers = {"Upload-Length": str(self.file.size), "Upload-Metadata": coded, "Idempotency-Key": self.state.key}
        answer = self._request("POST", "/uploads", headers=headers)
        self.api.refuse(answer, f"/challenges/{self.wish.slug}")
        upload = answer.headers.get("location", "").rpartition("/")[2]
        if not upload:
            raise Fault(f"{self.api.address} began an upload without saying where. Its operator should look at it.")
        self.state = self.state.saved(upload)
        self.out.note(f"Sending {self.file.name} in pieces ({size_text(self.file.size)}).")
        return 0

    def _send_piece(self, offset: int) -> int:
        size = min(self.piece, self.file.size - offset)
        headers = {
            "Content-Length": str(size),
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(offset),
        }
        content = self._chunks(offset, size)
        answer = self._request("PATCH", f"/uploads/{self.state.upload}", content=content, headers=headers)
        if answer.status_code == 413 and problem_of(answer) is None and size > SMALLEST:
            # A proxy in between has a limit of its own.
            self.piece = max(size // 4, SMALLEST)
            return offset
        self.api.refuse(answer, "/uploads")
        self.piece = min(self.piece * 2, PIECE)
        return int(answer.headers["upload-offset"])

    def _chunks(self, offset: int, size: int) -> Iterator[bytes]:
        with self.file.path.open("rb") as stream:
            stream.seek(offset)
            end = offset + size
            while offset < end and (chunk := stream.read(min(CHUNK, end - offset))):
                offset += len(chunk)
                yield chunk
                self.moved(offset)
            if offset < end:
                raise changed(self.file)

    def _request(self, method: str, path: str, **request: Any) -> httpx.Response:
        import httpx

        request["headers"] = TUS | request.get("headers", {})
        try:
            return self.api.http.request(method, BASE + path, **request)
        except httpx.TransportError as error:
            raise not_reached(error, address=self.api.address) from error

    def _check_unchanged(self) -> None:
        if read_file(self.file.path).sha256 != self.file.sha256:
            raise changed(self.file)


def changed(file: File) -> Usage:
    """The error for a file that is not what it was when it was read first."""
    return Usage(f"{file.path} was changed while it was sent. Submit it again when nothing writes to it.")


def _state(api: Api, file: File, wish: Wish) -> State:
    """What an earlier run of the same left, else a new beginning."""
    parts = (api.address, wish.slug, wish.phase, wish.kind, str(wish.check), str(wish.again), file.sha256)
    name = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]
    path = cache_folder() / "uploads" / f"{name}.json"
    try:
        if time.time() - path.stat().st_mtime < KEPT_S:
            document = json.loads(path.read_text("utf-8"))
            return State(path, str(document["key"]), str(document["upload"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return State(path, str(uuid.uuid4()))
