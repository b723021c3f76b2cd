"""Blobs that no row names: the bytes of entries, pushes and reports that were refused once they had arrived."""

from __future__ import annotations

from app.db import blobs as rows
from app.db.engine import Database
from app.files.blobs import Blobs
from app.files.leftovers import old_blobs, remove_old

SHARDS = 256


def sweep(database: Database, blobs: Blobs, *, shard: int, now: float) -> int:
    """Remove old blobs without a row whose digest begins with the byte `shard`; how many went. `now` in Unix seconds.

    Rows are never deleted, and bytes are stored less than a day before their row is committed. A blob of that age whose
    row is not there when it is asked for is therefore refused, unless its bytes come once more: then it is new again. A
    database without any blob is no witness (a restore that runs, a wrong address): then nothing goes.
    """
    old = old_blobs(blobs, shard=shard, now=now)
    if not old:
        return 0
    with database.read_session() as session:
        kept = rows.named(session, [path.name for path in old]) if rows.any_named(session) else None
    strays = [path for path in old if kept is not None and path.name not in kept]
    return sum(remove_old(path, now=now) for path in strays)
