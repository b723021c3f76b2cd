"""`arbitre files` and `download`: what participants may take home."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from app.cli.bars import bar
from app.cli.client import Api, connect, rows_of, segment
from app.cli.downloads import Wanted, fetch, place, same
from app.cli.errors import CliError, Fault, Invalid, Usage
from app.cli.options import Json, Plain, ServerName, Slug, told
from app.cli.output import Output
from app.cli.words import count

Paths = Annotated[
    list[str] | None, typer.Argument(metavar="[PATH]...", help="Files or folders of the challenge; all when left out.")
]
Folder = Annotated[Path | None, typer.Option("-o", "--output", help="Where to put them; ./SLUG when left out.")]


@told
def files(slug: Slug, server: ServerName = "", as_json: Json = False, plain: Plain = False) -> None:
    """List the files of a challenge that you may download."""
    out = Output(json=as_json, plain=plain)
    with connect(server) as api:
        document = file_list(api, slug)
    out.document(document)
    rows = rows_of(document, "files")
    if not rows:
        out.say(f"{slug} offers no files.")
        return
    out.table(["path", "size", "sha256"], [[row["path"], size_text(row["size"]), row["sha256"][:12]] for row in rows])


@told
def download(
    slug: Slug,
    paths: Paths = None,
    output: Folder = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that differ here.")] = False,
    server: ServerName = "",
    as_json: Json = False,
    plain: Plain = False,
) -> None:
    """Download files, resumed after a break and checked. Your own changes are never overwritten without --force."""
    out = Output(json=as_json, plain=plain)
    with connect(server) as api:
        document = file_list(api, slug)
        folder = output or Path(slug)
        wanted, kept = bring(api, slug, document, paths=paths or [], folder=folder, force=force, out=out)
    out.document(document)
    if kept:
        raise Invalid(f"{left_as_they_are(kept)} Use --force.")
    out.say(f"{folder} holds {count(len(wanted), 'file')} of {slug}, sha256 verified.")


def file_list(api: Api, slug: str) -> Any:
    """The files of a challenge as the API lists them."""
    return api.get(_address(slug))


def bring(
    api: Api, slug: str, document: Any, *, paths: Sequence[str], folder: Path, force: bool, out: Output
) -> tuple[list[str], list[str]]:
    """Fetch the files named, all without names: which were wanted, and which of them differ here and stay."""
    wanted = _chosen([_wanted(slug, row) for row in rows_of(document, "files")], paths, slug)
    _make_root(folder)
    kept = [item.path for item in wanted if not _bring(api, item, folder, force=force, out=out)]
    return [item.path for item in wanted], kept


def left_as_they_are(kept: Sequence[str]) -> str:
    """Which files were not replaced, and why."""
    return f"Left as they are, because they differ from the server's: {', '.join(kept)}."


def size_text(size: int) -> str:
    """Bytes for people, in powers of ten: `1.5 MB`."""
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"


def cached(api: Api, *, slug: str, path: str, folder: Path, out: Output) -> Path:
    """One file of the challenge in the user's cache: fetched where it is not there, or differs from the server's."""
    rows = rows_of(file_list(api, slug), "files")
    (item,) = _chosen([_wanted(slug, row) for row in rows], [path], slug)
    _make_root(folder)
    target = place(folder, item.path)
    if not same(target, item):
        with bar(item.path, total=item.size, out=out) as moved:
            fetch(api, item, target, progress=moved, tell=out.note)
    return target


def _address(slug: str) -> str:
    return f"/challenges/{segment(slug)}/files"


def _wanted(slug: str, row: Any) -> Wanted:
    try:
        path, size, sha256 = str(row["path"]), int(row["size"]), str(row["sha256"])
    except (KeyError, TypeError, ValueError) as error:
        raise Fault(
            "The server's list of files cannot be understood. Your arbitre may be older than the server."
        ) from error
    return Wanted(path, size, sha256, f"{_address(slug)}/{quote(path)}")


def _chosen(items: Sequence[Wanted], paths: Sequence[str], slug: str) -> list[Wanted]:
    """The files named, or below a folder named; all without names. Errors: Usage for a name that fits nothing."""
    found: dict[str, Wanted] = {}
    for path in paths:
        name = path.rstrip("/")
        fitting = [item for item in items if item.path == name or item.path.startswith(f"{name}/")]
        if not fitting:
            raise Usage(f"{slug} offers no file {path!r}. `arbitre files {slug}` lists those there are.")
        found |= {item.path: item for item in fitting}
    return list(found.values()) if paths else list(items)


def _make_root(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Usage(f"{folder} cannot be made ({error.strerror}). Choose another folder with -o.") from error


def _bring(api: Api, item: Wanted, folder: Path, *, force: bool, out: Output) -> bool:
    """Whether the file is there as the server has it; False where the user's own differs and stays."""
    target = place(folder, item.path)
    if same(target, item):
        out.note(f"{item.path} is there already.")
        return True
    if target.exists() and not force:
        return False
    with bar(item.path, total=item.size, out=out) as moved:
        try:
            fetch(api, item, target, progress=moved, tell=out.note)
        except CliError as error:
            error.text += " What arrived is kept; run the command again to go on." if error.may_pass else ""
            raise
    out.note(f"{item.path} fetched ({size_text(item.size)}).")
    return True
