"""The runner at work: claims jobs, runs each in a sandbox, reports. A thread per slot, one per job for its lease."""

import base64
import functools
import hashlib
import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sandbox_runner import contract, keys
from sandbox_runner.cache import Cache
from sandbox_runner.child import place
from sandbox_runner.client import Client, Damaged, Refused, Stale, Unreachable, pause_s
from sandbox_runner.contract import BlobRef, Claim, Claimed, Finish
from sandbox_runner.pool import Pool
from sandbox_runner.sandbox import Sandbox
from sandbox_runner.steps import Report, Sandboxes, internal
from sandbox_runner.tasks import perform

LOG = logging.getLogger("arbitre.runner")
GRACE_S = 5.0
_LAST_WORDS_S = 3.0
_SANDBOX_S = 10.0
_FETCH_S, _REPORT_S = 60.0, 600.0
_STOPPED = "The runner was stopped before the job was done; it runs again."
_CANCELLED = "The server cancelled the job."


@dataclass(frozen=True)
class Settings:
    """What a runner takes: `key` authorises claims, `queues` and `tags` select, `slots` jobs at once."""

    key: str
    signer: Ed25519PrivateKey
    queues: Sequence[str]
    slots: int
    tags: Sequence[str] = ()
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(eq=False)
class _Held:
    """A job on lease. `lost`: it is another's by now. `over`: nobody waits for it. `sandbox`: where it runs."""

    job: Claimed
    lost: bool = False
    over: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    sandbox: Sandbox | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cancel(self) -> None:
        with self._lock:
            self.over.set()
            if self.sandbox is not None:
                self.sandbox.cancel()

    def started(self, sandbox: Sandbox) -> None:
        with self._lock:
            self.sandbox = sandbox
            if self.over.is_set():
                sandbox.cancel()

    def left(self) -> None:
        """It may be another job's by the next moment, which this one must not end."""
        with self._lock:
            self.sandbox = None


