"""All tables, imported once so that `Base.metadata` is whole (migrations, backup)."""

from app.db import (
    audit,
    blobs,
    boards,
    challenges,
    comparisons,
    evaluations,
    jobs,
    phases,
    runners,
    submissions,
    teams,
    uploads,
    users,
)
from app.db.base import Base

__all__ = [
    "Base",
    "audit",
    "blobs",
    "boards",
    "challenges",
    "comparisons",
    "evaluations",
    "jobs",
    "phases",
    "runners",
    "submissions",
    "teams",
    "uploads",
    "users",
]
metadata = Base.metadata
