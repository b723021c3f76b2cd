"""The runner's side of the protocol: one server, one host and port, outgoing calls only.

HTTPS_PROXY and NO_PROXY are honoured. Redirects are refused. A call that may succeed later (no connection, 429, 5xx) is
tried again, each time after a longer pause with jitter, for as long as the caller has patience.
"""

import hashlib
import itertools
import random
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from sandbox_runner import contract
from sandbox_runner.contract import BlobStored, Claim, Claimed, Finished, HeartbeatAnswer, Input, Register, Registered

_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 15.0
_CHUNK = 1 << 16
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_NEARBY = frozenset({"localhost", "127.0.0.1", "::1"})  # never behind a proxy
_GONE = frozenset({401, 403, 404, 409, 410})  # what a job's token opens no more

A = TypeVar("A", bound=BaseModel)
T = TypeVar("T")


class Unreachable(Exception):
    """No usable answer in time."""


class Refused(Exception):
    """The server said no, and will go on saying it. The text says what it said; `status` is that of HTTP, or 0."""

    def __init__(self, text: str, *, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class Stale(Exception):
    """The attempt is over: the lease ended, or the job is another's. Drop it and say nothing."""


class Damaged(Exception):
    """A blob or a job is not what it should be."""


def pause_s(attempt: int) -> float:
    """Seconds to wait before try `attempt` + 1: doubling from a quarter to 15, times a random half to one."""
    longest: float = min(_LONGEST_PAUSE_S, _PAUSE_S * 2 ** min(attempt, 10))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311


class Client:
    """Calls to `server`. Safe to use from several threads. `stop`: once set, nothing is tried again."""

    def __init__(self, server: str, *, ca_file: Path | None = None, stop: threading.Event | None = None) -> None:
        """`server`: http(s)://host[:port]. `ca_file`: PEM of the authority that signed its certificate."""
        verify = ssl.create_default_context(cafile=str(ca_file)) if ca_file else True
        headers = {contract.PROTOCOL_HEADER: str(contract.PROTOCOL)}
        timeout = httpx.Timeout(30, connect=10, pool=60)
        self._stop = stop or threading.Event()
        nearby = httpx.URL(server).host in _NEARBY
        self._http = httpx.Client(
            base_url=server, verify=verify, headers=headers, timeout=timeout, follow_redirects=False,
            trust_env=not nearby,
        )  # fmt: skip

    def close(self) -> None:
        """End all connections."""
        self._http.close()

    def register(self, token: str, request: Register, *, patience_s: float) -> Registered:
        """Become known to the server by a one-time token."""
        return _read(Registered, self._send("POST", "register", token, request, patience_s=patience_s))

    def claim(self, key: str, request: Claim, *, wait_s: int = contract.CLAIM_WAIT_S) -> Claimed | None:
        """One job, or None if there was none within `wait_s`. Tried once. Raises Damaged for a job of unknown shape."""
        answer = self._send("POST", f"claim?wait={wait_s}", key, request, timeout_s=wait_s + 15)
        if answer.status_code == 204:
            return None
        try:
            return Claimed.model_validate_json(answer.content)
        except ValidationError as error:
            places = {".".join(map(str, part["loc"])) for part in error.errors(include_url=False)}
            raise Damaged(f"The job is not of the agreed shape: {', '.join(sorted(places)[:5])}.") from None

    def heartbeat(self, job: Claimed, *, patience_s: float) -> HeartbeatAnswer:
        """Extend the lease. Raises Stale."""
        request = contract.Heartbeat()
        return _read(
            HeartbeatAnswer, self._send("POST", f"jobs/{job.job}/heartbeat", job, request, patience_s=patience_s)
        )

    def put(self, job: Claimed, role: str, blob: bytes, *, patience_s: float) -> str:
        """Send an output; its digest. Raises Stale."""
        digest = hashlib.sha256(blob).hexdigest()
        path, headers = f"jobs/{job.job}/blobs/{role}", {contract.SHA256_HEADER: digest}
        stored = _read(BlobStored, self._send("PUT", path, job, blob, headers=headers, patience_s=patience_s))
        if stored.sha256 != digest:
            raise Damaged(f"The server stored other bytes than were sent for {role}.")
        return digest

    def finish(self, job: Claimed, body: bytes, signature: str, *, patience_s: float) -> Finished:
        """Report the end. Raises Stale."""
        headers = {contract.SIGNATURE_HEADER: signature, "Content-Type": "application/json"}
        answer = self._send("POST", f"jobs/{job.job}/finish", job, body, headers=headers, patience_s=patience_s)
        return _read(Finished, answer)

    def fetch(self, job: Claimed, item: Input, into: BinaryIO, *, patience_s: float) -> None:
        """Write an input to a seekable file. Raises Damaged where size or digest are others than announced."""
        prefix = f"/api/v1/runner/jobs/{job.job}/"
        if not item.url.startswith(prefix) or ".." in item.url:
            raise Refused(f"The input {item.role} lies at {item.url[:200]}, outside of its job.")
        self._patiently(lambda: self._fetch(job, item, into), patience_s)

    def _fetch(self, job: Claimed, item: Input, into: BinaryIO) -> None:
        into.seek(0)
        into.truncate()
        digest, size = hashlib.sha256(), 0
        with self._http.stream("GET", item.url, headers=_bearer(job.token)) as answer:
            _check(answer, job_call=True)
            for chunk in answer.iter_bytes(_CHUNK):
                size += len(chunk)
                if size > item.size:
                    break
                digest.update(chunk)
                into.write(chunk)
        into.flush()
        if size != item.size or digest.hexdigest() != item.sha256:
            raise Damaged(f"The input {item.role} is not the blob that the job names.")

    def _send(
        self,
        method: str,
        path: str,
        who: str | Claimed,
        content: BaseModel | bytes,
        *,
        headers: dict[str, str] | None = None,
        patience_s: float = 0,
        timeout_s: float = 30,
    ) -> httpx.Response:
        """`who`: a key or one-time token, or the job whose token opens the call."""
        token = who if isinstance(who, str) else who.token
        body = content if isinstance(content, bytes) else content.model_dump_json().encode()
        headers = {"Content-Type": "application/json", **_bearer(token), **(headers or {})}

        def call() -> httpx.Response:
            url = f"/api/v1/runner/{path}"
            answer = self._http.request(method, url, content=body, headers=headers, timeout=timeout_s)
            _check(answer, job_call=not isinstance(who, str))
            return answer

        return self._patiently(call, patience_s)

    def _patiently(self, call: Callable[[], T], patience_s: float) -> T:
        last = time.monotonic() + patience_s
        for attempt in itertools.count():
            try:
                return call()
            except (httpx.TransportError, Unreachable, Damaged) as error:
                pause = pause_s(attempt)
                if time.monotonic() + pause > last or self._stop.wait(pause):
                    raise error if isinstance(error, Damaged) else Unreachable(_told(error)) from error
        raise AssertionError


def _check(answer: httpx.Response, *, job_call: bool) -> None:
    status = answer.status_code
    if status in (200, 201, 204):
        return
    if status in _AGAIN:
        raise Unreachable(f"the server answered {status}")
    if status == 426:
        raise Refused(_versions(answer))
    if job_call and status in _GONE:
        raise Stale(f"the server answered {status}")
    if answer.is_redirect:
        raise Refused(f"The server redirects to {answer.headers.get('location', '')[:200]}. Give that address instead.")
    raise Refused(f"The server answered {status}: {_text(answer)}", status=status)


def _versions(answer: httpx.Response) -> str:
    answer.read()
    low, high = _read(contract.Supported, answer).supported
    return (
        f"This runner speaks protocol {contract.PROTOCOL}, the server {low} to {high}. Update the "
        f"{'runner' if low > contract.PROTOCOL else 'server'}."
    )


def _text(answer: httpx.Response) -> str:
    answer.read()
    try:
        problem: Any = answer.json()
        return str(problem.get("detail") or problem.get("title"))[:500]
    except (ValueError, AttributeError):
        return answer.text[:200]


def _read(model: type[A], answer: httpx.Response) -> A:
    try:
        return model.model_validate_json(answer.content)
    except ValidationError:
        raise Refused(f"The answer to {answer.request.url.path} is not one of an Arbitre server.") from None


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _told(error: Exception) -> str:
    return str(error) or type(error).__name__
