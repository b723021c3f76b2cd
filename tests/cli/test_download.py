"""Downloads: resumed, verified, inside the folder, and never over the user's own work."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.cli.harness import Answer, Faulty, Run, Seen, as_json

CONTENT = {
    "public/cases.csv": b"id\n" + b"\n".join(str(i).encode() for i in range(50_000)),
    "public/images/a b.png": bytes(range(256)),
    "starter/é.py": b"print()\n",
}
LIST = "/api/v1/challenges/blood/files"


def row(path: str, content: bytes) -> dict[str, object]:
    return {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def serving(content: dict[str, bytes], *, cut: int = 0, ranges: bool = True) -> Callable[[Seen], Answer]:
    """The API's files; with `cut`, each answer breaks off after so many bytes."""

    def answer(request: Seen) -> Answer:
        if request.path == LIST:
            return as_json([row(path, data) for path, data in content.items()])
        data = content[unquote(request.path).removeprefix(f"{LIST}/")]
        start = int(request.headers.get("range", "bytes=0-")[6:-1]) if ranges else 0
        head = {"X-Cut": str(cut)} if cut else {}
        return (206 if "range" in request.headers and ranges else 200), head, data[start:]

    return answer


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_everything_arrives_under_its_own_path(run: Run, faulty: Faulty, tmp_path: Path) -> None:
    faulty.answer = serving(CONTENT)
    result = run("download", "blood", "-o", tmp_path / "to", "--server", faulty.address)
    assert (result.code, files_in(tmp_path / "to")) == (0, CONTENT)
    assert result.out == f"{tmp_path / 'to'} holds 3 files of blood, sha256 verified.\n"


def test_a_folder_or_a_file_by_name(run: Run, faulty: Faulty, tmp_path: Path) -> None:
    faulty.answer = serving(CONTENT)
    run("download", "blood", "public/images/", "starter/é.py", "-o", tmp_path / "to", "--server", faulty.address)
    assert sorted(files_in(tmp_path / "to")) == ["public/images/a b.png", "starter/é.py"]


def test_a_name_that_fits_nothing(run: Run, faulty: Faulty, tmp_path: Path) -> None:
    faulty.answer = serving(CONTENT)
    result = run("download", "blood", "public/case.csv", "-o", tmp_path / "to", "--server", faulty.address)
    told = "blood offers no file 'public/case.csv'. `arbitre files blood` lists those there are.\n"
    assert (result.code, result.err) == (2, told)


def test_a_connection_that_breaks_is_taken_up_where_it_broke(run: Run, faulty: Faulty, tmp_path: Path) -> None:
    faulty.answer = serving(CONTENT, cut=100_000)
    result = run("download", "blood", "public/cases.csv", "-o", tmp_path / "to", "--server", faulty.address)
    size = len(CONTENT["public/cases.csv"])
    asked = [request.headers.get("range") for request in faulty.seen[1:]]
    assert (result.code, files_in(tmp_path / "to")) == (0, {"public/cases.csv": CONTENT["public/cases.csv"]})
    assert asked == [None, *(f"bytes={start}-" for start in range(100_000, size, 100_000))]


def test_the_next_run_goes_on_from_what_the_last_one_left(run: Run, faulty: Faulty, tmp_path: Path) -> None:
    part = tmp_path / "to/public/cases.csv.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT["public/cases.csv"][:1234])
    faulty.answer = serving(CONTENT)
    run("download", "blood", "public/cases.csv", "-o", tmp_path / "to", "--server", faulty.address)
    assert faulty.seen[1].headers["range"] == "bytes=1234-"
    assert files_in(tmp_path / "to") == {"public/cases.csv": CONTENT["public/cases.csv"]}


@pytest.mark.parametrize("left", [b"of an older version", b"too long" * 100_000])
def test_a_part_of_something_else_is_fetched_anew(run: Run, faulty: Faulty, tmp_path: Path, left: bytes) -> None:
    part = tmp_path / "to/public/cases.csv.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(left)
    faulty.answer = serving(CONTENT)
    result = run("download", "blood", "public/cases.csv", "-o", tmp_path / "to", "--server", faulty.address)
    assert (result.code, files_in(tmp_path / "to")) == (0, {"public/cases.csv": CONTENT["public/cases.csv"]})


def test_a_server_without_ranges_is_no_trouble(run: Run, faulty: Faulty, tmp_path: Path) -> None:
    part = tmp_path / "to/public/cases.csv.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT["public/cases.csv"][:77])
    faulty.answer = serving(CONTENT, ranges=False)
    result = run("download", "blood", "public/cases.csv", "-o", tmp_path / "to", "--server", faulty.address)
    assert (result.code, files_in(tmp_path / "to")) == (0, {"public/cases.csv": CONTENT["public/cases.csv"]})


