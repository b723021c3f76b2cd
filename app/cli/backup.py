"""`arbitre backup`: one file with everything, written while the server runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.errors import NotAllowed, Usage
from app.cli.instance import DataFolder, opened, settings_of, utc_now
from app.cli.options import Json, told
from app.cli.output import Output
from app.db.dump import snapshot
from app.db.migrate import newest_revision, revision_of
from app.services import backup as backups

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@told
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, for instance arbitre.tar.")],
    data: DataFolder = None,
    as_json: Json = False,
) -> None:
    """Write database, files and keys into FILE, while the server runs. It holds references and secrets: guard it."""
    target, settings, out = file.expanduser().absolute(), settings_of(data), Output(json=as_json)
    if not target.parent.is_dir():
        raise Usage(f"There is no folder {target.parent} to write {target.name} into.")
    if not settings.database_url and not (settings.data / "arbitre.sqlite3").is_file():
        raise Usage(f"There is no instance in {settings.data}. Name its folder with --data.")
    with opened(settings, migrate=False) as instance, snapshot(instance.database) as session:
        found, ours = revision_of(session.connection()), newest_revision()
        if found != ours:
            raise NotAllowed(
                f"The database has schema {found}, not {ours}. Back it up with the version that serves it."
            )
        written = backups.write(
            session, blobs=instance.blobs, keys=settings.keys, target=target, revision=ours, now=utc_now()
        )
    out.document({"file": str(target), "rows": written.rows, "blobs": written.blobs, "size": written.size})
    out.say(f"{target}: {written.rows} rows and {written.blobs} files, {written.size / 1e6:.1f} MB.")
    out.note("It holds references, keys and password hashes: keep it where only operators can read it.")
