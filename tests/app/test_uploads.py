"""The resumable way of an entry, request by request as tus 1.0.0 has it, over HTTP."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from tusclient.client import TusClient

from app.db.submissions import Submission
from app.db.uploads import KEEP, Upload
from app.files import partial
from app.http.transaction import utc_now
from app.services import uploads
from tests import scenario
from tests.instance import organiser
from tests.newcomers import newcomer
from tests.scenario import Person
from tests.serving import Served, served

CASES = scenario.cases()
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = TUS | {"Content-Type": "application/offset+octet-stream"}
POST = "/challenges/tiny/phases/main/submissions"


@dataclass(frozen=True)
class World:
    """One instance with one challenge for all tests of this file; every test has people of its own."""

    served: Served

    def newcomer(self, name: str) -> Person:
        return newcomer(self.served, name)

    def on_disk(self) -> list[Path]:
        return sorted((self.served.parts.settings.data / "blobs" / "entries" / "uploads").glob("*"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[World]:
    with served(tmp_path_factory.mktemp("uploads"), sqlite_template, direct_limit=1_000_000) as instance:
        scenario.publish(organiser(instance), scenario.folder(CASES, day=3))
        yield World(instance)


def metadata(**values: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


def announce(who: Person, data: bytes, **others: str) -> httpx.Response:
    """Create an upload for `data`; `others` are more or other metadata."""
    said = {"challenge": "tiny", "phase": "main", "kind": "predictions", "sha256": hashlib.sha256(data).hexdigest()}
    headers = TUS | {"Upload-Length": str(len(data)), "Upload-Metadata": metadata(**(said | others))}
    return who.http.post("/uploads", headers=headers)


def created(who: Person, data: bytes, **others: str) -> str:
    """The address of a new upload, below /api/v1."""
    answer = announce(who, data, **others)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"].removeprefix("/api/v1")


def patch(who: Person, address: str, offset: int, data: bytes) -> httpx.Response:
    return who.http.patch(address, content=data, headers=PIECE | {"Upload-Offset": str(offset)})


def offset(who: Person, address: str) -> int:
    return int(who.http.head(address, headers=TUS).headers["Upload-Offset"])


def enter(who: Person, address: str, *, key: str = "", **others: Any) -> httpx.Response:
    body = {"upload_id": address.rsplit("/", 1)[-1], "kind": "predictions", "note": "in pieces"} | others
    return who.http.post(POST, json=body, headers={"Idempotency-Key": key} if key else {})


def sent(who: Person, data: bytes, **others: str) -> str:
    """The address of an upload that is complete."""
    address = created(who, data, **others)
    assert patch(who, address, 0, data).status_code == 204
    return address


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def entry(seed: int) -> bytes:
    return scenario.entry(CASES, seed=seed)


def test_an_entry_in_three_pieces(world: World) -> None:
    who, data = world.newcomer("pieces"), entry(1)
    answer = announce(who, data, filename="répertoire/mes prédictions.csv")
    address = answer.headers["Location"].removeprefix("/api/v1")
    assert (answer.status_code, answer.content, answer.headers["Tus-Resumable"]) == (201, b"", "1.0.0")
    assert (offset(who, address), patch(who, address, 0, data[:100]).headers["Upload-Offset"]) == (0, "100")
    assert patch(who, address, 100, data[100:300]).headers["Upload-Offset"] == "300"
    head = who.http.head(address, headers=TUS).headers
    assert (head["Upload-Offset"], head["Upload-Length"], head["Cache-Control"]) == ("300", str(len(data)), "no-store")
    assert "filename " in head["Upload-Metadata"] and head["Upload-Expires"].endswith(" GMT")
    assert code(enter(who, address)) == (409, "E-INCOMPLETE")
    assert patch(who, address, 300, data[300:]).headers["Upload-Offset"] == str(len(data))
    done = enter(who, address)
    assert (done.status_code, done.json()["sha256"], done.json()["new"], done.json()["quota"]["left"]) == (
        202,
        hashlib.sha256(data).hexdigest(),
        True,
        2,
    )
    shown = who.get(f"/challenges/tiny/submissions/{done.json()['number']}")
    assert (shown["filename"], shown["note"], shown["size"]) == ("mes prédictions.csv", "in pieces", len(data))
    assert world.served.parts.blobs.read("entries", done.json()["sha256"]) == data
    assert world.on_disk() == []


def test_the_same_upload_entered_twice_is_one_submission(world: World) -> None:
    who = world.newcomer("twice")
    address = sent(who, entry(2))
    first, second = enter(who, address), enter(who, address)
    assert (first.json()["number"], first.json()["new"]) == (second.json()["number"], True)
    assert second.json()["new"] is False
    assert code(enter(who, address, check=True)) == (409, "E-CONFLICT")
    assert len(who.get("/challenges/tiny/submissions")) == 1


def test_a_lost_answer_is_given_again_although_the_upload_is_forgotten(world: World) -> None:
    who = world.newcomer("forgotten")
    address = sent(who, entry(3))
    number = enter(who, address, key="k-forgotten").json()["number"]
    with world.served.database.write_session() as session:
        upload = session.get_one(Upload, uuid.UUID(address[-36:]))
        upload.requested_at, upload.expires_at = upload.requested_at - 2 * KEEP, upload.expires_at - 2 * KEEP
        upload.touched_at = upload.requested_at
        uploads.collect(session, blobs=world.served.parts.blobs, now=utc_now())
    again = enter(who, address, key="k-forgotten")
    assert (again.status_code, again.json()["number"], again.json()["new"]) == (202, number, False)
    assert code(enter(who, address)) == (404, "E-NOT-FOUND")


def test_repeating_the_bytes_uses_no_slot_and_again_does(world: World) -> None:
    who, data = world.newcomer("again"), entry(4)
    first = enter(who, sent(who, data)).json()
    repeated = enter(who, sent(who, data)).json()
    another = enter(who, sent(who, data, again="true"), again=True).json()
    assert (repeated["number"], repeated["new"], repeated["quota"]["left"]) == (first["number"], False, 2)
    assert (another["number"] > first["number"], another["new"], another["quota"]["left"]) == (True, True, 1)


def test_a_check_uses_no_slot(world: World) -> None:
    who = world.newcomer("checker")
    answer = enter(who, sent(who, entry(5), check="true"), check=True).json()
    assert (answer["state"], answer["quota"]["left"]) == ("queued", 3)


def test_wrong_bytes_are_refused_and_may_be_sent_once_more(world: World) -> None:
    who, data = world.newcomer("wrong"), entry(6)
    address = created(who, data)
    refused = patch(who, address, 0, data.replace(b"0", b"1"))
    assert refused.status_code == 422
    assert refused.json()["detail"] == (
        f"The file changed on its way: sha256 {hashlib.sha256(data).hexdigest()} was announced, "
        f"{hashlib.sha256(data.replace(b'0', b'1')).hexdigest()} arrived. Nothing was entered, and the upload is empty "
        "again; send it once more."
    )
    assert offset(who, address) == 0
    assert patch(who, address, 0, data).status_code == 204
    assert enter(who, address).status_code == 202


def test_another_offset_another_type_and_too_many_bytes_change_nothing(world: World) -> None:
    who, data = world.newcomer("offsets"), entry(7)
    address = created(who, data)
    patch(who, address, 0, data[:10])
    wrong = patch(who, address, 5, data[5:])
    assert (code(wrong), wrong.json()["fields"]) == ((409, "E-OFFSET"), {"there": 10, "given": 5})
    assert wrong.json()["detail"] == "This upload stands at byte 10, not at 5. Go on from there."
    typed = who.http.patch(address, content=b"x", headers=TUS | {"Upload-Offset": "10"})
    assert code(typed) == (415, "E-TYPE")
    assert code(patch(who, address, 10, data[10:] + b"more")) == (413, "E-TOO-LARGE")
    unsure = who.http.patch(address, content=b"x", headers=PIECE | {"Upload-Offset": "-1"})
    assert (code(unsure), unsure.json()["detail"]) == (
        (400, "E-BAD-REQUEST"),
        "The header Upload-Offset is missing or is no number of bytes.",
    )
    assert offset(who, address) == 10


def test_a_complete_upload_takes_nothing_more(world: World) -> None:
    who, data = world.newcomer("complete"), entry(8)
    address = sent(who, data)
    assert patch(who, address, len(data), b"").headers["Upload-Offset"] == str(len(data))
    assert code(patch(who, address, 0, data)) == (409, "E-OFFSET")
    assert code(patch(who, address, len(data), b"x")) == (413, "E-TOO-LARGE")
    enter(who, address)
    assert (offset(who, address), code(who.http.delete(address, headers=TUS))) == (len(data), (409, "E-CONFLICT"))


def test_what_this_server_speaks(world: World) -> None:
    answer = scenario.anonymous(world.served.url).http.options("/uploads")
    assert (answer.status_code, answer.headers["Tus-Version"], answer.headers["Tus-Extension"]) == (
        204,
        "1.0.0",
        "creation,expiration,termination",
    )
    who = world.newcomer("version")
    old = who.http.head(created(who, entry(9)), headers={"Tus-Resumable": "0.2.2"})
    assert (old.status_code, old.headers["Tus-Version"], old.headers["Tus-Resumable"]) == (412, "1.0.0", "1.0.0")


def test_a_client_that_knows_only_get_and_post(world: World) -> None:
    who, data = world.newcomer("override"), entry(10)
    address = created(who, data)
    headers = PIECE | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert who.http.post(address, content=data, headers=headers).headers["Upload-Offset"] == str(len(data))
    gone = who.http.post(address, headers=TUS | {"X-HTTP-Method-Override": "DELETE"})
    assert (gone.status_code, code(who.http.post(address, headers=TUS))) == (204, (405, "E-METHOD"))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", "The header Upload-Metadata holds no `challenge`. It needs `challenge` and `phase`, each with its slug."),
        (
            metadata(challenge="tiny"),
            "The header Upload-Metadata holds no `phase`. It needs `challenge` and `phase`, each with its slug.",
        ),
        ("challenge dGlueQ==,challenge dGlueQ==", "The header Upload-Metadata holds `challenge` twice."),
        (
            "challenge tiny!",
            "The header Upload-Metadata is written `key value, key value`; the value of `challenge` is not base64 of "
            "UTF-8.",
        ),
        (
            metadata(challenge="tiny", phase="main", sha256="abc"),
            "The header Upload-Metadata holds a value of `sha256` that is not known: abc.",
        ),
        (
            metadata(challenge="tiny", phase="main", check="maybe"),
            "The header Upload-Metadata holds a value of `check` that is not known: maybe.",
        ),
    ],
)
def test_metadata_that_cannot_be_used(world: World, said: str, told: str) -> None:
    who = world.newcomer(f"talker-{len(said)}")
    answer = who.http.post("/uploads", headers=TUS | {"Upload-Length": "1", "Upload-Metadata": said})
    assert (code(answer), answer.json()["detail"]) == ((400, "E-BAD-REQUEST"), told)


def test_refusals_before_any_byte(world: World) -> None:
    who = world.newcomer("refused")
    too_large = who.http.post(
        "/uploads",
        headers=TUS | {"Upload-Length": "50000001", "Upload-Metadata": metadata(challenge="tiny", phase="main")},
    )
    assert (code(too_large), too_large.json()["detail"]) == ((413, "E-TOO-LARGE"), "The file is larger than 50 MB.")
    assert code(announce(who, b"x", kind="image")) == (422, "E-INVALID")
    assert code(announce(who, b"x", phase="none")) == (404, "E-NOT-FOUND")
    for seed in (11, 12, 13):
        scenario.submit(who, "tiny", entry(seed))
    assert code(announce(who, entry(14))) == (429, "E-QUOTA")
    with world.served.database.read_session() as session:
        team = select(Submission.team_id).where(Submission.user_id == Upload.user_id)
        assert session.scalars(select(Upload).where(Upload.team_id.in_(team), Upload.announced == "x")).all() == []


def test_uploads_of_one_team_do_not_pile_up(world: World) -> None:
    who = world.newcomer("piler")
    addresses = [created(who, b"%d" % number) for number in range(uploads.MOST_OPEN)]
    refused = announce(who, b"more")
    assert (code(refused), refused.json()["detail"]) == (
        (429, "E-TOO-MANY"),
        "Your team has 10 uploads that are not entered. Enter or delete one of them first.",
    )
    patch(who, addresses[0], 0, b"0")
    assert who.http.delete(addresses[0], headers=TUS).status_code == 204
    assert who.http.head(addresses[0], headers=TUS).status_code == 404
    assert announce(who, b"more").status_code == 201


def test_what_one_request_does_not_carry_names_the_way_that_does(world: World) -> None:
    who = world.newcomer("heavy")
    refused = who.http.post(POST, content=b"x" * 1_000_001)
    assert (code(refused), refused.json()["detail"]) == (
        (413, "E-RESUMABLE"),
        "The file is larger than 1 MB, which is the most that one request carries. Send it in pieces: `arbitre submit` "
        "does so by itself; other programs create a tus 1.0 upload at /api/v1/uploads.",
    )


def test_others_see_nothing(world: World) -> None:
    mine, other = world.newcomer("mine"), world.newcomer("other")
    address = created(mine, entry(20))
    patch(mine, address, 0, entry(20)[:10])
    for who in (other, scenario.anonymous(world.served.url)):
        answers = [
            who.http.head(address, headers=TUS).status_code,
            patch(who, address, 10, b"x").status_code,
            who.http.delete(address, headers=TUS).status_code,
        ]
        assert answers == [404, 404, 404]
    assert (code(enter(other, address)), offset(mine, address)) == ((404, "E-NOT-FOUND"), 10)


def test_a_raw_entry_may_be_a_json_file(world: World) -> None:
    """Only `application/json` is the way with an upload's id."""
    who = world.newcomer("jason")
    headers = {"Content-Type": "application/octet-stream"}
    assert who.http.post(POST, content=b'[{"id": 1}]', headers=headers).status_code == 202
    wrong = who.http.post(POST, json=[{"id": 1}])
    assert code(wrong) == (422, "E-INVALID")


