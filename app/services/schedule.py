"""What time brings about: uploads that never came are forgotten, and closed phases freeze. Idempotent."""

from __future__ import annotations

import datetime as dt
import logging

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.db import uploads
from app.db.challenges import Challenge
from app.db.phases import Phase
from app.db.submissions import Submission
from app.domain.states import OPEN_STATES
from app.files.blobs import Blobs
from app.services import boards

LOG = logging.getLogger("arbitre.schedule")


def tick(session: Session, *, blobs: Blobs, now: dt.datetime) -> None:
    """Do all that is due at `now`; doing it twice changes nothing."""
    uploads.forget_expired(session, now)
    for phase in _closed(session, now):
        if not blockers(session, phase=phase, now=now):
            _freeze(session, phase=phase, blobs=blobs, now=now)


def _freeze(session: Session, *, phase: Phase, blobs: Blobs, now: dt.datetime) -> None:
    """Freeze one phase; a fault in it is logged and holds up no other phase. It is tried again at the next tick."""
    phase_id = phase.id
    try:
        with session.begin_nested():
            boards.freeze(session, phase=phase, blobs=blobs, now=now)
    except OperationalError:
        raise
    except Exception:
        LOG.exception("phase %s cannot be frozen", phase_id)


def blockers(session: Session, *, phase: Phase, now: dt.datetime) -> dict[str, int]:
    """What keeps a closed phase from freezing (design 11.5): uploads under way, open entries, undecided dead ones."""
    counts = {
        "uploads": uploads.open_in(session, phase, now),
        "open": _count(session, phase, OPEN_STATES),
        "dead": _count(session, phase, frozenset({"dead"})),
    }
    return {name: count for name, count in counts.items() if count}


def _closed(session: Session, now: dt.datetime) -> list[Phase]:
    query = select(Phase).join(Challenge, Challenge.id == Phase.challenge_id)
    query = query.where(Challenge.published_at.is_not(None), Phase.frozen_at.is_(None), Phase.closes_at <= now)
    return list(session.scalars(query.with_for_update(of=Phase)))


def _count(session: Session, phase: Phase, states: frozenset[str]) -> int:
    query = select(func.count()).where(
        Submission.phase_id == phase.id, Submission.check.is_(False), Submission.state.in_(states)
    )
    return session.scalar(query) or 0
