"""What a runner keeps in its state folder (0700): its Ed25519 key pair, and who it is to its server. Files are 0600."""

import base64
import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

_KEY, _IDENTITY = "signing.key", "runner.json"


class StateRefused(RuntimeError):
    """The state folder cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class Identity:
    """What registration gave: `key` authorises claims at `server`."""

    server: str
    runner_id: str
    key: str


def prepare(folder: Path) -> None:
    """Make the folder, for its owner alone. Raises StateRefused where others may enter it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise StateRefused(f"{folder} must belong to the runner's user alone. Run: chmod 700 {folder}")


def private_key(folder: Path) -> Ed25519PrivateKey:
    """The key pair, made at the first call."""
    path = folder / _KEY
    with contextlib.suppress(FileExistsError):
        new = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        _write(path, base64.b64encode(new))
    try:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(path.read_bytes(), validate=True))
    except ValueError:
        raise StateRefused(f"{path} is not a key. Delete {folder} and register the runner again.") from None


def public_text(key: Ed25519PrivateKey) -> str:
    """Base64 of the 32 bytes of the public half."""
    return base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def sign(key: Ed25519PrivateKey, body: bytes) -> str:
    """Base64 of the signature over exactly these bytes."""
    return base64.b64encode(key.sign(body)).decode()


def identity(folder: Path) -> Identity | None:
    """Who this runner is, or None before it registered. Raises StateRefused for a file that is damaged."""
    path = folder / _IDENTITY
    try:
        return Identity(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise StateRefused(f"{path} is damaged. Delete it and register the runner again.") from None


def keep(folder: Path, identity: Identity) -> None:
    """Write down who this runner is."""
    new = folder / f"{_IDENTITY}.new"
    new.unlink(missing_ok=True)
    _write(new, json.dumps(asdict(identity)).encode())
    new.replace(folder / _IDENTITY)


def _write(path: Path, content: bytes) -> None:
    """Make a file that only its owner can read. Raises FileExistsError."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
