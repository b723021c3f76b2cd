"""Receipts: signing what the platform holds of a submission, and the keys to verify it."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from sqlalchemy.orm import Session

from app.db.challenges import Challenge
from app.db.phases import Phase
from app.db.submissions import Submission
from app.db.teams import Team
from app.domain.receipts import key_id, public_bytes, sign

CURRENT = "receipts.pem"


def receipt(session: Session, *, submission: Submission, keys: Path) -> dict[str, Any]:
    """The signed receipt of a submission: what arrived and when, what reading counted; never a score."""
    challenge = session.get_one(Challenge, submission.challenge_id)
    phase = session.get_one(Phase, submission.phase_id)
    report = submission.report or {}
    document = {
        "type": "arbitre-receipt-1",
        "challenge": challenge.slug,
        "phase": phase.slug,
        "reference": phase.reference_version,
        "team": session.get_one(Team, submission.team_id).name,
        "id": str(submission.id),
        "number": submission.number,
        "kind": submission.kind,
        "check": submission.check,
        "filename": submission.filename,
        "sha256": submission.sha256,
        "size": submission.size,
        "requested_at": submission.requested_at.isoformat(),
        "received_at": submission.received_at.isoformat(),
        "state": submission.state,
        "counts": report.get("counts", {}),
        "problems": report.get("total", {}),
    }
    return sign(document, signing_key(keys))


def signing_key(keys: Path) -> Ed25519PrivateKey:
    """The key in force, made at first use (0600 in a 0700 folder)."""
    path = keys / CURRENT
    try:
        return _load(path)
    except FileNotFoundError:
        return _make(path)


def public_keys(keys: Path) -> list[dict[str, str]]:
    """Every key that ever signed, the one in force first: key id and the 32 public bytes in base64."""
    signing_key(keys)
    paths = sorted(keys.glob("*.pem"), key=lambda path: (path.name != CURRENT, path.name))
    publics = [public_bytes(_load(path)) for path in paths]
    return [
        {"key_id": key_id(raw), "algorithm": "Ed25519", "public_key": base64.b64encode(raw).decode()} for raw in publics
    ]


def _load(path: Path) -> Ed25519PrivateKey:
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{path} does not hold an Ed25519 key")
    return key


def _make(path: Path) -> Ed25519PrivateKey:
    """Make the key; when another process made one at the same moment, that one counts."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    fresh = path.with_name(f".{os.getpid()}.{key_id(public_bytes(key))}")
    fresh.touch(0o600)
    fresh.write_bytes(pem)
    try:
        os.link(fresh, path)
    except FileExistsError:
        return _load(path)
    finally:
        fresh.unlink()
    return key
