"""Each way of not getting an answer, or a wrong one, ends in its own sentence and exit code."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from tests.cli.harness import Answer, Faulty, Run, Seen, as_json, problem


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_nothing_listens(run: Run) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    result = run("challenge", "list", "--server", address)
    told = f"Nothing listens at {address}. Start the server, or name another with --server or ARBITRE_SERVER.\n"
    assert (result.code, result.out, result.err) == (3, "", told)


def test_no_such_machine(run: Run) -> None:
    result = run("challenge", "list", "--server", "http://no-such-machine.invalid")
    told = (
        "There is no machine named in http://no-such-machine.invalid, or no network. "
        "Check the address and the network.\n"
    )
    assert (result.code, result.out, result.err) == (3, "", told)


def test_https_spoken_to_a_server_without_it(run: Run, faulty: Faulty) -> None:
    address = faulty.address.replace("http:", "https:")
    result = run("challenge", "list", "--server", address)
    told = f"{address} does not speak https there. If it is a server on your own machine, write http://.\n"
    assert (result.code, result.out, result.err) == (3, "", told)


def test_a_connection_that_breaks_off(run: Run, faulty: Faulty) -> None:
    faulty.answer = lambda _: None
    result = run("challenge", "list", "--server", faulty.address)
    assert result.code == 3
    assert result.err.startswith(f"The connection to {faulty.address} broke off (")


HTML: Answer = (200, {"Content-Type": "text/html"}, b"<html>sign in to the hospital network</html>")
FOREIGN = (
    "{} answers, but not as an Arbitre server does. Check the address (and whether a sign-in page of the network "
    "stands in between)."
)


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [
        (HTML, 3, FOREIGN),
        ((404, {"Content-Type": "text/html"}, b"no"), 3, FOREIGN),
        (as_json({"detail": "Not Found"}, 404), 3, FOREIGN),
        (
            (301, {"Location": "https://new.example"}, b""),
            3,
            "{} sends elsewhere, to https://new.example. Use that address.",
        ),
        ((502, {}, b"bad gateway"), 3, "{} answers, but the service behind it does not (502)."),
        (
            (500, {}, b"oops"),
            5,
            "{} failed while it answered (500). Nothing is wrong with your input; try again later.",
        ),
        (problem(401, "E-SIGN-IN", "Sign in first."), 4, "Sign in first. Run `arbitre login`, or set ARBITRE_TOKEN."),
        (problem(403, "E-NOT-ALLOWED", "Your account may not do this."), 4, "Your account may not do this."),
        (problem(409, "E-CONFLICT", "This phase closed."), 4, "This phase closed."),
        (problem(413, "E-TOO-LARGE", "The file is larger than 64 MB."), 1, "The file is larger than 64 MB."),
        (problem(503, "E-UNAVAILABLE", "Not right now."), 5, "Not right now."),
        (problem(507, "E-DISK-FULL", "The server's disk is full."), 5, "The server's disk is full."),
    ],
)
def test_answers_that_are_no_success(run: Run, faulty: Faulty, answer: Answer, code: int, told: str) -> None:
    faulty.answer = lambda _: answer
    result = run("challenge", "list", "--server", faulty.address)
    assert (result.code, result.out, result.err) == (code, "", told.format(faulty.address) + "\n")


def test_a_full_quota_names_the_reset_in_local_time(run: Run, faulty: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
    detail = "Your team has used its 5 submissions. The next slot opens at 2026-11-02T23:00:00+00:00."
    fields = {"resets_at": "2026-11-02T23:00:00+00:00", "quota": 5}
    faulty.answer = lambda _: problem(429, "E-QUOTA", detail, fields=fields)
    result = run("submissions", "blood", "--server", faulty.address)
    assert result.code == 4
    assert result.err.startswith(f"{detail} (That is 2026-11-0")


def test_problems_of_a_refusal_are_listed(run: Run, faulty: Faulty) -> None:
    problems = [
        {"where": "challenge.toml:3:title", "text": "The key title is missing.", "code": "T-MISSING-KEY"},
        {"where": "public/cases.csv", "text": "It is empty."},
    ]
    faulty.answer = lambda _: problem(422, "E-INVALID", "The folder has 2 problems.", problems=problems)
    result = run("challenge", "publish", "blood", "--server", faulty.address)
    assert result.code == 1
    assert result.err == (
        "The folder has 2 problems.\n"
        "- challenge.toml:3:title: The key title is missing. [T-MISSING-KEY]\n"
        "- public/cases.csv: It is empty.\n"
    )


def slugs(*known: str) -> Callable[[Seen], Answer]:
    def answer(request: Seen) -> Answer:
        if request.path == "/api/v1/challenges":
            return as_json([{"slug": slug} for slug in known])
        return problem(404, "E-NOT-FOUND", "There is no such thing here, or your account may not see it.")

    return answer


def test_a_slug_that_is_nearly_right(run: Run, faulty: Faulty) -> None:
    faulty.answer = slugs("cytologia", "breast-cancer")
    result = run("files", "citologia", "--server", faulty.address)
    told = (
        f"There is no challenge 'citologia' at {faulty.address}. Did you mean cytologia? "
        "If it is not public, log in first.\n"
    )
    assert (result.code, result.err) == (2, told)


def test_a_slug_that_is_right_keeps_the_servers_sentence(run: Run, faulty: Faulty) -> None:
    faulty.answer = slugs("cytologia")
    result = run("submission", "cytologia", "7", "--server", faulty.address)
    assert (result.code, result.err) == (2, "There is no such thing here, or your account may not see it.\n")


def test_a_token_is_not_sent_along_a_redirect(run: Run, faulty: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARBITRE_TOKEN", "arb_secret")
    faulty.answer = lambda _: (302, {"Location": f"{faulty.address}/elsewhere"}, b"")
    run("challenge", "list", "--server", faulty.address)
    assert [request.path for request in faulty.seen] == ["/api/v1/challenges"]


@pytest.mark.parametrize("token", ["arb_ü", "arb_x\nHost: evil", "arb x"])
def test_a_token_that_is_none_is_said_to_be(
    run: Run, faulty: Faulty, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("ARBITRE_TOKEN", token)
    result = run("challenge", "list", "--server", faulty.address)
    told = "The token holds characters no token has. Copy it again, or run `arbitre login`.\n"
    assert (result.code, result.err, faulty.seen) == (2, told, [])


@pytest.mark.parametrize(
    "answer", [problem(403, "E-NOT-ALLOWED", "No."), problem(503, "E-UNAVAILABLE", "No."), HTML, (302, {}, b""), None]
)
def test_with_json_a_failure_too_leaves_one_document_on_stdout(run: Run, faulty: Faulty, answer: Answer | None) -> None:
    faulty.answer = lambda _: answer
    result = run("challenge", "list", "--server", faulty.address, "--json")
    assert result.code in {3, 4, 5}
    assert set(result.document) >= {"code", "detail"}
    assert result.err != ""
