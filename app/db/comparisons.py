"""How an evaluation compares with the one that stood for its team before it."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, Double, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base
from app.db.evaluations import FINITE


class Comparison(Base):
    """The paired difference of an evaluation's ranking value to that of `against_id`, on one split, in its units.

    Positive: the later one has the larger value. `low`, `high`: of the resampled differences, at 1 - alpha of the
    phase's ranking. `separable`: whether they lie on one side of 0.
    """

    __tablename__ = "comparisons"
    __table_args__ = (CheckConstraint(f"difference {FINITE} AND low {FINITE} AND high {FINITE}", name="finite"),)
    evaluation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("evaluations.id"), primary_key=True)
    against_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("submissions.id"))
    split: Mapped[str] = mapped_column(String(64))
    difference: Mapped[float] = mapped_column(Double)
    low: Mapped[float] = mapped_column(Double)
    high: Mapped[float] = mapped_column(Double)
    separable: Mapped[bool]
