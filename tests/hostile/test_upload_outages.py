"""What is in time stays in time when the platform stands still around a close, and nobody holds up a freeze."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import update

from app.db.jobs import Job
from app.db.submissions import Submission
from app.services import attempts, jobs
from tests import crowd, scenario
from tests.crowd import Crowd
from tests.hostile.test_uploads import ENTRY, MINUTE, announce, close, drain, make_entry, one, refusal, send, tick

__all__ = ["one"]
DAY = dt.timedelta(days=1)


def pulse(one: Crowd, at: dt.datetime) -> None:
    """The platform was last alive at `at`."""
    with one.database.write_session() as session:
        jobs.enqueue(
            session, queue="house", kind="tick", coalesce="tick", max_attempts=5, deadline=at + 99 * DAY, now=at
        )
        session.execute(update(Job).where(Job.kind == "tick").values(claimed_at=at))


def beat(one: Crowd, at: dt.datetime) -> dt.datetime | None:
    """A claim and a tick, as runners and the worker do them; when the board froze."""
    with one.database.write_session() as session:
        attempts.give_up(session, lease_s=60, now=at)
        session.execute(update(Job).where(Job.kind == "tick").values(claimed_at=at))
    return tick(one, at)


def beat_through(one: Crowd, since: dt.datetime, until: dt.datetime) -> dt.datetime | None:
    """A beat a minute."""
    frozen = None
    while since <= until:
        frozen, since = beat(one, since), since + MINUTE
    return frozen


def test_an_outage_in_the_grace_takes_no_entry_that_was_in_time(one: Crowd) -> None:
    ada, ben = crowd.join(one, "ada", "Ada"), crowd.join(one, "ben", "Ben")
    start = crowd.now()
    whole, half = announce(one, ada, start), announce(one, ben, start)
    send(one, ada, whole, start + 9 * MINUTE)
    close(one, closed := start + 10 * MINUTE)
    pulse(one, closed + 5 * MINUTE)
    back = closed + 35 * MINUTE
    assert beat(one, back) is None
    # Ada's bytes were complete; Ben sends his now, having had no chance in the last ten minutes of the grace.
    assert make_entry(one, ada, whole, back + MINUTE) == 2
    assert beat_through(one, back + MINUTE, back + 9 * MINUTE) is None
    send(one, ben, half, back + 9 * MINUTE)
    assert make_entry(one, ben, half, back + 9 * MINUTE) == 3
    # Scored by the clock of this machine, which is half an hour behind: another gap, which settles too.
    drain(one)
    assert beat_through(one, back + 10 * MINUTE, back + 22 * MINUTE) is not None


def test_after_an_outage_an_upload_is_awaited_ten_minutes_and_no_longer(one: Crowd) -> None:
    ada = crowd.join(one, "ada", "Ada")
    start = crowd.now()
    late = announce(one, ada, start)
    close(one, closed := start + 10 * MINUTE)
    pulse(one, closed + 5 * MINUTE)
    back = closed + 35 * MINUTE
    assert beat_through(one, back, back + 10 * MINUTE) is None
    assert beat(one, back + 11 * MINUTE) is not None
    assert refusal(send, one, ada, late, back + 11 * MINUTE) in ("E-NOT-FOUND", "E-EXPIRED")


def test_a_clock_that_leaps_takes_no_upload_with_it(one: Crowd) -> None:
    ada = crowd.join(one, "ada", "Ada")
    start = crowd.now()
    upload = announce(one, ada, start)
    send(one, ada, upload, start + MINUTE)
    pulse(one, start + 2 * MINUTE)
    assert beat(one, start + 400 * DAY) is None
    # Put right again.
    with one.database.write_session() as session:
        attempts.give_up(session, lease_s=60, now=start + 4 * MINUTE)
    assert tick(one, start + 4 * MINUTE) is None
    assert make_entry(one, ada, upload, start + 5 * MINUTE) == 2


def test_what_is_announced_after_the_close_holds_nothing_up(one: Crowd) -> None:
    ada = crowd.join(one, "ada", "Ada")
    start = crowd.now()
    crowd.submit(one, ada, ENTRY)
    drain(one)
    close(one, closed := start + 10 * MINUTE)
    # Let in, since the same bytes are an entry already; but nothing new can come of it.
    announce(one, ada, closed + MINUTE)
    assert tick(one, closed + 2 * MINUTE) == closed + 2 * MINUTE


def test_an_upload_counts_on_the_day_it_was_announced(one: Crowd) -> None:
    ada = crowd.join(one, "ada", "Ada")
    noon = crowd.now().replace(hour=12, minute=0)
    upload = announce(one, ada, noon)
    send(one, ada, upload, noon + MINUTE)
    with one.database.write_session() as session:
        quota = crowd.phase_of(session).quota_day
    assert quota is not None
    for seed in range(quota):
        crowd.submit(one, ada, scenario.entry(crowd.CASES, seed=seed))
    with one.database.write_session() as session:
        session.execute(update(Submission).values(requested_at=noon + DAY))
    assert make_entry(one, ada, upload, noon + DAY + MINUTE) == quota + 2
