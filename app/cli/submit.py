"""`arbitre submit`: send an entry once, whatever the network does, and say what became of it."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, BinaryIO
from urllib.parse import quote

import typer

from app.cli import verdict
from app.cli.bars import bar, counted
from app.cli.client import Api, connect, segment, steadily
from app.cli.errors import Fault, Usage
from app.cli.options import Json, PhaseName, Plain, ServerName, Slug, told
from app.cli.output import Output
from app.cli.phases import phase_named

CHUNK = 1 << 18
WAIT_S = 900


@dataclass(frozen=True)
class File:
    """The file to send; its digest was taken from the same bytes."""

    path: Path
    size: int
    sha256: str


@told
def submit(
    slug: Slug,
    file: Annotated[Path, typer.Option("-f", "--file", help="The file with your predictions.")],
    note: Annotated[str, typer.Option("-m", "--message", "--note", help="A note for your team.")] = "",
    phase: PhaseName = "",
    check: Annotated[bool, typer.Option("--check", help="Only check the form; uses no submission.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the verdict and print it.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Enter the same bytes once more; uses a submission.")] = False,
    limit: Annotated[float, typer.Option("--wait-limit", min=1, help="How long --wait waits, in seconds.")] = WAIT_S,
    server: ServerName = "",
    as_json: Json = False,
    plain: Plain = False,
) -> None:
    """Submit a file of predictions. A dropped connection is tried again and never makes a second entry."""
    out = Output(json=as_json, plain=plain)
    entry = read_file(file)
    query: dict[str, str] = {"kind": "predictions", "check": _word(check), "note": note}
    query |= {"again": "true"} if again else {}
    with connect(server) as api:
        name = phase_named(api, slug, phase)
        answer = _send(api, f"/challenges/{segment(slug)}/phases/{segment(name)}/submissions", entry, query, out)
        _show_receipt(answer, entry, out)
        if not wait:
            out.document(answer)
            out.say(f"Follow it: arbitre submission {slug} {answer['number']}")
            return
        document = wait_for(api, slug, int(answer["number"]), limit_s=limit, out=out)
    out.document(document)
    verdict.show(document, out)
    if document["state"] == "scored":
        out.note(f"The board is computed anew: arbitre leaderboard {slug} --phase {name}")
    raise typer.Exit(verdict.exit_code(document))


def read_file(path: Path) -> File:
    """The file's size and digest. Errors: Usage when it is not there, is a folder, is empty or cannot be read."""
    if path.is_dir():
        raise Usage(f"{path} is a folder. Name the file in it with your predictions.")
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            return File(path, stream.tell(), digest)
    except FileNotFoundError as error:
        raise Usage(f"There is no file {path}. Check its name and the folder you are in.") from error
    except OSError as error:
        raise Usage(f"{path} cannot be read ({error.strerror}).") from error


def wait_for(api: Api, slug: str, number: int, *, limit_s: float, out: Output) -> Any:
    """The submission's document once its state is final; each new state is told on the way.

    Errors: Fault when it is not final after `limit_s`; the entry is safe then.
    """
    address = f"/challenges/{segment(slug)}/submissions/{number}"
    ends, pause, told_state = time.monotonic() + limit_s, 0.2, ""
    while True:
        status = steadily(lambda: api.get(f"{address}/status"), tell=out.note)
        state = str(status["state"])
        if state in verdict.FINAL:
            return steadily(lambda: api.get(address), tell=out.note)
        if state != told_state:
            out.note(f"Submission {number}: {verdict.waiting(state, status.get('ahead'))}")
            told_state = state
        if time.monotonic() > ends:
            raise Fault(
                f"Submission {number} has no verdict after {limit_s:g} s. It is safe and keeps its place; "
                f"look again with: arbitre submission {slug} {number}",
                code="E-STILL-WAITING",
            )
        time.sleep(pause)
        pause = min(pause * 1.5, 3.0)


def _send(api: Api, address: str, entry: File, query: dict[str, str], out: Output) -> Any:
    """One entry, however many tries: the key is made here, once, so that the server knows a repetition."""
    key = str(uuid.uuid4())
    headers = {
        "Content-Length": str(entry.size),
        "Content-Type": "application/octet-stream",
        "Idempotency-Key": key,
        "X-Filename": header_text(entry.path.name),
        "X-Sha256": entry.sha256,
    }

    def attempt() -> Any:
        with entry.path.open("rb") as stream, bar("submit", total=entry.size, out=out) as moved:
            content = counted(_chunks(stream, entry), moved)
            return api.json(api.send("POST", address, content=content, params=query, headers=headers))

    return steadily(attempt, tell=out.note)


def _chunks(stream: BinaryIO, entry: File) -> Iterator[bytes]:
    left = entry.size
    while left and (chunk := stream.read(min(CHUNK, left))):
        left -= len(chunk)
        yield chunk
    if left:
        raise Usage(f"{entry.path} became shorter while it was sent. Submit it again when nothing writes to it.")


def _show_receipt(answer: Any, entry: File, out: Output) -> None:
    if answer["sha256"] != entry.sha256:
        raise Fault(
            f"The server holds other bytes than {entry.path}: sha256 {answer['sha256']} there, {entry.sha256} here. "
            f"Look at submission {answer['number']} before you trust it.",
            document=answer,
        )
    if answer["new"]:
        out.say(f"Submission {answer['number']} received: {entry.size:,} bytes, sha256 {entry.sha256} there as here.")
    else:
        out.say(f"These bytes are submission {answer['number']} already; nothing is entered twice. See --again.")
    quota = verdict.quota_sentence(answer.get("quota"))
    if quota:
        out.say(quota)


def header_text(text: str) -> str:
    """`text` as a header can carry it: percent-encoded UTF-8 for `%` and whatever is not printable ASCII."""
    plain = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
    return quote(text, safe=plain)[:200]


def _word(flag: bool) -> str:
    return "true" if flag else "false"
