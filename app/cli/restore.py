"""`arbitre restore`: an empty instance becomes the one that was backed up."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from app.cli.errors import Usage
from app.cli.instance import DataFolder, alone, opened, settings_of, utc_now
from app.cli.options import Json, told
from app.cli.output import Output
from app.services import restore as restores

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@told
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `arbitre backup` wrote.")],
    data: DataFolder = None,
    as_json: Json = False,
) -> None:
    """Bring an empty instance to the state of a backup, from either database to either. Browsers sign in again."""
    os.umask(0o077)
    settings, out = settings_of(data), Output(json=as_json)
    if not file.is_file():
        raise Usage(f"There is no file {file}.")
    with alone(settings), opened(settings, migrate=False) as instance, file.open("rb") as stream:
        tar, manifest = restores.open_backup(stream)
        with tar, instance.database.write_session() as session:
            done = restores.read(
                session, tar=tar, manifest=manifest, blobs=instance.blobs, keys=settings.keys, now=utc_now()
            )
    document = {"rows": done.rows, "blobs": done.blobs, "jobs": done.jobs, "taken_at": done.taken_at.isoformat()}
    out.document(document)
    out.say(
        f"Restored the state of {done.taken_at:%Y-%m-%d %H:%M} UTC: {done.rows} rows and {done.blobs} files; "
        f"{done.jobs} open jobs run again when it is served."
    )
