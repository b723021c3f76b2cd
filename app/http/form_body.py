"""A browser's form with a file, streamed like any other body: the file goes to disk, the text fields stay.

A refused form is read to its end all the same: a browser shows the answer only when it could send everything.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from fastapi import Depends, Request

from app.errors import AppError, DiskFull, TooLarge
from app.files.blobs import Partial, Stored
from app.http.body import Incomplete, WithRoom, in_thread, stream_body, work_file
from app.http.forms import Form, Multipart
from app.http.transaction import Parts, parts_of, utc_now

READ_ON = 1 << 29
"""How many bytes of a form that is refused are read and dropped."""
T = TypeVar("T")


@dataclass(frozen=True)
class Sent(Generic[T]):
    """A form that arrived whole. With a `refusal` no file is kept, but `form` still holds what was typed.

    `partial` is what the file is `stored` as: to be given its place in the transaction that names it, else it goes.
    """

    form: Form
    filename: str
    at: dt.datetime
    admitted: T | None = None
    stored: Stored | None = None
    path: Path | None = None
    refusal: AppError | None = None
    partial: Partial | None = None


def form_with_blob(
    store: str,
    *,
    admit: Callable[..., T | AppError],
    limit: Callable[[T], int],
    abandon: Callable[[Parts, T], None],
    above: Callable[[T], TooLarge],
) -> Callable[..., Any]:
    """A dependency that reads a form and streams its field `file` into `store`.

    `admit` (itself a dependency) is asked before the body is read: it returns what lets the file in, or the refusal.
    When no file is kept, or the endpoint raises, `abandon` is called. Raises BadForm or Incomplete; other refusals are
    handed on, that of a file above `limit` as `above` words it.
    """

    async def dependency(
        request: Request, parts: Parts = Depends(parts_of), admitted: Any = Depends(admit)
    ) -> AsyncIterator[Sent[T]]:
        if isinstance(admitted, AppError):
            yield await _read_on(request, parts, admitted)
            return
        try:
            sent = await _into_blob(request, parts, store=store, limit=limit(admitted), admitted=admitted)
            if sent.stored is None:
                await in_thread(abandon, parts, admitted)
            try:
                yield replace(sent, refusal=above(admitted)) if isinstance(sent.refusal, TooLarge) else sent
            finally:
                if sent.partial is not None:
                    sent.partial.abort()
        except BaseException:
            await asyncio.shield(in_thread(abandon, parts, admitted))
            raise

    return dependency


def form_with_file(*, admit: Callable[..., Any]) -> Callable[..., AsyncIterator[Sent[None]]]:
    """A dependency that streams a form's field `file` into a file of the work folder, removed after the request.

    Raises what `admit` (itself a dependency) raises, BadForm, Incomplete or DiskFull; hands on TooLarge and NoFile.
    """

    async def dependency(
        request: Request, parts: Parts = Depends(parts_of), _: Any = Depends(admit)
    ) -> AsyncIterator[Sent[None]]:
        with work_file(parts.settings) as path:
            with path.open("xb") as file:
                sink = WithRoom(file, path.parent, parts.settings.keep_free)
                form = Multipart(request, sink=sink, limit=parts.settings.archive_limit)
                await _read(request, form, parts)
            refusal = form.refusal
            yield Sent(form.form, form.filename, utc_now(), path=None if refusal else path, refusal=refusal)

    return dependency


async def _into_blob(request: Request, parts: Parts, *, store: str, limit: int, admitted: T) -> Sent[T]:
    try:
        partial: Partial = await in_thread(parts.blobs.begin, store)
    except DiskFull as error:
        return await _read_on(request, parts, error)
    try:
        form = Multipart(request, sink=partial, limit=limit)
        await _read(request, form, parts)
        if form.refusal is not None:
            partial.abort()
            return Sent(form.form, form.filename, utc_now(), refusal=form.refusal)
        stored = await in_thread(partial.seal)
        return Sent(form.form, form.filename, utc_now(), admitted, stored, partial=partial)
    except DiskFull as error:
        return Sent(form.form, form.filename, utc_now(), refusal=error)
    except BaseException:
        partial.abort()
        raise


async def _read_on(request: Request, parts: Parts, refusal: AppError) -> Sent[Any]:
    form = Multipart(request, sink=None, limit=0)
    await _read(request, form, parts)
    return Sent(form.form, form.filename, utc_now(), refusal=refusal)


async def _read(request: Request, form: Multipart, parts: Parts) -> None:
    most = max(READ_ON, 2 * form.limit)
    await stream_body(request, write=form.feed, limit=most, idle_s=parts.settings.upload_idle_s)
    if not form.whole:
        raise Incomplete(received=form.size)