def test_a_tus_client_of_others_sends_breaks_off_and_goes_on(world: World) -> None:
    """tuspy, which knows nothing of this server."""
    who, data = world.newcomer("foreign"), entry(30)
    client = TusClient(
        f"{world.served.url}/api/v1/uploads",
        headers={"Authorization": who.http.headers["Authorization"], "Connection": "close"},
    )
    said = {"challenge": "tiny", "phase": "main", "kind": "predictions", "sha256": hashlib.sha256(data).hexdigest()}
    first = client.uploader(file_stream=io.BytesIO(data), chunk_size=500, metadata=said)
    first.upload(stop_at=1000)
    assert (first.offset, offset(who, str(first.url).partition("/api/v1")[2])) == (1000, 1000)
    second = client.uploader(file_stream=io.BytesIO(data), chunk_size=700, url=first.url)
    assert second.offset == 1000
    second.upload()
    assert second.offset == len(data)
    assert enter(who, str(second.url).partition("/api/v1")[2]).json()["sha256"] == said["sha256"]


def kept_bytes(world: World) -> int:
    """Bytes of all files that lie among the entries."""
    return sum(path.stat().st_size for path in (world.served.parts.blobs.public_root / "entries").glob("*/*"))


def test_a_refused_entry_leaves_nothing_on_the_disk(world: World) -> None:
    who = world.newcomer("late-refused")
    assert who.http.post(POST, content=entry(70), headers={"Idempotency-Key": "k-refused"}).status_code == 202
    before = kept_bytes(world)
    for number in range(3):
        address = sent(who, bytes([number]) * 50_000)
        assert code(enter(who, address, key="k-refused")) == (409, "E-CONFLICT")
        assert who.http.delete(address, headers=TUS).status_code == 204
    assert kept_bytes(world) == before


