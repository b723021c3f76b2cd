"""One attempt of a job from claim to report, and what each step means for the submission that the job is for."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import blobs as blob_rows
from app.db import claims, teams
from app.db.blobs import Blob
from app.db.jobs import Job, JobBlob
from app.db.runners import Runner
from app.errors import N_, Conflict, Invalid, NotFound
from app.files.blobs import Blobs, Stored
from app.services import deadlines, evaluations, jobs, submissions
from sandbox_runner.contract import Finish

LOG = logging.getLogger("arbitre.jobs")


@dataclass(frozen=True)
class Report:
    """A runner's report and the sha256 (hex) of the exact bytes it came in."""

    finish: Finish
    digest: str


def look(session: Session, *, queues: Sequence[str], lease_s: float, now: dt.datetime, limit: int = 1) -> Counter[str]:
    """How many jobs a claim would find, by queue; reads only, so that an idle service writes nothing.

    Where jobs have to be given up, or times to be mended, the first queue counts one more: claiming does that too.
    """
    found = claims.waiting(session, queues=queues, now=now, limit=limit)
    if deadlines.care_needed(session, lease_s=lease_s, now=now):
        found[queues[0]] += 1
    return found


def claim(
    session: Session, *, queues: Sequence[str], runner: Runner | None, lease_s: float, now: dt.datetime
) -> tuple[Job, str] | None:
    """Lease the next job of these queues: (job, token), or None. `runner` is None for the house's own worker."""
    give_up(session, lease_s=lease_s, now=now)
    runner_id = runner.id if runner else None
    claimed = jobs.claim(session, queues=queues, runner_id=runner_id, lease_s=lease_s, now=now)
    if claimed and claimed[0].submission_id is not None:
        submissions.started(session, job=claimed[0], now=now)
    return claimed


def give_up(session: Session, *, lease_s: float, now: dt.datetime) -> None:
    """End the jobs that nobody may take any more; their submissions are dead and use no quota."""
    claims.lock(session)
    for job in deadlines.expire(session, lease_s=lease_s, now=now):
        _died(session, job, now)


def finish(
    session: Session, *, job_id: uuid.UUID, token: str, report: Report, now: dt.datetime, files: Blobs | None = None
) -> str:
    """End an attempt by its runner's report and return the job's state: done, ready (run again), dead or cancelled.

    The same report sent again is answered like the first and changes nothing. Raises Conflict for another report of the
    same attempt, or when the attempt is over; Invalid when it names blobs that were not sent. `files`: where the blobs
    that it names lie; without them the entry is not compared with the one before it.
    """
    job = jobs.of_token(session, job_id=job_id, token=token)
    if job.finish_digest == report.digest:
        return job.state
    if job.state != "leased":
        raise Conflict(jobs.STALE, code="E-STALE")
    job.finish_digest = report.digest
    if jobs.cancelled(session, job):
        jobs.end(session, job, state="cancelled", now=now)
    elif report.finish.outcome == "internal":
        _run_again(session, job, report.finish, now)
    else:
        _record(session, job, report.finish, files, now)
    return job.state


def _run_again(session: Session, job: Job, report: Finish, now: dt.datetime) -> None:
    LOG.warning("job %s attempt %d failed on the runner: %s", job.id, job.attempt, report.detail.message)
    jobs.retry(session, job, now=now, error=report.detail.message or "The runner failed and gave no reason.")
    if job.state == "dead":
        _died(session, job, now)


def _record(session: Session, job: Job, report: Finish, files: Blobs | None, now: dt.datetime) -> None:
    sent = _sent(session, job)
    _check_named(report, {role: blob.sha256 for role, blob in sent.items()})
    blobs: dict[str, Blob] = {ref.role: sent[ref.role] for ref in report.blobs}
    if job.team_id is not None:
        # Two entries of one team that end at once choose the team's best entry one after the other.
        teams.lock(session, job.team_id)
    runner = session.get(Runner, job.runner_id) if job.runner_id else None
    evaluations.record(session, job=job, finish=report, runner=runner, blobs=blobs, files=files, now=now)
    jobs.end(session, job, state="done", now=now)


