"""`arbitre-runner`: start, register, doctor, score.

Exit codes: 0 ok, 1 invalid, 2 usage, 3 not reachable, 4 not allowed, 5 fault of the platform. With --json one document
on standard output; all else goes to standard error.
"""

import compileall
import datetime as dt
import importlib.metadata
import json
import logging
import os
import platform
import signal
import socket
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

import scoring
from challenges.folder import open_folder
from challenges.problems import FolderError
from sandbox_runner import bubblewrap, doctor, keys, local
from sandbox_runner.cache import Cache
from sandbox_runner.client import Client, Refused, Unreachable
from sandbox_runner.contract import Finish, Register
from sandbox_runner.loop import Runner, Settings
from sandbox_runner.pool import KEPT_S, Pool
from scoring.messages import explain

QUEUES = ("check", "score")
_REGISTER_S = 60.0
_EXIT = {"ok": 0, "internal": 5}

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Takes jobs of an Arbitre server, in sandboxes.")

Server = Annotated[str, typer.Option(envvar="ARBITRE_SERVER", help="Address, for example https://arbitre.example.org")]
State = Annotated[Path, typer.Option(envvar="ARBITRE_RUNNER_STATE", help="Folder of this runner's keys and cache.")]
Token = Annotated[str | None, typer.Option(envvar="ARBITRE_RUNNER_TOKEN", help="One-time token of `admin runner add`.")]
TokenFile = Annotated[Path | None, typer.Option(help="File that holds the token.")]
CaFile = Annotated[Path | None, typer.Option("--ca-file", help="PEM of the authority that signed the certificate.")]
Name = Annotated[str, typer.Option(help="How the server's pages call this runner.")]
Tag = Annotated[list[str] | None, typer.Option(help="Takes jobs with this tag too; may be given several times.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
HOME = Path("~/.local/state/arbitre-runner")
KEPT = 4 * (os.cpu_count() or 1)


@dataclass(frozen=True)
class Shape:
    """Jobs at once, sandboxes that wait ready, those that stay with a challenge, and for how many minutes unused."""

    slots: int
    pool: int
    kept: int
    kept_minutes: float


def main() -> None:
    """Entry point of the console script."""
    app()


@app.command()
def start(
    server: Server,
    state: State = HOME,
    token: Token = None,
    token_file: TokenFile = None,
    ca_file: CaFile = None,
    name: Name = socket.gethostname(),
    tag: Tag = None,
    slots: Annotated[int, typer.Option(min=1, max=256, help="Jobs at once.")] = os.cpu_count() or 1,
    pool: Annotated[int, typer.Option(min=0, max=256, help="Sandboxes that wait ready; 0: as many as slots.")] = 0,
    kept: Annotated[int, typer.Option(min=0, max=256, help="Sandboxes that stay with a challenge; 0: none.")] = KEPT,
    kept_minutes: Annotated[float, typer.Option(min=0.1, help="They end after so many unused.")] = KEPT_S / 60,
    once: Annotated[bool, typer.Option("--once", help="Ask for one job, do it, leave.")] = False,
) -> None:
    """Take jobs until stopped (SIGTERM, Ctrl-C). Registers first where a token is given and it has not yet."""
    _log_json()
    _preflight()
    stop = _stop_by_signal()
    shape = Shape(slots, 1 if once else pool or slots, 0 if once else kept, kept_minutes)
    try:
        state = _prepared(state)
        client = Client(server, ca_file=ca_file, stop=stop)
        secret = _secret(token, token_file)
        who = keys.identity(state)
        if who is None or (who.server != server and secret):
            who = _register(client, server, state, secret, name, tag or [])
        if who.server != server:
            raise keys.StateRefused(f"{state} is registered at {who.server}. Give another --state, or a token.")
        try:
            _run(client, who, state, shape, tag or [], stop, once)
        except Refused as error:
            if error.status != 401 or not secret:
                raise
            stop.clear()  # the server does not know this runner (any more), but holds a token for it
            _run(client, _register(client, server, state, secret, name, tag or []), state, shape, tag or [], stop, once)
    except (Unreachable, Refused, keys.StateRefused, OSError) as error:
        _fail(error)


@app.command()
def register(
    server: Server,
    state: State = HOME,
    token: Token = None,
    token_file: TokenFile = None,
    ca_file: CaFile = None,
    name: Name = socket.gethostname(),
    tag: Tag = None,
) -> None:
    """Make this runner known to the server by a one-time token; `start` then needs none."""
    try:
        state = _prepared(state)
        who = _register(Client(server, ca_file=ca_file), server, state, _secret(token, token_file), name, tag or [])
    except (Unreachable, Refused, keys.StateRefused, OSError) as error:
        _fail(error)
    typer.echo(f"Registered at {who.server} as {who.runner_id}.", err=True)


@app.command("doctor")
def doctor_(as_json: Json = False) -> None:
    """Do one real job in one real sandbox; where that fails, name the cause and the one fix."""
    found = doctor.examine()
    if as_json:
        typer.echo(json.dumps(asdict(found)))
    elif found.works:
        typer.echo(f"The sandbox works (tier {found.tier}, {found.machine}).", err=True)
    else:
        typer.echo(f"{found.problem}\n{found.fix}", err=True)
    raise typer.Exit(0 if found.works else 5)


@app.command()
def score(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A challenge folder with its reference.")],
    entry: Annotated[list[str], typer.Option(help="FILE (of several tables: an archive), or TABLE=FILE.")],
    phase: Annotated[str, typer.Option(help="Slug; the first phase by default.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples.")] = 0,
    check: Annotated[bool, typer.Option("--check", help="Only check the entry.")] = False,
    as_json: Json = False,
    _plain: Annotated[bool, typer.Option("--plain", hidden=True, help="As ever: no colour, no boxes.")] = False,
) -> None:
    """Score an entry against a challenge folder on this machine, in a sandbox, exactly as a server does."""
    try:
        opened = open_folder(folder)
        tables = list(opened.spec.entry.tables)
        files = {}
        for given in entry:
            table, _, path = given.rpartition("=") if given.partition("=")[0] in tables else ("", "", given)
            files[table] = Path(path)
        finish = local.score_folder(
            opened, phase=phase or opened.spec.phases[0].slug, entry=files, seed=seed, check=check
        )
    except FolderError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except (KeyError, OSError) as error:
        typer.echo(error.args[0] if isinstance(error, KeyError) else str(error), err=True)
        raise typer.Exit(2) from None
    _show(finish, as_json=as_json)
    raise typer.Exit(_EXIT.get(finish.outcome, 1))


def _show(finish: Finish, *, as_json: bool) -> None:
    document = finish.model_dump(mode="json")
    for issue in document["detail"]["issues"]:
        words = explain(issue)
        issue |= {"text": words.text, "fix": words.fix}
        place = ", ".join(f"{key} {issue[key]}" for key in ("table", "line", "column") if issue[key] is not None)
        typer.echo(f"{issue['level']} {issue['code']} ({place}): {words.text} {words.fix}", err=True)
    if finish.detail.message or finish.outcome != "ok":
        typer.echo(f"{finish.outcome}: {finish.detail.message or 'the entry is not in order.'}", err=True)
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False))
        return
    for value in finish.values:
        shown = f"undefined ({value.undefined})" if value.value is None else f"{value.value:.12g}"
        bounds = f"{value.low:.12g} to {value.high:.12g}" if value.low is not None and value.high is not None else ""
        typer.echo(f"{value.metric}.{value.output}  {value.slice}  {shown}  {bounds or value.interval or ''}".rstrip())