def test_a_refused_body_leaves_nothing_on_the_disk(world: World) -> None:
    who, key = world.newcomer("late-body"), {"Idempotency-Key": "k-body"}
    assert who.http.post(POST, content=entry(75), headers=key).status_code == 202
    before = kept_bytes(world)
    refused = [who.http.post(POST, content=bytes([number]) * 50_000, headers=key) for number in range(3)]
    assert [code(answer) for answer in refused] == [(409, "E-CONFLICT")] * 3
    assert kept_bytes(world) == before


def test_bytes_that_nobody_verified_are_read_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server died after the last byte, and every entry is refused meanwhile: no refusal reads the file again."""
    who, data = world.newcomer("late-unverified"), entry(71)
    assert who.http.post(POST, content=entry(72), headers={"Idempotency-Key": "k-once"}).status_code == 202
    address = created(who, data)
    held = partial.hold(world.served.parts.blobs, uuid.UUID(address[-36:]))
    held.write(data)
    held.close()
    read: list[int] = []
    real = partial.Held.digest

    def digest(held: partial.Held) -> str:
        read.append(held.offset)
        return real(held)

    monkeypatch.setattr(partial.Held, "digest", digest)
    answers = {code(enter(who, address, key="k-once")) for _ in range(3)}
    assert (answers, read) == ({(409, "E-CONFLICT")}, [len(data)])
    assert enter(who, address).json()["sha256"] == hashlib.sha256(data).hexdigest()


def test_a_complete_upload_whose_bytes_are_gone_says_so(world: World) -> None:
    who = world.newcomer("late-lost")
    address = sent(who, entry(73))
    partial.drop(world.served.parts.blobs, uuid.UUID(address[-36:]))
    assert code(enter(who, address)) == (410, "E-LOST")
    assert len(who.get("/challenges/tiny/submissions")) == 0


def test_how_much_room_there_is_is_told_to_nobody_who_may_not_send_so_much(world: World) -> None:
    length = {"Upload-Length": str(10**15 - 1)}
    headers = TUS | length | {"Upload-Metadata": metadata(challenge="tiny", phase="main")}
    anybody = scenario.anonymous(world.served.url)
    assert code(anybody.http.post("/uploads", headers=headers)) == (401, "E-SIGN-IN")
    assert code(world.newcomer("late-curious").http.post("/uploads", headers=headers)) == (413, "E-TOO-LARGE")


def test_a_piece_that_comes_while_the_upload_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever comes first, nothing stays on disk that no row names."""
    who, data, real = world.newcomer("late-parting"), entry(74), partial.hold
    address, waits = created(who, data), [True]

    def slow(*args: Any) -> partial.Held:
        if waits and waits.pop():
            begun.set()
            time.sleep(0.5)
        return real(*args)

    begun = threading.Event()
    monkeypatch.setattr(partial, "hold", slow)
    with ThreadPoolExecutor() as pool:
        added = pool.submit(patch, who, address, 0, data)
        assert begun.wait(5)
        given_up = who.http.delete(address, headers=TUS)
    assert (added.result().status_code, given_up.status_code) in ((204, 204), (204, 423), (404, 204))
    who.http.delete(address, headers=TUS)
    assert uuid.UUID(address[-36:]).hex not in [path.name for path in world.on_disk()]
