"""Receipts: canonical bytes (RFC 8785) and their Ed25519 signature."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def canonical(document: dict[str, Any]) -> bytes:
    """The one byte form of a JSON document (RFC 8785)."""
    return rfc8785.dumps(document)


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of the public key."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_id(public: bytes) -> str:
    """The first 16 hex digits of the public key's sha256."""
    return hashlib.sha256(public).hexdigest()[:16]


def sign(document: dict[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """`{receipt, key_id, signature}`; the signature (base64) is over the canonical bytes of `receipt`."""
    signature = key.sign(canonical(document))
    return {"receipt": document, "key_id": key_id(public_bytes(key)), "signature": base64.b64encode(signature).decode()}


def verify(signed: dict[str, Any], public: bytes) -> bool:
    """Whether `signed` was signed by the key with these 32 public bytes."""
    try:
        signature = base64.b64decode(signed["signature"], validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(signature, canonical(signed["receipt"]))
    except (InvalidSignature, KeyError, ValueError):
        return False
    return True
