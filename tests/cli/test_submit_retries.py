"""One entry whatever the network does: the same key on every try, and the server's digest against our own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.cli.harness import Answer, Faulty, Run, Seen, as_json, in_terminal, problem

BYTES = b"id,score\n1,0.5\n"
SHA256 = hashlib.sha256(BYTES).hexdigest()
POST = "/api/v1/challenges/blood/phases/main/submissions"
PHASES = {"slug": "blood", "phases": [{"slug": "main", "window": "open"}]}


def accepted(sha256: str = SHA256, *, new: bool = True) -> Answer:
    document = {"id": "i", "number": 7, "sha256": sha256, "size": len(BYTES), "state": "queued", "new": new}
    return as_json(document | {"quota": {"left": 4, "resets_at": None}, "links": {}}, 202)


def answering(posts: Sequence[Answer | None], statuses: Sequence[str] = ()) -> Callable[[Seen], Answer | None]:
    """Each POST gets the next of `posts`, each look at the status the next of `statuses`; the last one stays."""
    waiting, states = list(posts), list(statuses)

    def answer(request: Seen) -> Answer | None:
        if request.method == "POST":
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if request.path.endswith("/status"):
            return as_json({"number": 7, "state": states.pop(0) if len(states) > 1 else states[0]})
        if request.path.endswith("/submissions/7"):
            return as_json(final(states[0]))
        return as_json(PHASES)

    return answer


def final(state: str) -> dict[str, object]:
    report: dict[str, object] = {"issues": [], "total": {}, "counts": {}}
    return {"number": 7, "state": state, "fault": None, "uses_quota": False, "check": False, "report": report} | {
        "values": [],
        "message": "",
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "my file é%.csv"
    path.write_bytes(BYTES)
    return path


def posts(faulty: Faulty) -> list[Seen]:
    return [request for request in faulty.seen if request.method == "POST"]


def test_what_is_sent_and_what_is_told(run: Run, faulty: Faulty, file: Path) -> None:
    faulty.answer = answering([accepted()])
    result = run("submit", "blood", "-f", file, "-m", "first", "--server", faulty.address)
    (sent,) = posts(faulty)
    assert (result.code, sent.body) == (0, BYTES)
    assert sent.path == f"{POST}?kind=predictions&check=false&note=first"
    assert sent.headers["x-sha256"] == SHA256
    assert sent.headers["x-filename"] == "my file %C3%A9%25.csv"
    assert sent.headers["content-length"] == str(len(BYTES))
    assert result.out == (
        f"Submission 7 received: 15 bytes, sha256 {SHA256} there as here.\n"
        "Your team has 4 submissions left.\n"
        "Follow it: arbitre submission blood 7\n"
    )


@pytest.mark.parametrize("fault", [None, problem(503, "E-UNAVAILABLE", "Not right now."), (502, {}, b"")])
def test_a_broken_try_is_repeated_with_the_same_key(run: Run, faulty: Faulty, file: Path, fault: Answer | None) -> None:
    faulty.answer = answering([fault, fault, accepted(new=False)])
    result = run("submit", "blood", "-f", file, "--server", faulty.address)
    assert result.code == 0
    assert [request.body for request in posts(faulty)] == [BYTES] * 3
    assert len({request.headers["idempotency-key"] for request in posts(faulty)}) == 1


def test_another_run_has_another_key(run: Run, faulty: Faulty, file: Path) -> None:
    faulty.answer = answering([accepted()])
    run("submit", "blood", "-f", file, "--server", faulty.address)
    run("submit", "blood", "-f", file, "--again", "--server", faulty.address)
    first, second = posts(faulty)
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]
    assert second.path == f"{POST}?kind=predictions&check=false&note=&again=true"


def test_a_network_that_stays_broken_ends_with_3(run: Run, faulty: Faulty, file: Path) -> None:
    faulty.answer = answering([None])
    result = run("submit", "blood", "-f", file, "--server", faulty.address)
    assert (result.code, result.out, len(posts(faulty))) == (3, "", 4)


def test_a_refusal_is_not_repeated(run: Run, faulty: Faulty, file: Path) -> None:
    faulty.answer = answering([problem(429, "E-QUOTA", "Your team has used its 5 submissions.")])
    result = run("submit", "blood", "-f", file, "--server", faulty.address)
    assert (result.code, result.err, len(posts(faulty))) == (4, "Your team has used its 5 submissions.\n", 1)


def test_other_bytes_on_the_server_are_an_alarm(run: Run, faulty: Faulty, file: Path) -> None:
    faulty.answer = answering([accepted("0" * 64)])
    result = run("submit", "blood", "-f", file, "--server", faulty.address, "--json")
    assert (result.code, result.document["sha256"]) == (5, "0" * 64)
    assert result.err.startswith(f"The server holds other bytes than {file}: sha256 {'0' * 64} there, {SHA256} here.")


def test_the_same_bytes_again_are_said_to_be(run: Run, faulty: Faulty, file: Path) -> None:
    faulty.answer = answering([accepted(new=False)])
    result = run("submit", "blood", "-f", file, "--server", faulty.address)
    assert result.out.startswith("These bytes are submission 7 already; nothing is entered twice. See --again.\n")


@pytest.mark.parametrize(
    ("state", "code"),
    [("scored", 0), ("checked", 0), ("rejected", 1), ("failed", 1), ("cancelled", 1), ("dead", 5)],
)
def test_waiting_ends_with_the_verdict(run: Run, faulty: Faulty, file: Path, state: str, code: int) -> None:
    faulty.answer = answering([accepted()], ["queued", "queued", "running", state])
    result = run("submit", "blood", "-f", file, "--wait", "--json", "--server", faulty.address)
    assert (result.code, result.document["state"]) == (code, state)
    told = [line for line in result.err.splitlines() if line.startswith("Submission 7: It")]
    assert told == ["Submission 7: It waits for a free runner.", "Submission 7: It is being scored."]


def test_waiting_has_an_end(run: Run, faulty: Faulty, file: Path) -> None:
    faulty.answer = answering([accepted()], ["running"])
    result = run("submit", "blood", "-f", file, "--wait", "--wait-limit", "1", "--server", faulty.address)
    assert result.code == 5
    assert result.err.endswith(
        "Submission 7 has no verdict after 1 s. It is safe and keeps its place; "
        "look again with: arbitre submission blood 7\n"
    )


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (Path.exists, "There is no file {}. Check its name and the folder you are in.\n"),
        (Path.mkdir, "{} is a folder. Name the file in it with your predictions.\n"),
    ],
)
def test_a_file_that_is_none(
    run: Run, faulty: Faulty, tmp_path: Path, make: Callable[[Path], object], told: str
) -> None:
    path = tmp_path / "entry"
    make(path)
    result = run("submit", "blood", "-f", path, "--server", faulty.address)
    assert (result.code, result.err, faulty.seen) == (2, told.format(path), [])


@pytest.mark.parametrize(
    ("phases", "arguments", "told"),
    [
        ([("a", "open"), ("b", "open")], [], "blood has several phases. Name one of them with --phase: a, b.\n"),
        (
            [("dev", "open"), ("final", "before")],
            ["--phase", "fnal"],
            "blood has no phase 'fnal'. Did you mean final?\n",
        ),
        ([("dev", "open")], ["--phase", "xyz"], "blood has no phase 'xyz'. It has: dev.\n"),
    ],
)
def test_which_phase(
    run: Run, faulty: Faulty, file: Path, phases: list[tuple[str, str]], arguments: list[str], told: str
) -> None:
    rows = [{"slug": slug, "window": window} for slug, window in phases]
    faulty.answer = lambda _: as_json({"slug": "blood", "phases": rows})
    result = run("submit", "blood", "-f", file, *arguments, "--server", faulty.address)
    assert (result.code, result.err) == (2, told)


def test_a_terminal_sees_how_far_a_large_file_is(home: Path, faulty: Faulty, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(7_000_000)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    faulty.answer = answering([accepted(digest)])
    arguments = ["submit", "blood", "-f", str(path), "--server", faulty.address]
    assert "\x1b" in in_terminal(arguments)
    assert in_terminal([*arguments, "--plain"]).replace("\r\n", "\n") == (
        f"Submission 7 received: 7,000,000 bytes, sha256 {digest} there as here.\n"
        "Your team has 4 submissions left.\n"
        "Follow it: arbitre submission blood 7\n"
    )
