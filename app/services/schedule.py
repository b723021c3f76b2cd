"""What time brings about: uploads that never came are forgotten, and closed phases freeze. Idempotent.

And the way back from a freeze that a wrong clock brought about.
"""

from __future__ import annotations

import datetime as dt
import logging
import math

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.db import boards as board_rows
from app.db import pulse, uploads
from app.db.challenges import Challenge
from app.db.phases import Phase
from app.db.submissions import Submission
from app.domain import access
from app.domain.access import Actor
from app.domain.states import OPEN_STATES
from app.errors import N_, Conflict, Invalid, NotAllowed
from app.files.blobs import Blobs
from app.services import audit, boards
from app.services import uploads as resumable
from app.services.standing import find_challenge, find_phase

LOG = logging.getLogger("arbitre.schedule")
_REASON = 500


def tick(session: Session, *, blobs: Blobs, now: dt.datetime) -> None:
    """Do all that is due at `now`; doing it twice changes nothing."""
    pulse.note(session, now)
    resumable.collect(session, blobs=blobs, now=now)
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
    """What keeps a closed phase from freezing (design 11.5): uploads under way, open entries, undecided dead ones.

    `clock`: minutes to wait, where it closed during an outage or by a leap of the clock.
    """
    settled = pulse.reprieved(session, phase.closes_at)
    settling = settled - now if settled > phase.closes_at else dt.timedelta(0)
    counts = {
        "clock": max(0, math.ceil(settling.total_seconds() / 60)),
        "uploads": uploads.open_in(session, phase, now),
        "open": _count(session, phase, OPEN_STATES),
        "dead": _count(session, phase, frozenset({"dead"})),
    }
    return {name: count for name, count in counts.items() if count}


def unfreeze(session: Session, *, actor: Actor, slug: str, phase: str, reason: str, now: dt.datetime) -> Phase:
    """Open the board of a phase that froze although it is not over: its clock was wrong. The frozen boards are kept.

    Raises NotAllowed, Invalid without a reason, Conflict for a board that is not frozen or whose phase has closed.
    """
    challenge, standing = find_challenge(session, actor=actor, slug=slug)
    if not access.can_manage(actor, standing):
        raise NotAllowed(N_("Only organisers of this challenge may do this."))
    row = find_phase(session, challenge=challenge, slug=phase)
    session.refresh(row, with_for_update=True)
    if not reason.strip():
        raise Invalid(N_("Say why the board is to be unfrozen: the reason is kept in the audit trail."))
    if row.frozen_at is None:
        raise Conflict(N_("The board of this phase is not frozen."))
    if now >= row.closes_at:
        raise Conflict(
            N_("This phase has closed, so its frozen board stays. Only a board that a wrong clock froze can be opened.")
        )
    payload = {"reason": reason.strip()[:_REASON], "frozen": row.frozen_at.isoformat()}
    row.frozen_at = None
    board_rows.forget_hidden(session, row.id)
    audit.record(session, actor=actor, act="phase.unfreeze", object=f"phase:{row.id}", now=now, payload=payload)
    session.flush()
    boards.enqueue(session, phase=row, now=now)
    return row


def _closed(session: Session, now: dt.datetime) -> list[Phase]:
    query = select(Phase).join(Challenge, Challenge.id == Phase.challenge_id)
    query = query.where(Challenge.published_at.is_not(None), Phase.frozen_at.is_(None), Phase.closes_at <= now)
    return list(session.scalars(query.with_for_update(of=Phase)))


def _count(session: Session, phase: Phase, states: frozenset[str]) -> int:
    query = select(func.count()).where(
        Submission.phase_id == phase.id, Submission.check.is_(False), Submission.state.in_(states)
    )
    return session.scalar(query) or 0
