"""The resampled ranking values behind a board, from the blobs that runners sent."""

from __future__ import annotations

import logging
import uuid

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


def of_board(
    session: Session, *, phase: Phase, split: Split, blobs: Blobs, final: bool
) -> dict[uuid.UUID, NDArray[np.float64]]:
    """Evaluation -> its (B,) resampled ranking values on this split.

    What cannot be read is left out and logged, so that a live board goes on without intervals; for a `final` board,
    whose ties stand on them, it raises ValueError or OSError.
    """
    ranking = phase.scoring_spec["ranking"]
    name = f"{ranking['metric']}.{ranking['output']}|split:{split.name}"
    query = select(Evaluation.id, Blob).join(Blob, Blob.id == Evaluation.replicates_id)
    query = query.join(BoardEntry, BoardEntry.evaluation_id == Evaluation.id)
    query = query.where(BoardEntry.phase_id == phase.id, BoardEntry.split == split.name)
    found = {}
    for evaluation_id, blob in session.execute(query):
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
