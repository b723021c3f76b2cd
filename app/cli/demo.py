"""`arbitre demo`: the built-in challenges, four accounts with passwords made at first start, and everything running."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cli.config import is_local
from app.cli.errors import NotAllowed
from app.cli.instance import DataFolder, Instance, alone, settings_of, utc_now
from app.cli.options import told
from app.cli.serve import Host, Port, Role, run
from app.db import challenges as challenge_rows
from app.db import users
from app.db.challenges import Juror
from app.db.users import User
from app.domain.access import SYSTEM, Actor
from app.errors import Conflict
from app.services import accounts, audit, baselines, challenges
from app.services.folders import keep_folder
from app.settings import Settings
from challenges.builtin import FOLDERS
from challenges.canonical import digest
from challenges.folder import open_folder

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
PASSWORDS = "demo-accounts.json"


@dataclass(frozen=True)
class Account:
    """One demo account; its address is <name>@example.org."""

    name: str
    admin: bool = False
    can_organise: bool = False

    @property
    def email(self) -> str:
        return f"{self.name}@example.org"


ACCOUNTS = (
    Account("organiser", can_organise=True),
    Account("participant"),
    Account("juror"),
    Account("admin", admin=True),
)


@app.command()
@told
def demo(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data: DataFolder = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete the demo's data first, without asking.")] = False,
) -> None:
    """Start the server with the built-in challenges and demo accounts, on this machine alone."""
    if not is_local(host):
        raise NotAllowed(
            f"The demo is not served on {host}: its accounts have passwords that are printed and kept in a file, so "
            "anybody who sees them could sign in. Use `arbitre serve` with accounts of your own."
        )
    settings = settings_of(data)
    if fresh:
        with alone(settings):
            wipe(settings)
    run(host=host, port=port, data=data, role=Role.all, prepare=prepare)


def wipe(settings: Settings) -> None:
    """Empty the data folder of a demo. Errors: NotAllowed for any other folder."""
    kept = {"serve.lock"}
    found = [path for path in settings.data.iterdir() if path.name not in kept]
    if settings.database_url:
        raise NotAllowed("--fresh deletes the built-in database only. Empty the one of ARBITRE_DATABASE_URL yourself.")
    if found and not (settings.data / PASSWORDS).is_file():
        raise NotAllowed(f"{settings.data} was not made by the demo, so nothing in it is deleted. Give another --data.")
    # Last, so that a deletion that was interrupted can be done again.
    for path in sorted(found, key=lambda path: path.name == PASSWORDS):
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def prepare(instance: Instance) -> list[str]:
    """Accounts and challenges, each only where it is not there yet; what to print about them."""
    passwords = _accounts(instance)
    notes = [note for slug, folder in FOLDERS.items() if (note := _challenge(instance, slug, folder))]
    lines = [f"  {account.name:<12} {account.email:<26} {passwords[account.name]}" for account in ACCOUNTS]
    where = instance.settings.data / PASSWORDS
    return [*notes, f"Demo accounts (their passwords are kept in {where}):", *lines]


def _accounts(instance: Instance) -> dict[str, str]:
    """The demo accounts' passwords by name. The file is written first: a password that nobody knows helps nobody."""
    with instance.database.write_session() as session:
        path = instance.settings.data / PASSWORDS
        if not path.is_file() and session.scalar(select(func.count()).select_from(User)):
            raise NotAllowed(
                f"{instance.settings.data} holds an instance that is no demo; no demo accounts are added to it. "
                "Give another folder with --data, or start it with `arbitre serve`."
            )
        passwords = _passwords(path)
        for account in ACCOUNTS:
            if users.by_email(session, account.email) is None:
                accounts.sign_up(
                    session,
                    email=account.email,
                    name=account.name.capitalize(),
                    password=passwords[account.name],
                    admin=account.admin,
                    can_organise=account.can_organise,
                    demo=True,
                    now=utc_now(),
                )
    return passwords


def _passwords(path: Path) -> dict[str, str]:
    if not path.is_file():
        made = {account.name: secrets.token_urlsafe(12) for account in ACCOUNTS}
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(made, file, indent=2)
        new.replace(path)
    known: dict[str, str] = json.loads(path.read_text())
    return known


def _challenge(instance: Instance, slug: str, folder: Path) -> str:
    """Push, publish and enter the baseline of a built-in challenge, unless this very folder is there; a note or ""."""
    with instance.database.read_session() as session:
        challenge = challenge_rows.by_slug(session, slug)
        if challenge and challenge_rows.version(session, challenge).digest == digest(open_folder(folder)):
            return ""
    kept = keep_folder(folder, blobs=instance.blobs)
    now = utc_now()
    try:
        with instance.database.write_session() as session:
            actor = _actor(session, "organiser")
            challenge = challenges.push(session, actor=actor, kept=kept, blobs=instance.blobs, now=now).challenge
            challenges.publish(session, actor=actor, slug=slug, now=now)
            _seat_juror(session, challenge.id)
            baselines.enter(
                session, actor=actor, challenge=challenge, blobs=instance.blobs, settings=instance.settings, now=now
            )
    except Conflict as error:
        return f"The challenge {slug} stays as it is: {error.text()}"
    return ""


def _actor(session: Session, name: str) -> Actor:
    user = users.by_email(session, f"{name}@example.org")
    assert user is not None, "the demo accounts were made before"
    return accounts.actor_of(user)


def _seat_juror(session: Session, challenge_id: uuid.UUID) -> None:
    juror = _actor(session, "juror").user_id
    if session.get(Juror, (challenge_id, juror)) is None:
        session.add(Juror(challenge_id=challenge_id, user_id=juror, added_at=utc_now()))
        audit.record(session, actor=SYSTEM, act="juror.add", object=f"challenge:{challenge_id}", now=utc_now())