def _run(
    client: Client, who: keys.Identity, state: Path, shape: Shape, tags: list[str], stop: threading.Event, once: bool
) -> None:
    pool = Pool(bubblewrap.layout(), size=shape.pool, kept=shape.kept, kept_s=60 * shape.kept_minutes)
    settings = Settings(who.key, keys.private_key(state), QUEUES, shape.slots, tags, _versions())
    try:
        logging.getLogger("arbitre.runner").info("runner started", extra={"data": {"server": who.server}})
        Runner(client, pool, Cache(state / "cache"), settings, stop).run(once=once)
    finally:
        pool.close()


def _register(client: Client, server: str, state: Path, token: str | None, name: str, tags: list[str]) -> keys.Identity:
    if token is None:
        raise keys.StateRefused(f"{state} is not registered. Give the token that `arbitre admin runner add` prints.")
    public = keys.public_text(keys.private_key(state))
    request = Register(name=name, public_key=public, queues=list(QUEUES), tags=tags, versions=_versions())
    answer = client.register(token, request, patience_s=_REGISTER_S)
    who = keys.Identity(server, answer.runner_id, answer.key)
    keys.keep(state, who)
    return who


def _prepared(state: Path) -> Path:
    state = state.expanduser()
    keys.prepare(state)
    return state


def _secret(token: str | None, token_file: Path | None) -> str | None:
    return token_file.read_text().strip() if token is None and token_file else token


def _versions() -> dict[str, str]:
    found = {name: importlib.metadata.version(name) for name in ("numpy", "scipy")}
    try:
        found["arbitre"] = importlib.metadata.version("arbitre")
    except importlib.metadata.PackageNotFoundError:  # run from a source folder
        found["arbitre"] = "source"
    return {**found, "python": platform.python_version(), "machine": platform.machine(), "tier": bubblewrap.tier()}


def _preflight() -> None:
    # A sandbox cannot write, so it would compile the same anew each time. Where we may not write either, so be it.
    compileall.compile_dir(str(Path(scoring.__file__).parent), quiet=2)
    found = doctor.examine()
    if not found.works:
        typer.echo(f"{found.problem}\n{found.fix}\nNothing is ever scored without a sandbox.", err=True)
        raise typer.Exit(5)


def _stop_by_signal() -> threading.Event:
    stop = threading.Event()

    def handle(number: int, _: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
    return stop


def _fail(error: Exception) -> NoReturn:
    typer.echo(str(error), err=True)
    status = error.status if isinstance(error, Refused) else 0
    code = 3 if isinstance(error, Unreachable) else 4 if status in (401, 403) else 2 if status == 0 else 5
    raise typer.Exit(code)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")
        data = getattr(record, "data", {})
        return json.dumps({"at": at, "level": record.levelname.lower(), "event": record.getMessage(), **data})


def _log_json() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logger = logging.getLogger("arbitre.runner")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.INFO)


if __name__ == "__main__":
    main()