def _sent(session: Session, job: Job) -> dict[str, Blob]:
    """Role -> blob of what this attempt's runner sent."""
    query = select(JobBlob.role, Blob).join(Blob, Blob.id == JobBlob.blob_id)
    rows = session.execute(query.where(JobBlob.job_id == job.id, JobBlob.attempt == job.attempt))
    return dict(rows.all())


def _check_named(report: Finish, sent: Mapping[str, str]) -> None:
    """Refuse a report that names other blobs than those `sent`, by role and sha256."""
    for ref in report.blobs:
        if sent.get(ref.role) != ref.sha256:
            raise Invalid(N_("The report names a blob %(role)s that this attempt did not send."), role=ref.role)


def _died(session: Session, job: Job, now: dt.datetime) -> None:
    LOG.error("job %s (%s) gave up after %d attempts: %s", job.id, job.kind, job.attempt, job.error)
    if job.submission_id is not None:
        submissions.job_died(session, job=job, now=now)


def inputs_of(session: Session, *, job: Job) -> list[tuple[str, Blob]]:
    """(role, blob) of everything the job may read, by role."""
    named: dict[str, str] = job.payload.get("inputs", {})
    return [(role, session.get_one(Blob, uuid.UUID(hex=named[role]))) for role in sorted(named)]


def input_of(session: Session, *, job: Job, role: str) -> Blob:
    """The blob of one role. Raises NotFound when the job has no such input."""
    found = dict(inputs_of(session, job=job)).get(role)
    if found is None:
        raise NotFound(N_("This job has no input %(role)s."), role=role)
    return found


def check_report(session: Session, *, job: Job, report: Report) -> bool:
    """Whether a report still has to be recorded, before anything that it carries is stored; False: it was, before.

    Raises Conflict for an attempt that is over, Invalid where a blob that it names is not what was sent or carried.
    """
    if job.finish_digest == report.digest:
        return False
    if job.state != "leased":
        raise Conflict(jobs.STALE, code="E-STALE")
    for ref in report.finish.blobs:
        if ref.data is not None and hashlib.sha256(ref.data).hexdigest() != ref.sha256:
            raise Invalid(N_("The report carries other bytes for %(role)s than it names."), role=ref.role)
    if report.finish.outcome != "internal" and not jobs.cancelled(session, job):
        put = {role: blob.sha256 for role, blob in _sent(session, job).items()}
        carried = {ref.role: ref.sha256 for ref in report.finish.blobs if ref.data is not None}
        _check_named(report.finish, put | carried)
    return True


def put_carried(
    session: Session, *, job_id: uuid.UUID, token: str, carried: Mapping[str, Stored], report: Report, now: dt.datetime
) -> None:
    """Remember the outputs that came within a report that passed `check_report`, as if they had been sent before it.

    Nothing happens for a report that was sent before, or for an attempt that is over: `finish` says so.
    """
    job = jobs.of_token(session, job_id=job_id, token=token)
    if job.state == "leased" and job.finish_digest != report.digest:
        for role, stored in carried.items():
            put_blob(session, job=job, role=role, stored=stored, now=now)


def put_blob(session: Session, *, job: Job, role: str, stored: Stored, now: dt.datetime) -> Blob:
    """Remember what the runner sent for a role; sent again it replaces the earlier one."""
    # Case tables and replicates give the reference away, so they are kept like it (design §9).
    blob = blob_rows.record(session, store="reference", sha256=stored.sha256, size=stored.size, now=now)
    known = session.get(JobBlob, (job.id, job.attempt, role))
    if known is None:
        session.add(JobBlob(job_id=job.id, attempt=job.attempt, role=role, blob_id=blob.id))
    else:
        known.blob_id = blob.id
    session.flush()
    return blob
