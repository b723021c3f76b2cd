"""What is done inside the sandbox: `check` reads an entry and is never given a reference; `score` evaluates too."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

from sandbox_runner.child import Answer, Request, Told, Work
from scoring import spec
from scoring.cases import CaseIndex, read_attributes, read_case_index
from scoring.evaluation import evaluate, validate
from scoring.issues import InputRefused
from scoring.metric import ParamsRefused
from scoring.read import Limits, ReadResult, read_entry, read_reference
from scoring.spec import ScoringSpec
from scoring.tables import Entry

Files = Mapping[str, BinaryIO]

_NAMED = 5


def check(files: Files, request: Request) -> Answer:
    """Roles spec, cases, entry/<table> (or entry, where there is one table): is the entry in order?"""
    challenge, index = _challenge(files)
    return Answer(_read(files, request, challenge, index)[1])


def score(files: Files, request: Request) -> Answer:
    """Besides: attributes, plan, reference/<table>. An entry that is not in order is not scored."""
    challenge, index = _challenge(files)
    entry, head = _read(files, request, challenge, index)
    if entry is None:
        return Answer(head)
    seed = int(json.load(files["plan"])["seed"])
    with _organisers("file of case attributes"):
        attributes = read_attributes(
            files["attributes"], index=index, cases=challenge.cases, splits=challenge.splits, seed=seed
        )
    with _organisers("reference"):
        result = evaluate(
            spec=challenge, index=index, attributes=attributes, reference=_reference(files, challenge, index),
            entry=entry, seed=seed,
        )  # fmt: skip
    scored = {"values": [value.to_json() for value in result.values], "plan_digest": result.plan_digest}
    blobs = {"replicates": result.pack_replicates(), "case_table": result.pack_case_tables()}
    return Answer({**head, **scored}, blobs)


KINDS: Mapping[str, Work] = {"check": check, "score": score}


def _challenge(files: Files) -> tuple[ScoringSpec, CaseIndex]:
    challenge = spec.from_json(json.load(files["spec"]))
    with _organisers("list of cases"):
        return challenge, read_case_index(files["cases"], tables=challenge.tables, cases=challenge.cases)


def _reference(files: Files, challenge: ScoringSpec, index: CaseIndex) -> Entry:
    found = read_reference(_tables(files, "reference", challenge), index=index)
    if found.entry is None:
        raise InputRefused(found.issues)
    return found.entry


def _read(
    files: Files, request: Request, challenge: ScoringSpec, index: CaseIndex
) -> tuple[Entry | None, dict[str, Any]]:
    """The entry, or None where it is refused; and the head of the answer."""
    limits = Limits(expanded_bytes=request["entry_mb"] * 1_000_000)
    found: ReadResult = read_entry(_tables(files, "entry", challenge), index=index, limits=limits)
    entry = found.entry
    if entry is not None:
        with _organisers("challenge"):
            found.issues.extend(validate(spec=challenge, index=index, entry=entry))
        entry = None if found.issues.refused else entry
    return entry, {"outcome": "invalid" if entry is None else "ok", **found.to_json()}


def _tables(files: Files, what: str, challenge: ScoringSpec) -> Files:
    """By name of table, what came as ``entry/<table>``, or as ``entry`` for the only table."""
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
