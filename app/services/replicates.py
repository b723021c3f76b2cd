"""The resampled ranking values behind a board, from the blobs that runners sent."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.blobs import Blob
from app.db.boards import BoardEntry
from app.db.evaluations import Evaluation
from app.db.phases import Phase, Split
from app.files.arrays import vector
from app.files.blobs import Blobs

LOG = logging.getLogger("arbitre.boards")
MANY = 1000


def of_board(
    session: Session, *, phase: Phase, split: Split, entries: Sequence[BoardEntry], blobs: Blobs, final: bool
) -> dict[uuid.UUID, NDArray[np.float64]]:
    """Evaluation -> its (B,) resampled ranking values on this split, of the evaluations of these entries.

    What cannot be read is left out and logged, so that a live board goes on without intervals; for a `final` board,
    whose ties stand on them, it raises ValueError or OSError.
    """
    name = name_on(phase, split)
    found = {}
    for evaluation_id, blob in _blobs(session, [entry.evaluation_id for entry in entries]):
        try:
            with blobs.open(blob.store, blob.sha256) as stream:
                values = vector(stream, name)
        except (ValueError, OSError):
            if final:
                raise
            LOG.exception("the replicates of evaluation %s cannot be read (blob %s)", evaluation_id, blob.sha256)
            continue
        if values is not None:
            found[evaluation_id] = values
    return found


def name_on(phase: Phase, split: Split) -> str:
    """Under which name the resampled ranking values of a split stand in the file."""
    ranking = phase.scoring_spec["ranking"]
    return f"{ranking['metric']}.{ranking['output']}|split:{split.name}"


def of_evaluation(
    session: Session, *, evaluation: Evaluation, phase: Phase, split: Split, blobs: Blobs
) -> NDArray[np.float64] | None:
    """The (B,) resampled ranking values of one evaluation; None where none can be read (what fails is logged)."""
    blob = session.get(Blob, evaluation.replicates_id) if evaluation.replicates_id else None
    if blob is None:
        return None
    try:
        with blobs.open(blob.store, blob.sha256) as stream:
            return vector(stream, name_on(phase, split))
    except (ValueError, OSError):
        LOG.exception("the replicates of evaluation %s cannot be read (blob %s)", evaluation.id, blob.sha256)
        return None


def _blobs(session: Session, evaluations: Sequence[uuid.UUID]) -> Iterator[tuple[uuid.UUID, Blob]]:
    """(evaluation, file of its replicates). By id, because an entry's evaluation may be another one a moment later."""
    query = select(Evaluation.id, Blob).join(Blob, Blob.id == Evaluation.replicates_id)
    for start in range(0, len(evaluations), MANY):
        found = session.execute(query.where(Evaluation.id.in_(evaluations[start : start + MANY])))
        yield from found
