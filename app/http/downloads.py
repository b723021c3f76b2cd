"""Sending a blob as a file."""

from __future__ import annotations

from fastapi.responses import FileResponse

from app.db.blobs import Blob
from app.files.blobs import Blobs


def blob_response(blob: Blob, *, blobs: Blobs, filename: str) -> FileResponse:
    """A download; ranges are honoured, and the ETag is the sha256."""
    return FileResponse(
        blobs.path(blob.store, blob.sha256),
        filename=filename,
        media_type="application/octet-stream",
        headers={"ETag": f'"{blob.sha256}"', "X-Sha256": blob.sha256},
    )


def picture_response(blob: Blob, *, blobs: Blobs, media_type: str) -> FileResponse:
    """A picture of an organiser's text; opened by itself it runs nothing (SVG can hold scripts)."""
    return FileResponse(
        blobs.path(blob.store, blob.sha256),
        media_type=media_type,
        headers={
            "ETag": f'"{blob.sha256}"',
            "Cache-Control": "private, max-age=3600",
            "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
        },
    )
