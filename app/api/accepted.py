"""What a submit request is answered with, however the bytes came."""

from __future__ import annotations

import datetime as dt
import uuid

from pydantic import BaseModel

from app.domain.quotas import Quota
from app.services import submissions


class QuotaDocument(BaseModel):
    left: int | None
    resets_at: dt.datetime | None


class Accepted(BaseModel):
    """The answer to a submit request; `new` is false when an earlier entry stands for it."""

    id: uuid.UUID
    number: int
    sha256: str
    size: int
    state: str
    new: bool
    quota: QuotaDocument
    links: dict[str, str]


def accepted_document(slug: str, done: submissions.Submitted) -> Accepted:
    """What a submit request is answered with."""
    row = done.submission
    base = f"/api/v1/challenges/{slug}/submissions/{row.number}"
    return Accepted(
        id=row.id,
        number=row.number,
        sha256=row.sha256,
        size=row.size,
        state=row.state,
        new=done.new,
        quota=_quota(done.quota),
        links={"status": f"{base}/status", "receipt": f"{base}/receipt"},
    )


def _quota(left: Quota) -> QuotaDocument:
    return QuotaDocument(left=left.left, resets_at=left.resets_at)
