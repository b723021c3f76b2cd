"""Runner protocol 1 (`sandbox_runner/contract.py`): registering, claiming, inputs, heartbeats, outputs, reports."""

from __future__ import annotations

import asyncio
import hashlib
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Body, Depends, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import ValidationError
from sqlalchemy.orm import Session

from app.db.jobs import Job
from app.db.runners import Runner
from app.errors import N_, Invalid, NotAllowed, ProtocolVersion, SignInNeeded
from app.files.blobs import Stored
from app.http.actor import bearer_of
from app.http.body import Received, received_blob, received_bytes
from app.http.transaction import Parts, parts_of, utc_now
from app.http.wake import Look
from app.services import attempts, jobs, runners
from app.services.attempts import Report
from sandbox_runner.contract import (
    CARRIED_BYTES,
    CLAIM_WAIT_S,
    FINISH_MAX_BYTES,
    PROTOCOL_HEADER,
    SHA256_HEADER,
    SIGNATURE_HEADER,
    SUPPORTED,
    BlobRef,
    BlobStored,
    Claim,
    Claimed,
    Finish,
    Finished,
    Heartbeat,
    HeartbeatAnswer,
    Input,
    Limits,
    OutputRole,
    Register,
    Registered,
)

PREFIX = "/runner"
PartsDep = Annotated[Parts, Depends(parts_of)]


def protocol(request: Request) -> None:
    """Refuse other versions of the protocol, naming those spoken here."""
    said = request.headers.get(PROTOCOL_HEADER, "")
    low, high = SUPPORTED
    if not said.isdigit() or not low <= int(said) <= high:
        raise ProtocolVersion(low=low, high=high)


router = APIRouter(prefix=PREFIX, tags=["runner"], dependencies=[Depends(protocol)])


def bearer(request: Request) -> str:
    """The token or key that comes with the call."""
    secret = bearer_of(request)
    if secret is None:
        raise SignInNeeded(N_("This call needs `Authorization: Bearer …` with the runner's key or the job's token."))
    return secret


BearerDep = Annotated[str, Depends(bearer)]


def calling_runner(parts: PartsDep, key: BearerDep, body: Claim) -> Runner:
    """The runner whose key this is; that it called is noted once a minute."""
    now = utc_now()
    with parts.database.read_session() as session:
        runner = runners.by_key(session, key=key)
    if runners.news(runner, versions=body.versions, now=now):
        with parts.database.write_session() as session:
            runners.seen(session, runner_id=runner.id, versions=body.versions, now=now)
    return runner


def held_job(parts: PartsDep, token: BearerDep, job: uuid.UUID) -> Job:
    """The job that this token holds, to read its inputs and write its outputs. Raises Conflict (409) when stale."""
    with parts.database.read_session() as session:
        return jobs.held(session, job_id=job, token=token)


HeldDep = Annotated[Job, Depends(held_job)]


@router.post("/register", status_code=201)
def register(body: Register, parts: PartsDep, token: BearerDep) -> Registered:
    """Register a runner with a one-time token of `arbitre admin runner add`."""
    with parts.database.write_session() as session:
        made = runners.register(session, token=token, request=body, now=utc_now())
        return Registered(runner_id=str(made.runner.id), key=made.key)


@router.post("/claim", response_model=Claimed, responses={204: {"description": "nothing to do"}})
async def claim(
    request: Request,
    body: Annotated[Claim, Body()],
    parts: PartsDep,
    runner: Annotated[Runner, Depends(calling_runner)],
    wait: Annotated[float, Query(ge=0)] = CLAIM_WAIT_S,
) -> Claimed | Response:
    """Wait up to `wait` seconds for a job, without a thread. 204 when there is none."""
    queues = tuple(sorted(set(body.queues) & set(runner.queues)))
    if not queues:
        raise NotAllowed(N_("This runner may not take jobs of these queues."))
    end = time.monotonic() + min(wait, parts.settings.claim_wait_s)
    take = _look_and_take
    async with _hanging_up(request) as gone:
        while True:
            got = await anyio.to_thread.run_sync(take, parts, runner, queues)
            if got is not None and gone.done():
                await anyio.to_thread.run_sync(_give_back, parts, got)
            elif got is not None:
                return got
            seconds = end - time.monotonic()
            look = _looking(parts)
            if not await parts.wake.wait(queues=queues, look=look, seconds=seconds, gone=gone):
                return Response(status_code=204)
            take = _take  # who is woken need not look again


@router.get("/jobs/{job}/inputs/{role:path}", response_class=FileResponse)
def job_input(parts: PartsDep, held: HeldDep, role: str) -> FileResponse:
    """The bytes of one input of this job, and of no other."""
    with parts.database.read_session() as session:
        blob = attempts.input_of(session, job=held, role=role)
    return FileResponse(parts.blobs.path(blob.store, blob.sha256), media_type="application/octet-stream")


@router.post("/jobs/{job}/heartbeat")
def heartbeat(parts: PartsDep, job: uuid.UUID, token: BearerDep, _: Heartbeat) -> HeartbeatAnswer:
    """Extend the lease. `cancel` tells the runner to drop the job."""
    lease_s = parts.settings.lease_s
    with parts.database.write_session() as session:
        stop = jobs.heartbeat(session, job_id=job, token=token, lease_s=lease_s, now=utc_now())
    return HeartbeatAnswer(cancel=stop, lease_s=lease_s)


def limits_of(job: Job) -> Limits:
    """What the job's sandbox may use."""
    return Limits.model_validate(job.payload.get("limits", {}))


