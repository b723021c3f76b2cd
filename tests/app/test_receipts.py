"""Signing and verifying receipts."""

from pathlib import Path

from app.domain.receipts import public_bytes, sign, verify
from app.services.receipts import public_keys, signing_key


def test_a_receipt_verifies_and_a_changed_one_does_not(tmp_path: Path) -> None:
    key = signing_key(tmp_path / "keys")
    signed = sign({"number": 7, "sha256": "ab"}, key)
    assert verify(signed, public_bytes(key))
    assert not verify(signed | {"receipt": {"number": 8, "sha256": "ab"}}, public_bytes(key))
    assert not verify({"receipt": signed["receipt"]}, public_bytes(key))


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    assert public_bytes(signing_key(keys)) == public_bytes(signing_key(keys))
    assert (keys / "receipts.pem").stat().st_mode & 0o777 == 0o600
    assert keys.stat().st_mode & 0o777 == 0o700
    assert [key["algorithm"] for key in public_keys(keys)] == ["Ed25519"]


def test_older_keys_stay_published(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    signing_key(keys)
    (keys / "receipts.pem").rename(keys / "receipts-2026.pem")
    signing_key(keys)
    assert len({key["key_id"] for key in public_keys(keys)}) == 2