class Runner:
    """Takes jobs until `stop` is set, which `client` should know too."""

    def __init__(self, client: Client, pool: Pool, cache: Cache, settings: Settings, stop: threading.Event) -> None:
        """Nothing is called yet."""
        self._client, self._pool, self._cache, self._settings, self._stop = client, pool, cache, settings, stop
        self._held: set[_Held] = set()
        self._changed = threading.Condition()
        self._refused: Refused | None = None

    def run(self, *, once: bool = False) -> None:
        """Work until stopped, then end or give back within seconds what is at work. `once`: after one claim.

        Raises Refused where the server wants no claims of this runner.
        """
        for number in range(1 if once else self._settings.slots):
            threading.Thread(target=self._slot, args=(once,), name=f"slot-{number}", daemon=True).start()
        self._stop.wait()
        if not self._idle(GRACE_S):
            for held in list(self._held):
                held.cancel()
            self._idle(_LAST_WORDS_S)
        if self._refused is not None:
            raise self._refused

    def _idle(self, timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._held, timeout_s)

    def _slot(self, once: bool) -> None:
        failures = 0
        while not self._stop.is_set():
            if not self._sandbox_ready():
                continue
            try:
                job = self._client.claim(self._settings.key, self._claim())
            except Refused as error:
                self._refused = error
                break
            except Exception as error:
                _log("no claim", level=logging.WARNING, reason=_reason(error))
                self._stop.wait(pause_s(failures))
                failures += 1
                continue
            failures = 0
            if job is not None:
                self._work(_Held(job))
            if once:
                break
        if once or self._refused is not None:
            self._stop.set()

    def _sandbox_ready(self) -> bool:
        """Nothing is claimed that could not be run at once."""
        if self._pool.wait(_SANDBOX_S):
            return True
        _log("no sandbox", level=logging.ERROR, reason=self._pool.failure)
        return False

    def _claim(self) -> Claim:
        free = max(1, self._settings.slots - len(self._held))
        queues, tags = list(self._settings.queues), list(self._settings.tags)
        return Claim(queues=queues, tags=tags, capacity=free, versions=dict(self._settings.versions))

    def _work(self, held: _Held) -> None:
        job, began = held.job, time.monotonic()
        with self._changed:
            self._held.add(held)
        threading.Thread(target=self._beat, args=(held,), daemon=True).start()
        try:
            report = self._attempt(held)
            if not held.lost:
                state = self._report(job, report)
                _log("job reported", job=job, outcome=report.finish.outcome, state=state, since=began)
        except Stale:
            _log("job dropped: it is another's by now", job=job, since=began)
        except Exception as error:  # a job may never end its slot
            _log("job not reported", level=logging.ERROR, job=job, reason=_reason(error), since=began)
        finally:
            held.ended.set()
            with self._changed:
                self._held.discard(held)
                self._changed.notify_all()

    def _beat(self, held: _Held) -> None:
        lease_s = held.job.lease_s
        while not held.ended.wait(lease_s / 3):
            try:
                answer = self._client.heartbeat(held.job, patience_s=lease_s / 3)
            except Stale:
                held.lost = True
                return held.cancel()
            except (Unreachable, Refused) as error:
                _log("heartbeat failed", level=logging.WARNING, job=held.job, reason=str(error))
                continue
            lease_s = answer.lease_s
            if answer.cancel:
                return held.cancel()
        return None

    def _attempt(self, held: _Held) -> Report:
        if self._stop.is_set():
            return internal(_STOPPED)
        try:
            report = self._perform(held)
        except Stale:
            raise
        except (Unreachable, Refused, Damaged) as error:
            return internal(f"An input could not be fetched: {error}")
        except Exception as error:
            return internal(f"The runner failed: {place(error)}")
        return report or internal(_STOPPED if self._stop.is_set() else _CANCELLED)

    def _perform(self, held: _Held) -> Report | None:
        job, files = held.job, {}
        with ExitStack() as stack:
            for item in job.inputs:
                fetch = functools.partial(self._client.fetch, job, item, patience_s=_FETCH_S)
                files[item.role] = self._cache.open(item, fetch)
                stack.callback(os.close, files[item.role])
                if held.over.is_set():
                    return None
            sandboxes = Sandboxes(self._pool.take, self._pool.give, held.started, held.left)
            digests = {item.role: item.sha256 for item in job.inputs}
            return perform(job.kind, files, limits=job.limits, sandboxes=sandboxes, digests=digests)

    def _report(self, job: Claimed, report: Report) -> str:
        try:
            carried = sum(map(len, report.outputs.values())) <= job.carried_bytes
            blobs = [self._sent(job, role, blob, carried=carried) for role, blob in report.outputs.items()]
            body = _body(job, report.finish, blobs)
        except (Refused, Damaged) as error:
            body = _body(job, internal(f"The outputs could not be sent: {error}").finish, [])
        signature = keys.sign(self._settings.signer, body)
        return self._client.finish(job, body, signature, patience_s=_REPORT_S).state

    def _sent(self, job: Claimed, role: str, blob: bytes, *, carried: bool) -> BlobRef:
        """An output that the report carries, or that was put before it."""
        if carried:
            digest = hashlib.sha256(blob).hexdigest()
            return BlobRef.model_validate({"role": role, "sha256": digest, "data": base64.b64encode(blob)})
        return BlobRef.model_validate({"role": role, "sha256": self._client.put(job, role, blob, patience_s=_REPORT_S)})


def _reason(error: Exception) -> str:
    """What may be logged: a file's content never is."""
    return str(error) if isinstance(error, Unreachable | Refused | Damaged) else place(error)


def _body(job: Claimed, finish: Finish, blobs: list[BlobRef]) -> bytes:
    entries = [item.sha256 for item in job.inputs if item.role == "entry"]
    detail = finish.detail.model_copy(update={"sha256": entries[0] if entries else None})
    body = finish.model_copy(update={"detail": detail, "blobs": blobs}).model_dump_json(exclude_none=True).encode()
    if len(body) > contract.FINISH_MAX_BYTES:
        return _body(job, internal(f"The report would have {len(body):,} bytes: too many values.").finish, [])
    return body


def _log(
    text: str, *, level: int = logging.INFO, job: Claimed | None = None, since: float | None = None, **more: str
) -> None:
    data: dict[str, object] = dict(more)
    if job is not None:
        data |= {"job": job.job, "kind": job.kind, "attempt": job.attempt}
    if since is not None:
        data["seconds"] = round(time.monotonic() - since, 3)
    LOG.log(level, text, extra={"data": data})
