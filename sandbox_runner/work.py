"""What is done inside the sandbox: `check` reads an entry and is never given a reference; `score` evaluates too.

What the template knows of a challenge (`Known`, `Scoring`) is made once and met by every entry in a fork of its own.
"""

import importlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from sandbox_runner.child import Answer, Request, Task, Told
from scoring import spec
from scoring.cases import CaseAttributes, CaseIndex, read_attributes, read_case_index
from scoring.evaluation import evaluate, plan_of, validate
from scoring.issues import InputRefused
from scoring.metric import ParamsRefused
from scoring.packing import pack, unpack
from scoring.read import Limits, read_entry, read_reference, read_upload
from scoring.resampling import ResamplePlan
from scoring.spec import ScoringSpec
from scoring.tables import Entry

Files = Mapping[str, BinaryIO]

_NAMED = 5


@dataclass(frozen=True, eq=False)
class Known:
    """What an entry is checked against; nothing in it is secret."""

    spec: ScoringSpec
    index: CaseIndex


@dataclass(frozen=True, eq=False)
class Scoring:
    """What an entry is scored against."""

    known: Known
    attributes: CaseAttributes
    reference: Entry
    seed: int
    plan: ResamplePlan


def prepare_check(files: Files, request: Request) -> Known:  # noqa: ARG001 - one shape for all kinds
    """Roles spec, cases."""
    known = _known(files)
    if any(table.format == "parquet" for table in known.spec.tables):
        with suppress(ImportError):  # where it is missing, the reader says so
            importlib.import_module("pyarrow.parquet")  # once, not in each fork
    return known


def prepare_score(files: Files, request: Request) -> Scoring:  # noqa: ARG001
    """Besides: attributes, plan, reference/<table>."""
    known = _known(files)
    challenge, index = known.spec, known.index
    seed = int(json.load(files["plan"])["seed"])
    with _organisers("file of case attributes"):
        attributes = read_attributes(
            files["attributes"], index=index, cases=challenge.cases, splits=challenge.splits, seed=seed
        )
    plan = plan_of(spec=challenge, attributes=attributes, seed=seed)
    with _organisers("reference"):
        return Scoring(known, attributes, _reference(files, known), seed, plan)


def check(known: Known, files: Files, request: Request) -> Answer:
    """Roles entry/<table> (or entry, where there is one table): is the entry in order?

    With `arrays` in the request, what was read is handed out too, for a sandbox that holds the reference.
    """
    entry, head = _read(files, request, known)
    wanted = entry is not None and request.get("arrays")
    return Answer(head, {"arrays": pack(entry)} if entry is not None and wanted else {})


def score(scoring: Scoring, files: Files, request: Request) -> Answer:
    """The same, or role arrays: an entry that another sandbox read. One that is not in order is not scored."""
    known = scoring.known
    entry, head = _unpacked(files["arrays"], known) if "arrays" in files else _read(files, request, known)
    if entry is None:
        return Answer(head)
    with _organisers("reference"):
        result = evaluate(
            spec=known.spec, index=known.index, attributes=scoring.attributes, reference=scoring.reference,
            entry=entry, seed=scoring.seed, plan=scoring.plan,
        )  # fmt: skip
    scored = {"values": [value.to_json() for value in result.values], "plan_digest": result.plan_digest}
    blobs = {"replicates": result.pack_replicates(), "case_table": result.pack_case_tables()}
    return Answer({**head, **scored}, blobs)


KINDS: Mapping[str, Task] = {"check": Task(prepare_check, check), "score": Task(prepare_score, score)}


def _known(files: Files) -> Known:
    challenge = spec.from_json(json.load(files["spec"]))
    with _organisers("list of cases"):
        return Known(challenge, read_case_index(files["cases"], tables=challenge.tables, cases=challenge.cases))


def _reference(files: Files, known: Known) -> Entry:
    found = read_reference(_tables(files, "reference", known.spec), index=known.index)
    if found.entry is None:
        raise InputRefused(found.issues)
    return found.entry


def _unpacked(arrays: BinaryIO, known: Known) -> tuple[Entry, dict[str, Any]]:
    """What a sandbox without a reference wrote, which a hostile file may have taken over: held against the index, and
    against what the metrics ask of an entry.
    """
    try:
        entry = unpack(arrays.read(), known.index)
    except ValueError as error:
        raise Told(str(error)) from None
    with _organisers("challenge"):
        issues = validate(spec=known.spec, index=known.index, entry=entry)
    codes = sorted({issue.code for issue in issues if issue.level == "error"})
    if codes:
        raise Told(f"The arrays of the entry cannot be used: a metric refuses them ({', '.join(codes[:_NAMED])}).")
    return entry, {"outcome": "ok"}


def _read(files: Files, request: Request, known: Known) -> tuple[Entry | None, dict[str, Any]]:
    """The entry, or None where it is refused; and the head of the answer."""
    limits = Limits(expanded_bytes=request["entry_mb"] * 1_000_000)
    if "entry" in files:
        found = read_upload(files["entry"], index=known.index, limits=limits)
    else:
        found = read_entry(_tables(files, "entry", known.spec), index=known.index, limits=limits)
    entry = found.entry
    if entry is not None:
        with _organisers("challenge"):
            found.extend(validate(spec=known.spec, index=known.index, entry=entry))
        entry = None if found.issues.refused else entry
    return entry, {"outcome": "invalid" if entry is None else "ok", **found.to_json()}


def _tables(files: Files, what: str, challenge: ScoringSpec) -> Files:
    """By name of table, what came as ``entry/<table>``; what came without a table is that of the only one."""
    found = {role.partition("/")[2]: file for role, file in files.items() if role.startswith(f"{what}/")}
    if what in files:
        found[challenge.tables[0].name] = files[what]
    return found


@contextmanager
def _organisers(what: str) -> Iterator[None]:
    """Tell where a file of the organiser cannot be used, and never what stands there."""
    try:
        yield
    except InputRefused as error:
        places = [
            f"{issue.code} (" + ", ".join(str(part) for part in (issue.table, issue.column, issue.line) if part) + ")"
            for issue in error.issues.errors[:_NAMED]
        ]
        count = sum(error.issues.total.values())
        raise Told(f"The {what} cannot be used: {count} problems: {', '.join(places)}") from None
    except ParamsRefused as error:
        raise Told(f"A metric cannot be used: {error}") from None
