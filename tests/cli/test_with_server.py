"""The commands against the real API: what organisers and participants do, end to end but for the runner."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from app.cli import config
from app.db.users import by_email
from tests import scenario
from tests.cli.harness import Run
from tests.serving import Served, served

CASES = scenario.cases()


SCOPES = ("read", "submit", "organise")


@pytest.fixture(scope="module")
def instance(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One instance; nobody runs jobs."""
    with served(tmp_path_factory.mktemp("instance"), sqlite_template) as running:
        yield running


@pytest.fixture(scope="module")
def people(instance: Served) -> dict[str, scenario.Person]:
    """An organiser and two participants, with a token each."""
    made = {name: scenario.person(instance.url, name, SCOPES) for name in ("olga", "paul", "rosa")}
    with instance.database.write_session() as session:
        organiser = by_email(session, "olga@example.org")
        assert organiser is not None
        organiser.can_organise = True
        session.commit()
    return made


@pytest.fixture
def server(instance: Served, home: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    """The instance, as the one that every command uses."""
    monkeypatch.setenv("ARBITRE_SERVER", instance.url)
    return instance


class Be(Protocol):
    """`be("paul")`: the commands that follow carry Paul's token."""

    def __call__(self, name: str) -> None:
        """Become `name`."""


@pytest.fixture
def be(server: Served, people: dict[str, scenario.Person], monkeypatch: pytest.MonkeyPatch) -> Be:
    """Who the commands act as; nobody until it is called."""

    def become(name: str) -> None:
        monkeypatch.setenv("ARBITRE_TOKEN", people[name].http.headers["authorization"].removeprefix("Bearer "))

    return become


def write(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def entry(tmp_path: Path, content: bytes | None = None) -> Path:
    path = tmp_path / "predictions.csv"
    path.write_bytes(scenario.entry(CASES) if content is None else content)
    return path


@pytest.fixture
def published(server: Served, people: dict[str, scenario.Person], tmp_path: Path) -> str:
    """A challenge of its own for the test, published by the organiser."""
    slug = f"c{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:10]}"
    return scenario.publish(people["olga"], scenario.folder(CASES, slug=slug))


def test_login_keeps_a_token_that_logout_makes_useless(run: Run, server: Served, people: object) -> None:
    result = run("login", "--email", "paul@example.org", "--json", typed=f"{scenario.PASSWORD}\n")
    assert (result.code, result.document["email"]) == (0, "paul@example.org")
    assert stat.S_IMODE(config.config_path().stat().st_mode) == 0o600
    token = config.load().logins[server.url].token
    assert token not in result.out + result.err
    assert run("logout").out == f"Logged out of {server.url}.\n"
    assert config.load().logins == {}
    refused = run("login", "--token", token)
    assert refused.code == 4
    assert refused.err.startswith("This token is unknown, expired or revoked.")
    assert config.load().logins == {}


def test_a_wrong_password_keeps_nothing(run: Run, server: Served, people: object) -> None:
    result = run("login", "--email", "paul@example.org", typed="wrong password\n")
    assert result.code == 4
    assert result.err.startswith("The e-mail address or the password is wrong.")
    assert not config.config_path().exists()


def test_the_password_is_not_asked_for_without_a_terminal_and_an_address(run: Run, server: Served) -> None:
    result = run("login")
    assert (result.code, result.err) == (
        2,
        "No terminal to ask on. Pass --email and the password on standard input, or pass --token.\n",
    )


def test_push_makes_updates_and_recognises_a_folder(run: Run, be: Be, server: Served, tmp_path: Path) -> None:
    be("olga")
    folder = write(tmp_path / "folder", scenario.folder(CASES, slug="pushed"))
    first = run("challenge", "push", folder, "--json")
    assert (first.code, first.document["change"], first.document["version"]) == (0, "created", 1)
    assert run("challenge", "push", folder).out == "pushed is unchanged: version 1 holds exactly these files.\n"
    (folder / "pages/overview.en.md").write_text("# More\n")
    second = run("challenge", "push", folder, "--json")
    assert (second.document["change"], second.document["version"]) == ("updated", 2)
    assert second.document["digest"] != first.document["digest"]


def test_all_problems_of_a_folder_come_back_at_once(run: Run, be: Be, server: Served, tmp_path: Path) -> None:
    be("olga")
    files = scenario.folder(CASES, slug="broken")
    del files["pages/rules.fr.md"]
    files["challenge.toml"] = files["challenge.toml"].replace(b'zone = "Europe/Paris"', b'zone = "Paris"')
    result = run("challenge", "push", write(tmp_path / "folder", files), "--json")
    assert (result.code, result.document["code"]) == (1, "E-INVALID")
    assert {problem["code"] for problem in result.document["problems"]} == {"F-MISSING-PAGE", "W-ZONE"}
    assert result.err.count("\n- ") == 2


def test_a_participant_may_not_push(run: Run, be: Be, server: Served, tmp_path: Path) -> None:
    be("paul")
    result = run("challenge", "push", write(tmp_path / "folder", scenario.folder(CASES, slug="not-mine")))
    assert result.code == 4
    assert result.err.endswith(
        "Your account may not create challenges. Ask an administrator for the right to organise.\n"
    )


def test_a_draft_is_seen_by_its_organiser_only(run: Run, be: Be, server: Served, tmp_path: Path) -> None:
    be("olga")
    run("challenge", "push", write(tmp_path / "folder", scenario.folder(CASES, slug="draft")))
    assert ("draft", "Risk") in {
        (row["slug"], row["title"]["en"]) for row in run("challenge", "list", "--json").document
    }
    be("paul")
    assert "draft" not in {row["slug"] for row in run("challenge", "list", "--json").document}
    assert run("files", "draft").code == 2


def test_joining_prints_the_documents_and_needs_a_yes(run: Run, be: Be, published: str) -> None:
    be("paul")
    result = run("join", published)
    assert result.code == 2
    assert result.err == (
        "=== Rules (version 1) ===\n\n# Rules\n\nBe fair.\n\n"
        "No terminal to ask on. Read the documents above, then run this again with --accept-all.\n"
    )
    joined = run("join", published, "--accept-all", "--team", "Les Bleus", "--json")
    assert (joined.code, joined.document) == (0, {"challenge": published, "team": "Les Bleus"})
    assert "=== Rules (version 1) ===" in joined.err
    again = run("join", published)
    assert (again.code, again.out) == (
        0,
        f"You take part in {published} as team Les Bleus. Next: arbitre download {published}\n",
    )


def test_submitting_before_joining_is_refused_with_the_way_in(run: Run, be: Be, published: str, tmp_path: Path) -> None:
    be("rosa")
    result = run("submit", published, "-f", entry(tmp_path))
    assert (result.code, result.err) == (4, "Join this challenge first: you are in no team of it.\n")


def test_a_refusal_before_the_body_reaches_whoever_sends_a_large_file(
    run: Run, be: Be, published: str, tmp_path: Path
) -> None:
    be("rosa")
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(30_000_000)
    result = run("submit", published, "-f", path)
    assert (result.code, result.err) == (4, "Join this challenge first: you are in no team of it.\n")


def test_submitting_without_an_account_is_refused_with_the_way_in(run: Run, published: str, tmp_path: Path) -> None:
    result = run("submit", published, "-f", entry(tmp_path))
    assert (result.code, result.err) == (4, "Sign in to submit. Run `arbitre login`, or set ARBITRE_TOKEN.\n")


def test_submit_answers_with_number_digest_and_quota(run: Run, be: Be, published: str, tmp_path: Path) -> None:
    be("paul")
    run("join", published, "--accept-all")
    path = entry(tmp_path)
    sent = run("submit", published, "-f", path, "-m", "first", "--json")
    document = sent.document
    assert (sent.code, document["number"], document["state"], document["new"]) == (0, 1, "queued", True)
    assert document["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert document["quota"]["left"] == 4
    same = run("submit", published, "-f", path, "--json").document
    assert (same["number"], same["new"], same["quota"]["left"]) == (1, False, 4)
    again = run("submit", published, "-f", path, "--again", "--json").document
    assert (again["number"], again["new"], again["quota"]["left"]) == (2, True, 3)
    rows = run("submissions", published, "--json").document
    assert [(row["number"], row["note"], row["filename"]) for row in rows] == [
        (2, "", "predictions.csv"),
        (1, "first", "predictions.csv"),
    ]
    shown = run("submission", published, "1")
    assert shown.out == "Submission 1: It waits for a free runner.\n"


def test_a_used_up_quota_names_its_reset(run: Run, be: Be, server: Served, tmp_path: Path) -> None:
    be("olga")
    run("challenge", "push", write(tmp_path / "folder", scenario.folder(CASES, slug="once", day=1)))
    run("challenge", "publish", "once")
    be("paul")
    run("join", "once", "--accept-all")
    assert run("submit", "once", "-f", entry(tmp_path)).code == 0
    refused = run("submit", "once", "-f", entry(tmp_path), "--again", "--json")
    assert (refused.code, refused.document["code"], refused.document["status"]) == (4, "E-QUOTA", 429)
    assert refused.err.startswith("Your team has used its 1 submissions. The next slot opens at ")
    assert refused.err.endswith(" here.)\n")


def test_files_and_download(run: Run, published: str, tmp_path: Path) -> None:
    result = run("download", published, "-o", tmp_path / "to", "--json")
    there = {path.relative_to(tmp_path / "to").as_posix() for path in (tmp_path / "to").rglob("*") if path.is_file()}
    assert result.code == 0
    assert there == {row["path"] for row in result.document} == {"public/cases.csv", "public/sample_submission.csv"}
    files = scenario.folder(CASES)
    assert (tmp_path / "to/public/cases.csv").read_bytes() == files["public/cases.csv"]


def test_a_download_goes_on_from_a_part(run: Run, published: str, tmp_path: Path) -> None:
    whole = scenario.folder(CASES)["public/cases.csv"]
    (tmp_path / "to/public").mkdir(parents=True)
    (tmp_path / "to/public/cases.csv.part").write_bytes(whole[:100])
    assert run("download", published, "public/cases.csv", "-o", tmp_path / "to").code == 0
    assert (tmp_path / "to/public/cases.csv").read_bytes() == whole


def test_check_uses_the_servers_form_and_says_what_the_server_would(run: Run, published: str, tmp_path: Path) -> None:
    good = run("check", published, entry(tmp_path), "--json")
    assert (good.code, good.document["state"], good.document["report"]["issues"]) == (0, "checked", [])
    assert good.document["report"]["counts"]["rows"] == len(CASES)
    lines = scenario.entry(CASES).decode().splitlines()
    bad = entry(tmp_path, "\n".join([lines[0], lines[1].split(",")[0] + ',"0,5"', *lines[3:], "zz,2"]).encode())
    result = run("check", published, bad, "--json")
    assert (result.code, result.document["state"]) == (1, "rejected")
    assert result.document["report"]["total"] == {
        "E-DECIMAL-COMMA": 1,
        "E-ID-MISSING": 1,
        "E-ID-UNKNOWN": 1,
        "E-RANGE": 1,
    }
    assert all(issue["text"] and issue["fix"] for issue in result.document["report"]["issues"])


def test_an_empty_board_and_its_csv(run: Run, published: str) -> None:
    result = run("leaderboard", published, "--json")
    assert (result.code, result.document["rows"]) == (0, [])
    assert run("leaderboard", published).out.endswith("Nobody stands on it yet.\n")
    assert run("leaderboard", published, "--csv").out.startswith("rank,tied,rank_low,rank_high,team,value,low,high,")
    assert run("leaderboard", published, "--split", "private").code in {2, 4}
    assert run("leaderboard", published, "--csv", "--json").code == 2


def test_close_ends_the_phase(run: Run, be: Be, published: str, tmp_path: Path) -> None:
    be("paul")
    run("join", published, "--accept-all")
    assert run("challenge", "close", published).code == 4
    be("olga")
    closed = run("challenge", "close", published, "--json")
    assert (closed.code, closed.document["phases"][0]["window"]) == (0, "closed")
    be("paul")
    late = run("submit", published, "-f", entry(tmp_path), "--json")
    assert (late.code, late.document["code"]) == (4, "E-WINDOW")
    assert late.err.startswith("This phase closed at ")


def test_a_slug_that_is_nearly_right(run: Run, published: str, server: Served) -> None:
    wrong = published.replace("c", "k", 1)
    result = run("leaderboard", wrong)
    assert result.code == 2
    assert result.err == (
        f"There is no challenge {wrong!r} at {server.url}. Did you mean {published}? "
        "If it is not public, log in first.\n"
    )
