"""A small real HTTP server that speaks the runner protocol from memory, with faults on request. For tests only."""

import base64
import hashlib
import json
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ONE_TIME, KEY = "one-time-token", "runner-key"


@dataclass
class Job:
    """What the server knows of a job. `state`: ready, leased, done. `stale_after`: "blob" = another takes it then."""

    id: str
    kind: str
    files: Mapping[str, bytes]
    limits: Mapping[str, Any]
    lease_s: float = 60
    state: str = "ready"
    cancel: bool = False
    stale: bool = False
    stale_after: str = ""
    heartbeats: int = 0
    blobs: dict[str, bytes] = field(default_factory=dict)
    finishes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def token(self) -> str:
        return f"token-of-{self.id}"

    def claimed(self) -> dict[str, Any]:
        inputs = [
            {
                "role": role,
                "sha256": hashlib.sha256(content).hexdigest(),
                "size": len(content),
                "url": f"/api/v1/runner/jobs/{self.id}/inputs/{role}",
            }
            for role, content in self.files.items()
        ]
        return {
            "job": self.id, "kind": self.kind, "attempt": 1, "token": self.token, "lease_s": self.lease_s,
            "deadline": None, "spec_digest": "0" * 64, "inputs": inputs, "limits": self.limits,
        }  # fmt: skip


class Server(ThreadingHTTPServer):
    """`cut`: per kind of call, how many of the next are cut off without an answer (after the server did its part)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.jobs: dict[str, Job] = {}
        self.ready: deque[Job] = deque()
        self.changed = threading.Condition()
        self.calls: Counter[str] = Counter()
        self.cut: Counter[str] = Counter()
        self.supported: list[int] | None = None
        self.redirect = ""
        self.damage = 0
        self.public_key = b""
        self.registrations: list[dict[str, Any]] = []
        self.known = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def add(self, job: Job) -> Job:
        with self.changed:
            self.jobs[job.id] = job
            self.ready.append(job)
            self.changed.notify_all()
        return job

    def next(self, wait_s: float) -> Job | None:
        with self.changed:
            if not self.changed.wait_for(lambda: self.ready, wait_s):
                return None
            job = self.ready.popleft()
            job.state = "leased"
            return job

    def done(self, *jobs: Job, within_s: float = 30) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: all(job.state == "done" for job in jobs), within_s)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, OSError):
            self.close_connection = True

    def do_GET(self) -> None:
        job = self._job()
        if job is None or not self._version():
            return
        role = self.path.partition("/inputs/")[2]
        content = job.files[role]
        self.server.calls["input"] += 1
        if self.server.damage:
            self.server.damage -= 1
            content = b"x" * len(content)
        self._answer(200, content)

    def do_PUT(self) -> None:
        body, job = self._body(), self._job()
        if job is None:
            return
        job.blobs[self.path.rpartition("/")[2]] = body
        job.stale = job.stale_after == "blob"
        assert self.headers["X-Sha256"] == hashlib.sha256(body).hexdigest()
        self._reply("blob", {"sha256": self.headers["X-Sha256"], "size": len(body)})

    def do_POST(self) -> None:
        body, path = self._body(), urlsplit(self.path)
        if self.server.redirect:
            self.send_response(302)
            self.send_header("Location", self.server.redirect)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif not self._version():
            return
        elif path.path.endswith("/register"):
            self._register(json.loads(body))
        elif path.path.endswith("/claim"):
            self._claim(json.loads(body), float(parse_qs(path.query)["wait"][0]))
        elif (job := self._job()) is not None:
            self._heartbeat(job) if path.path.endswith("/heartbeat") else self._finish(job, body)

    def _register(self, request: dict[str, Any]) -> None:
        if not self._bearer(ONE_TIME):
            return
        self.server.registrations.append(request)
        self.server.public_key = base64.b64decode(request["public_key"])
        self.server.known = True
        self._reply("register", {"runner_id": "runner-1", "key": KEY}, status=201)

    def _claim(self, request: dict[str, Any], wait_s: float) -> None:
        if not self.server.known or not self._bearer(KEY):
            return None if self.server.known else self._answer(401, b'{"detail": "This runner is unknown."}')
        assert (request["queues"], request["capacity"] >= 1) == (["check", "score"], True)
        job = self.server.next(min(wait_s, 1))
        return self._answer(204, b"") if job is None else self._reply("claim", job.claimed())

    def _heartbeat(self, job: Job) -> None:
        job.heartbeats += 1
        self._reply("heartbeat", {"cancel": job.cancel, "lease_s": job.lease_s})

    def _finish(self, job: Job, body: bytes) -> None:
        Ed25519PublicKey.from_public_bytes(self.server.public_key).verify(
            base64.b64decode(self.headers["X-Signature"]), body
        )
        with self.server.changed:
            job.finishes.append(json.loads(body))
            job.state = "done"
            self.server.changed.notify_all()
        self._reply("finish", {"state": "done"})

    def _job(self) -> Job | None:
        job = self.server.jobs[self.path.split("/")[5]]
        if job.stale:
            self.server.calls["stale"] += 1
            self._answer(409, b'{"detail": "stale"}')
            return None
        return job if self._bearer(job.token) else None

    def _bearer(self, secret: str) -> bool:
        if self.headers["Authorization"] != f"Bearer {secret}":
            self._answer(401, b'{"detail": "wrong token"}')
            return False
        return True

    def _version(self) -> bool:
        if self.server.supported is not None:
            self._answer(426, json.dumps({"supported": self.server.supported}).encode())
        else:
            assert self.headers["Arbitre-Protocol"] == "1"
        return self.server.supported is None

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _reply(self, call: str, document: dict[str, Any], *, status: int = 200) -> None:
        self.server.calls[call] += 1
        if self.server.cut[call] > 0:
            self.server.cut[call] -= 1
            self.close_connection = True
            return
        self._answer(status, json.dumps(document).encode())

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def wait_until(condition: Any, seconds: float = 20) -> bool:
    """Whether the condition came true in time."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(condition())
