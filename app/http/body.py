"""Streaming a request's body to disk in bounded memory: the only async code besides the runner's claim.

Browser forms with a file are in `app.http.form_body`, on the same stream.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Generic, Protocol, TypeVar

import anyio.to_thread
from fastapi import Depends, Request
from starlette.requests import ClientDisconnect

from app.errors import N_, AppError, DiskFull, TooLarge, too_large
from app.files.blobs import FULL, Partial, Stored, need_room
from app.http.small_bodies import allow_stream
from app.http.transaction import Parts, parts_of, utc_now
from app.settings import Settings

PIECE = 1 << 20
T = TypeVar("T")
S = TypeVar("S", bound="Sink")


class Incomplete(AppError):
    """The body stopped before its end."""

    status = 400
    code = "E-INCOMPLETE"
    template = N_("The upload stopped after %(received)s bytes, before its end. Nothing was entered; send it again.")


@dataclass(frozen=True)
class Received(Generic[T]):
    """A body that arrived whole: what admitted it, what its bytes are, and when it was complete.

    `place` gives the bytes their place as a blob, as the last act of the transaction that names them; else they go.
    """

    admitted: T
    stored: Stored
    at: dt.datetime
    place: Callable[[], None]


def received_blob(
    store: str,
    *,
    admit: Callable[..., T],
    limit: Callable[[T], int],
    check: Callable[[T, Stored], None] = lambda _admitted, _stored: None,
    abandon: Callable[[Parts, T], None] = lambda _parts, _admitted: None,
    above: Callable[[T], TooLarge] | None = None,
) -> Callable[..., Any]:
    """A dependency that streams the body into `store` once `admit` (itself a dependency) let it in.

    `limit` gives the largest body in bytes; `check` may refuse one that arrived. When the body does not arrive, or is
    refused, nothing is kept. Whatever refuses the request after it was let in, `abandon` is called. Raises TooLarge
    (`above` may word it), Incomplete or DiskFull.
    """

    async def dependency(
        request: Request, parts: Parts = Depends(parts_of), admitted: Any = Depends(admit)
    ) -> AsyncIterator[Received[T]]:
        try:
            coming, stored = await _blob(request, parts, store, limit(admitted), partial(check, admitted))
            try:
                yield Received(admitted, stored, utc_now(), coming.place)
            finally:
                coming.abort()
        except BaseException as error:
            await asyncio.shield(in_thread(abandon, parts, admitted))
            if above is not None and isinstance(error, TooLarge):
                raise above(admitted) from error
            raise

    return dependency


async def _blob(
    request: Request, parts: Parts, store: str, limit: int, check: Callable[[Stored], None]
) -> tuple[Partial, Stored]:
    coming: Partial = await in_thread(parts.blobs.begin, store)
    try:
        await stream_body(request, write=coming.write, limit=limit, idle_s=parts.settings.upload_idle_s)
        check(coming.so_far())
        return coming, await in_thread(coming.seal)
    except BaseException:
        coming.abort()
        raise


class Sink(Protocol):
    """Where a body is added to what came before. `limit`: how many more bytes it takes."""

    @property
    def limit(self) -> int: ...

    def write(self, data: bytes, /) -> None: ...

    def close(self) -> int: ...


@dataclass(frozen=True)
class Appended(Generic[S]):
    """A body that was added whole; `at` is when its last byte came. The sink is still open."""

    sink: S
    at: dt.datetime


def appended_to(*, open: Callable[..., S]) -> Callable[..., Any]:
    """A dependency that adds the body to the sink that `open` (itself a dependency) returns.

    What came of a body that breaks off is added too, and the sink is closed; else closing it is the endpoint's.
    Raises TooLarge, Incomplete, or what the sink raises.
    """

    async def dependency(request: Request, parts: Parts = Depends(parts_of), sink: Any = Depends(open)) -> Appended[S]:
        idle_s = parts.settings.upload_idle_s
        try:
            await stream_body(request, write=sink.write, limit=sink.limit, idle_s=idle_s, keep=True)
        except BaseException:
            await asyncio.shield(in_thread(sink.close))
            raise
        return Appended(sink, utc_now())

    return dependency


def received_file(*, admit: Callable[..., Any]) -> Callable[..., AsyncIterator[Path]]:
    """A dependency that streams the body into a file of the work folder once `admit` let it in, and removes it after.

    Raises TooLarge, Incomplete or DiskFull.
    """

    async def dependency(
        request: Request, parts: Parts = Depends(parts_of), _: Any = Depends(admit)
    ) -> AsyncIterator[Path]:
        settings = parts.settings
        with work_file(settings) as path:
            with path.open("xb") as file:
                await stream_body(
                    request,
                    write=WithRoom(file, path.parent, settings.keep_free).write,
                    limit=settings.archive_limit,
                    idle_s=settings.upload_idle_s,
                )
            yield path

    return dependency


def received_bytes(*, limit: int) -> Callable[..., Any]:
    """A dependency that reads a small body of at most `limit` bytes whole. Raises TooLarge or Incomplete."""

    async def dependency(request: Request, parts: Parts = Depends(parts_of)) -> bytes:
        whole = bytearray()
        await stream_body(request, write=whole.extend, limit=limit, idle_s=parts.settings.upload_idle_s)
        return bytes(whole)

    return dependency


@contextmanager
def work_file(settings: Settings) -> Iterator[Path]:
    """The path of a new file in the work folder, removed at the end. Raises DiskFull."""
    folder = settings.data / "work"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    need_room(folder, settings.keep_free)
    path = folder / f"upload-{uuid.uuid4().hex}"
    try:
        yield path
    except OSError as error:
        raise (DiskFull() if error.errno in FULL else error) from error
    finally:
        path.unlink(missing_ok=True)


@dataclass(frozen=True)
class WithRoom:
    """A file that is written only while the disk keeps its reserve free, so that the database can still write."""

    file: BinaryIO
    folder: Path
    keep_free: int

    def write(self, data: bytes, /) -> None:
        """Raises DiskFull."""
        need_room(self.folder, self.keep_free)
        self.file.write(data)


async def stream_body(
    request: Request, *, write: Callable[[bytes], Any], limit: int, idle_s: float, keep: bool = False
) -> None:
    """Hand the body to `write` in pieces of about 1 MiB, in a thread, so that other requests are answered meanwhile.

    With `keep` the last bytes before a break are handed on too.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise too_large(limit)
    size, pending = 0, bytearray()
    allow_stream(request)
    stream = request.stream()
    try:
        while (chunk := await _next(stream, idle_s, size)) is not None:
            pending += chunk
            size += len(chunk)
            if size > limit:
                raise too_large(limit)
            if len(pending) >= PIECE:
                await in_thread(write, bytes(pending))
                pending.clear()
    except Incomplete:
        if keep:
            await in_thread(write, bytes(pending))
        raise
    await in_thread(write, bytes(pending))
    if declared.isdecimal() and int(declared) != size:
        raise Incomplete(received=size)


async def _next(stream: AsyncIterator[bytes], idle_s: float, size: int) -> bytes | None:
    try:
        return await asyncio.wait_for(anext(stream, None), idle_s)
    except (TimeoutError, ClientDisconnect) as error:
        raise Incomplete(received=size) from error


async def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Run blocking work while other requests are answered."""
    # Not abandoned on cancel: a disk write that has begun ends, so that no file is closed under it.
    return await anyio.to_thread.run_sync(function, *args)
