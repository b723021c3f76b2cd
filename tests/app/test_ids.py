"""Identifiers."""

import time

from app.domain.ids import new_id, new_secret, secret_hash


def test_ids_are_uuid_version_7_of_this_moment_and_in_order() -> None:
    before = time.time_ns() // 1_000_000
    made = []
    for _ in range(1000):
        made.append(new_id())
        time.sleep(0.000002)
    assert {one.version for one in made} == {7}
    assert {one.variant for one in made} == {"specified in RFC 4122"}
    assert made == sorted(made)
    assert before <= made[0].int >> 80 <= time.time_ns() // 1_000_000


def test_secrets_are_not_stored() -> None:
    secret = new_secret("arb")
    assert secret.startswith("arb_")
    assert secret_hash(secret) != secret
    assert len(secret_hash(secret)) == 64
