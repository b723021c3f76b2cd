"""Identifiers: time-ordered UUIDs and secrets."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
import uuid

NIL = uuid.UUID(int=0)
"""Stands for "none" where a unique constraint needs a value (local site, no set)."""


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then random bits."""
    value = int.from_bytes(int(time.time() * 1000).to_bytes(6, "big") + os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    return uuid.UUID(int=(value & ~(0x3 << 62)) | (0x2 << 62))


def new_secret(prefix: str) -> str:
    """A 256-bit secret, shown once; `prefix` says what it opens (arb_, run_, job_, ses_)."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def secret_hash(secret: str) -> str:
    """What is stored of a secret: sha256 hex (256 random bits need no slow hash)."""
    return hashlib.sha256(secret.encode()).hexdigest()
