"""Evaluations: append-only scorings and their values."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, Double, ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base
from app.domain.ids import NIL, new_id

LARGEST = "1.7976931348623157e308"
FINITE = f"BETWEEN -{LARGEST} AND {LARGEST}"


class Evaluation(Base):
    """One scoring of one submission under one scoring digest and one reference. Never changed, never deleted."""

    __tablename__ = "evaluations"
    __table_args__ = (
        UniqueConstraint("submission_id", "scoring_digest", "reference_digest", "site_id", "purpose", "set_id"),
        CheckConstraint("purpose IN ('official', 'preview', 'verify')", name="purpose"),
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    submission_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("submissions.id"), index=True)
    scoring_digest: Mapped[str] = mapped_column(String(64))
    reference_digest: Mapped[str] = mapped_column(String(64))
    plan_digest: Mapped[str] = mapped_column(String(64))
    scorer_version: Mapped[str] = mapped_column(String(40))
    image: Mapped[str] = mapped_column(String(80), default="")
    site_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("sites.id"), default=NIL)
    runner_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("runners.id"))
    job_id: Mapped[uuid.UUID | None]
    attempt: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(16))
    purpose: Mapped[str] = mapped_column(String(16))
    set_id: Mapped[uuid.UUID] = mapped_column(default=NIL)
    replicates_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("blobs.id"))
    case_table_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("blobs.id"))
    seconds: Mapped[float | None] = mapped_column(Double)
    created_at: Mapped[dt.datetime]


class MetricValue(Base):
    """One value of design 11.7, rounded to 12 significant digits; NULL always has a reason in `undefined`."""

    __tablename__ = "metric_values"
    __table_args__ = (
        UniqueConstraint("evaluation_id", "metric", "output", "slice"),
        CheckConstraint(f"value {FINITE}", name="finite"),
        CheckConstraint("(value IS NULL) = (undefined IS NOT NULL)", name="reason"),
        CheckConstraint(f"low {FINITE} AND high {FINITE}", name="interval"),
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    evaluation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("evaluations.id"))
    metric: Mapped[str] = mapped_column(String(64))
    output: Mapped[str] = mapped_column(String(120))
    slice: Mapped[str] = mapped_column(String(200))
    value: Mapped[float | None] = mapped_column(Double)
    undefined: Mapped[str | None] = mapped_column(String(80))
    low: Mapped[float | None] = mapped_column(Double)
    high: Mapped[float | None] = mapped_column(Double)
    interval: Mapped[str | None] = mapped_column(String(80))
    level: Mapped[float | None] = mapped_column(Double)
    n_cases: Mapped[int]
    n_clusters: Mapped[int]


def values_of(session: Session, evaluation_id: uuid.UUID) -> list[MetricValue]:
    return list(
        session.scalars(select(MetricValue).where(MetricValue.evaluation_id == evaluation_id).order_by(MetricValue.id))
    )


def value_at(session: Session, evaluation_id: uuid.UUID, *, metric: str, output: str, slice: str) -> MetricValue | None:
    """One value of an evaluation."""
    return session.scalar(
        select(MetricValue).where(
            MetricValue.evaluation_id == evaluation_id,
            MetricValue.metric == metric,
            MetricValue.output == output,
            MetricValue.slice == slice,
        )
    )