def test_a_server_that_can_no_longer_be_reached_leaves_what_arrived(run: Run, faulty: Faulty, tmp_path: Path) -> None:
    whole = serving(CONTENT, cut=100_000)
    faulty.answer = lambda request: None if "range" in request.headers else whole(request)
    result = run("download", "blood", "public/cases.csv", "-o", tmp_path / "to", "--server", faulty.address)
    assert result.code == 3
    assert result.err.endswith("What arrived is kept; run the command again to go on.\n")
    assert files_in(tmp_path / "to") == {"public/cases.csv.part": CONTENT["public/cases.csv"][:100_000]}


def test_damaged_bytes_are_not_kept(run: Run, faulty: Faulty, tmp_path: Path) -> None:
    lying = serving(CONTENT)

    def answer(request: Seen) -> Answer:
        status, headers, data = lying(request)
        return status, headers, data if request.path == LIST else data[:-1] + b"?"

    faulty.answer = answer
    result = run("download", "blood", "public/cases.csv", "-o", tmp_path / "to", "--server", faulty.address)
    assert result.code == 5
    assert result.err == "public/cases.csv arrived damaged (wrong sha256), so it was not kept. Try again later.\n"
    assert files_in(tmp_path / "to") == {"public/cases.csv.part": b""}


def test_the_users_own_changes_stay_unless_forced(run: Run, faulty: Faulty, tmp_path: Path) -> None:
    mine = tmp_path / "to/starter/é.py"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    faulty.answer = serving(CONTENT)
    result = run("download", "blood", "-o", tmp_path / "to", "--server", faulty.address)
    told = "Left as they are, because they differ from the server's: starter/é.py. Use --force.\n"
    assert (result.code, mine.read_bytes()) == (1, b"mine")
    assert result.err.endswith(told)
    again = run("download", "blood", "-o", tmp_path / "to", "--server", faulty.address, "--force")
    assert (again.code, files_in(tmp_path / "to")) == (0, CONTENT)


def test_what_is_there_already_is_not_fetched_again(run: Run, faulty: Faulty, tmp_path: Path) -> None:
    faulty.answer = serving(CONTENT)
    run("download", "blood", "-o", tmp_path / "to", "--server", faulty.address)
    faulty.seen.clear()
    run("download", "blood", "-o", tmp_path / "to", "--server", faulty.address)
    assert [request.path for request in faulty.seen] == [LIST]


@pytest.mark.parametrize(
    "path", ["../evil", "public/../../evil", "/etc/evil", "a//b", "a\\..\\evil", "C:evil", "a/\nb", ""]
)
def test_no_name_leads_out_of_the_folder(run: Run, faulty: Faulty, tmp_path: Path, path: str) -> None:
    faulty.answer = serving({path: b"x"})
    result = run("download", "blood", "-o", tmp_path / "to", "--server", faulty.address)
    assert result.code == 5
    assert result.err.endswith(f"which would not stay inside {tmp_path / 'to'}. It was not fetched.\n")
    assert files_in(tmp_path) == {}


def test_no_link_leads_out_of_the_folder(run: Run, faulty: Faulty, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "to").mkdir()
    (tmp_path / "to/public").symlink_to(outside)
    faulty.answer = serving(CONTENT)
    result = run("download", "blood", "-o", tmp_path / "to", "--server", faulty.address)
    told = f"{tmp_path / 'to/public'} is a link here. Move it away, or choose another folder with -o.\n"
    assert (result.code, result.err) == (2, told)
    assert list(outside.iterdir()) == []


def test_a_link_in_place_of_the_part_is_not_followed(run: Run, faulty: Faulty, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "to/public").mkdir(parents=True)
    (tmp_path / "to/public/cases.csv.part").symlink_to(victim)
    faulty.answer = serving(CONTENT)
    result = run("download", "blood", "public/cases.csv", "-o", tmp_path / "to", "--server", faulty.address)
    assert (result.code, victim.read_text()) == (2, "precious")


def test_files_as_a_table_and_as_the_document(run: Run, faulty: Faulty) -> None:
    faulty.answer = serving({"public/cases.csv": b"id\n1\n"})
    digest = hashlib.sha256(b"id\n1\n").hexdigest()
    told = run("files", "blood", "--server", faulty.address)
    assert told.out == f"path              size  sha256\npublic/cases.csv  5 B   {digest[:12]}\n"
    result = run("files", "blood", "--server", faulty.address, "--json")
    assert result.document == [{"path": "public/cases.csv", "size": 5, "sha256": digest}]
