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
    """A UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, 12 of their fraction (§6.2, method 3), 62 random bits.

    The fraction keeps rows made one after the other in their order: it counts 244 ns.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    time_bits = (milliseconds << 16) | (0x7 << 12) | (rest * 4096 // 1_000_000)
    random_bits = int.from_bytes(os.urandom(8), "big") >> 2
    return uuid.UUID(int=(time_bits << 64) | (0x2 << 62) | random_bits)


def new_secret(prefix: str) -> str:
    """A 256-bit secret, shown once; `prefix` says what it opens (arb_, run_, job_, ses_)."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def secret_hash(secret: str) -> str:
    """What is stored of a secret: sha256 hex (256 random bits need no slow hash)."""
    return hashlib.sha256(secret.encode()).hexdigest()
