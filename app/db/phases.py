"""Phases and splits."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base
from app.domain.ids import new_id


class Phase(Base):
    """A window with quotas, metrics and a board.

    `scoring_spec` is scoring.spec.ScoringSpec as JSON and `scoring_digest` its digest. `inputs` maps each input role of
    a scoring job to the blob that holds it. `reference_digest`, `seed` and the plan are secret; others see
    `reference_version`. `precision` is the number of decimals that non-organisers are shown, fixed at opening.
    `frozen_at` is a fact, written once by the freeze.
    """

    __tablename__ = "phases"
    __table_args__ = (UniqueConstraint("challenge_id", "slug"),)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    challenge_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("challenges.id"), index=True)
    version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("challenge_versions.id"))
    slug: Mapped[str] = mapped_column(String(64))
    title: Mapped[dict[str, str]]
    position: Mapped[int]
    opens_at: Mapped[dt.datetime]
    closes_at: Mapped[dt.datetime]
    paused_at: Mapped[dt.datetime | None]
    frozen_at: Mapped[dt.datetime | None]
    kinds: Mapped[list[str]]
    quota_day: Mapped[int | None]
    quota_total: Mapped[int | None]
    limits: Mapped[dict[str, Any]]
    inputs: Mapped[dict[str, str]]
    scoring_spec: Mapped[dict[str, Any]]
    scoring_digest: Mapped[str] = mapped_column(String(64))
    reference_digest: Mapped[str] = mapped_column(String(64))
    reference_version: Mapped[int] = mapped_column(default=1)
    seed: Mapped[int] = mapped_column(BigInteger)
    precision: Mapped[int | None]


class Split(Base):
    """A part of a phase's cases; `visible` is live, after_close or never."""

    __tablename__ = "splits"
    __table_args__ = (UniqueConstraint("phase_id", "name"),)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    phase_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("phases.id"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    visible: Mapped[str] = mapped_column(String(16))
    position: Mapped[int]


def keep_open(session: Session, phase: Phase) -> None:
    """Read the phase anew and keep it from freezing until the transaction ends; the freeze takes the row whole."""
    session.refresh(phase, with_for_update={"read": True, "key_share": True})


def remove(session: Session, phase: Phase) -> None:
    """Delete a phase that nobody entered, with its splits."""
    session.execute(delete(Split).where(Split.phase_id == phase.id))
    session.delete(phase)
    session.flush()


def of_challenge(session: Session, challenge_id: uuid.UUID) -> list[Phase]:
    return list(session.scalars(select(Phase).where(Phase.challenge_id == challenge_id).order_by(Phase.position)))


def by_slug(session: Session, challenge_id: uuid.UUID, slug: str) -> Phase | None:
    return session.scalar(select(Phase).where(Phase.challenge_id == challenge_id, Phase.slug == slug))


def splits_of(session: Session, phase_id: uuid.UUID) -> list[Split]:
    return list(session.scalars(select(Split).where(Split.phase_id == phase_id).order_by(Split.position)))