OUTPUT = received_blob("reference", admit=held_job, limit=lambda job: limits_of(job).output_mb * 2**20)


@router.put("/jobs/{job}/blobs/{role}")
def put_blob(
    request: Request,
    parts: PartsDep,
    token: BearerDep,
    role: OutputRole,
    body: Annotated[Received[Job], Depends(OUTPUT)],
) -> BlobStored:
    """Stream one output, which is as secret as the reference; it counts once the report names it."""
    said, stored = request.headers.get(SHA256_HEADER, ""), body.stored
    if said and said.lower() != stored.sha256:
        raise Invalid(N_("The blob changed on its way: X-Sha256 says %(said)s. Send it again."), said=said[:80])
    with parts.database.write_session() as session:
        job = jobs.held(session, job_id=body.admitted.id, token=token)
        attempts.put_blob(session, job=job, role=role, stored=stored, now=body.at)
        body.place()
    return BlobStored(sha256=stored.sha256, size=stored.size)


@router.post("/jobs/{job}/finish")
def finish(
    request: Request,
    parts: PartsDep,
    job: uuid.UUID,
    token: BearerDep,
    body: Annotated[bytes, Depends(received_bytes(limit=FINISH_MAX_BYTES))],
) -> Finished:
    """End the attempt by a signed report. The same report sent again is answered like the first."""
    signature = request.headers.get(SIGNATURE_HEADER, "")
    with parts.database.read_session() as session:
        known = jobs.of_token(session, job_id=job, token=token)
        runners.check_signature(session, runner_id=known.runner_id, body=body, signature=signature)
        report = Report(_parsed(body), hashlib.sha256(body).hexdigest())
        new = attempts.check_report(session, job=known, report=report)
    # Before the transaction: on SQLite everybody else who writes would wait for the disk meanwhile.
    carried = _carried(parts, report.finish.blobs) if new else {}
    with parts.database.write_session() as session:
        attempts.put_carried(session, job_id=job, token=token, carried=carried, report=report, now=utc_now())
        state = attempts.finish(session, job_id=job, token=token, report=report, now=utc_now(), files=parts.blobs)
    parts.wake.notify()
    parts.ended.ring(known.submission_id)
    return Finished(state=state)


def _carried(parts: Parts, refs: Sequence[BlobRef]) -> dict[str, Stored]:
    """Role -> output that came within the report, stored; side by side, because most of it is waiting for the disk."""
    given = {ref.role: ref.data for ref in refs if ref.data is not None}
    if sum(map(len, given.values())) > CARRIED_BYTES:
        raise Invalid(N_("The outputs within the report are larger than the server allows. Send them one by one."))
    with ThreadPoolExecutor(max_workers=2) as pool:
        stored = pool.map(lambda data: parts.blobs.write("reference", [data]), given.values())
        return dict(zip(given, stored, strict=True))


def _parsed(body: bytes) -> Finish:
    try:
        return Finish.model_validate_json(body)
    except ValidationError as error:
        problems = [
            {"where": ".".join(str(part) for part in item["loc"]), "text": item["msg"]} for item in error.errors()[:20]
        ]
        raise Invalid(N_("The report is not what protocol 1 says."), problems=problems) from error


def _look_and_take(parts: Parts, runner: Runner, queues: tuple[str, ...]) -> Claimed | None:
    """Claim one job, if a look shows that there is one."""
    with parts.database.read_session() as session:
        if not attempts.look(session, queues=queues, lease_s=parts.settings.lease_s, now=utc_now()):
            return None
    return _take(parts, runner, queues)


def _take(parts: Parts, runner: Runner, queues: tuple[str, ...]) -> Claimed | None:
    now, lease_s = utc_now(), parts.settings.lease_s
    with parts.database.write_session() as session:
        claimed = attempts.claim(session, queues=queues, runner=runner, lease_s=lease_s, now=now)
        return _claimed(session, *claimed, lease_s=lease_s) if claimed else None


def _claimed(session: Session, job: Job, token: str, *, lease_s: float) -> Claimed:
    return Claimed(
        job=str(job.id),
        kind=job.kind,
        attempt=job.attempt,
        token=token,
        lease_s=lease_s,
        deadline=job.deadline,
        spec_digest=job.payload.get("spec_digest", ""),
        inputs=[
            Input(role=role, sha256=blob.sha256, size=blob.size, url=f"/api/v1{PREFIX}/jobs/{job.id}/inputs/{role}")
            for role, blob in attempts.inputs_of(session, job=job)
        ],
        limits=limits_of(job),
        carried_bytes=min(CARRIED_BYTES, limits_of(job).output_mb << 20),
    )


def _give_back(parts: Parts, claimed: Claimed) -> None:
    """The runner hung up while its claim was being written: the job is free again at once, not after the lease."""
    with parts.database.write_session() as session:
        job = jobs.held(session, job_id=uuid.UUID(claimed.job), token=claimed.token)
        jobs.release(session, job, now=utc_now())
    parts.wake.notify()


def _looking(parts: Parts) -> Look:
    def look(queues: tuple[str, ...], limit: int) -> Counter[str]:
        with parts.database.read_session() as session:
            return attempts.look(session, queues=queues, lease_s=parts.settings.lease_s, now=utc_now(), limit=limit)

    return look


@asynccontextmanager
async def _hanging_up(request: Request) -> AsyncIterator[asyncio.Future[None]]:
    """A future that is done when the client has hung up."""

    async def listen() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    task = asyncio.ensure_future(listen())
    try:
        yield task
    finally:
        task.cancel()
