"""Runner protocol 1 as it was recorded: what released runners say must get the answers that they were given.

Record anew, only together with a new protocol version: python -m tests.app.test_transcripts
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.db.engine import open_database
from app.db.migrate import upgrade
from app.domain.receipts import public_bytes
from app.http.transaction import utc_now
from app.services import runners
from tests import scenario
from tests.instance import organiser
from tests.serving import Served, served

STORED = Path(__file__).parent / "transcripts" / "protocol_1.json"
CASES = scenario.cases(20)
GROWN = {"carried_bytes"}
VARYING = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"(run|job)_[A-Za-z0-9_-]{43}"), r"\1_SECRET"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
]


class Talk:
    """A conversation with the server, written down with what varies blanked."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, limits=httpx.Limits(max_keepalive_connections=0))
        self.lines: list[dict[str, Any]] = []

    def say(
        self, method: str, path: str, bearer: str, *, version: str = "1", body: bytes | None = None, **headers: str
    ) -> Any:
        """Send one request; the answer's JSON, or its bytes."""
        head = {"Authorization": f"Bearer {bearer}", "Arbitre-Protocol": version, **headers}
        if body and body.startswith(b"{"):
            head["Content-Type"] = "application/json"
        answer = self.http.request(method, path, content=body, headers=head)
        is_json = "json" in answer.headers.get("content-type", "")
        said = answer.json() if is_json else None
        line = {
            "request": f"{method} {path}",
            "body": json.loads(body) if body and body.startswith(b"{") else None,
            "status": answer.status_code,
            "answer": said,
        }
        self.lines.append(json.loads(blank(json.dumps(line))))
        return said if is_json else answer.content


def blank(text: str) -> str:
    for pattern, name in VARYING:
        text = pattern.sub(name, text)
    return text


def converse(instance: Served) -> list[dict[str, Any]]:
    """Everything that a runner says: registering, one job from claim to report, and what is refused."""
    chief = organiser(instance)
    scenario.publish(chief, scenario.folder(CASES))
    who = scenario.person(instance.url, "ada")
    scenario.join(who, "tiny")
    scenario.submit(who, "tiny", scenario.entry(CASES), params={"check": "true"})
    with instance.database.write_session() as session:
        token = runners.add_token(session, now=utc_now())
    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    talk = Talk(instance.url)
    public = base64.b64encode(public_bytes(key)).decode()
    wish = {
        "name": "r1",
        "public_key": public,
        "queues": ["check", "score"],
        "tags": [],
        "versions": {"arbitre": "0.1.0"},
    }
    talk.say("POST", "/api/v1/runner/register", token, version="2", body=json.dumps(wish).encode())
    mine = talk.say("POST", "/api/v1/runner/register", token, body=json.dumps(wish).encode())["key"]
    claim = json.dumps({"queues": ["check", "score"], "capacity": 1, "versions": {"arbitre": "0.1.0"}}).encode()
    got = talk.say("POST", "/api/v1/runner/claim?wait=0", mine, body=claim)
    base, secret = f"/api/v1/runner/jobs/{got['job']}", got["token"]
    for item in got["inputs"]:
        data = talk.say("GET", item["url"], secret)
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        assert len(data) == item["size"] or item["role"] == "spec"
    talk.say("POST", f"{base}/heartbeat", secret, body=b"{}")
    talk.say("PUT", f"{base}/blobs/replicates", secret, body=b"npz", **{"X-Sha256": hashlib.sha256(b"npz").hexdigest()})
    report = {"outcome": "ok", "detail": {"counts": {"rows": 20}}, "values": [], "blobs": [], "usage": {"wall_s": 0.5}}
    body = json.dumps(report).encode()
    signature = base64.b64encode(key.sign(body)).decode()
    talk.say("POST", f"{base}/finish", secret, body=body, **{"X-Signature": base64.b64encode(b"s" * 64).decode()})
    talk.say("POST", f"{base}/finish", secret, body=body, **{"X-Signature": signature})
    talk.say("POST", f"{base}/finish", secret, body=body, **{"X-Signature": signature})
    talk.say("POST", f"{base}/heartbeat", secret, body=b"{}")
    talk.say("POST", "/api/v1/runner/claim?wait=0", mine, body=claim)
    return talk.lines


def test_the_server_answers_as_recorded(tmp_path: Path, sqlite_template: Path) -> None:
    with served(tmp_path, sqlite_template) as instance:
        assert [without_grown(line) for line in converse(instance)] == json.loads(STORED.read_text())


def without_grown(line: dict[str, Any]) -> dict[str, Any]:
    """A line without the optional keys that answers got since, which a recorded runner ignores."""
    answer = line["answer"]
    return line | {"answer": {k: v for k, v in answer.items() if k not in GROWN}} if isinstance(answer, dict) else line


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "template.sqlite3"
        database = open_database(f"sqlite:///{path}")
        upgrade(database)
        database.dispose()
        (Path(name) / "data").mkdir()
        with served(Path(name) / "data", path) as running:
            recorded = [without_grown(line) for line in converse(running)]
            STORED.write_text(json.dumps(recorded, indent=1) + "\n")
