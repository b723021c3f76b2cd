"""What an entry must look like: from a challenge folder here or from the server, and a file held against it.

Everything here is public; the reference is not needed and not touched.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli import places
from app.cli.client import connect, rows_of, segment
from app.cli.errors import Fault, Invalid, Usage
from app.cli.files import cached
from app.cli.issues import issue_document
from app.cli.output import Output
from app.cli.phases import chosen_phase

if TYPE_CHECKING:
    from scoring.issues import IssueLog
    from scoring.spec import ScoringSpec

CASES = "public/cases.csv"


@dataclass(frozen=True)
class Format:
    """The form of the entries of one phase: its spec, the list of its cases, the largest file in bytes."""

    phase: str
    spec: ScoringSpec
    cases: Path
    limit: int


def format_of(where: str, phase: str, server: str, out: Output) -> Format:
    """A folder that holds challenge.toml is a challenge folder; a download of the same name is not."""
    folder = Path(where)
    if (folder / "challenge.toml").is_file() or "/" in where or os.sep in where or where in {".", ".."}:
        return folder_format(folder, phase)
    return server_format(where, phase, server, out)


def folder_format(folder: Path, phase: str) -> Format:
    """From `challenge.toml` and `public/cases.csv` of a folder. Errors: Usage, Invalid with all problems."""
    from challenges.folder import read_spec
    from challenges.scoring_spec import scoring_spec

    path = folder / "challenge.toml"
    if not path.is_file() or not (folder / CASES).is_file():
        missing = "challenge.toml" if not path.is_file() else CASES
        raise Usage(f"{folder} holds no {missing}, so it is no challenge folder to check against.")
    spec, _, problems = read_spec(path.read_bytes())
    if spec is None or problems:
        told = [{"file": p.file, "line": p.line, "text": p.text, "code": p.code} for p in problems]
        raise Invalid(f"{path} has problems, so nothing can be checked against it.", problems=told)
    rows = [{"slug": p.slug, "opens_at": p.opens.isoformat(), "closes_at": p.closes.isoformat()} for p in spec.phases]
    name = chosen_phase(rows, phase, spec.slug)
    limits = next(p.limits for p in spec.phases if p.slug == name)
    return Format(name, scoring_spec(spec, name), folder / CASES, limits.size_mb * 1_000_000)


def server_format(slug: str, phase: str, server: str, out: Output) -> Format:
    """From the server: the phase's spec, and the list of cases, kept in the user's cache by its digest."""
    from scoring.spec import from_json

    with connect(server) as api:
        rows = rows_of(api.get(f"/challenges/{segment(slug)}"), "phases")
        name = chosen_phase(rows, phase, slug)
        row = next(row for row in rows if row["slug"] == name)
        try:
            spec = from_json(row["scoring"])
        except (KeyError, ValueError) as error:
            text = f"The form of this phase cannot be understood here ({error}). Update arbitre: pip install -U arbitre"
            raise Fault(text) from error
        cases = cached(api, slug=slug, path=CASES, folder=cache_folder(api.address, slug), out=out)
    return Format(name, spec, cases, int(row.get("limits", {}).get("size_mb", 50)) * 1_000_000)


def read_form(path: Path, form: Format) -> dict[str, Any]:
    """The report on a file: issues with their sentences, total by code, counts; `good` is whether it may be sent."""
    from scoring.cases import read_case_index
    from scoring.evaluation import validate
    from scoring.issues import InputRefused
    from scoring.read import Limits, read_upload

    try:
        with form.cases.open("rb") as cases:
            index = read_case_index(cases, tables=form.spec.tables, cases=form.spec.cases)
    except InputRefused as error:
        told = [issue_document(issue.to_json()) for issue in error.issues.errors]
        raise Invalid(f"{form.cases} cannot be used as the list of cases.", problems=told) from error
    with path.open("rb") as stream:
        found = read_upload(stream, index=index, limits=replace(Limits(), expanded_bytes=form.limit))
    if found.entry is not None:
        found.issues.extend(validate(spec=form.spec, index=index, entry=found.entry))
    return {"good": not found.issues.refused, **_report(found.issues), "counts": dict(found.counts)}


def cache_folder(address: str, slug: str) -> Path:
    """Where files of a challenge of a server are kept."""
    return places.cache_folder() / hashlib.sha256(address.encode()).hexdigest()[:16] / segment(slug)


def _report(issues: IssueLog) -> dict[str, Any]:
    plain = issues.to_json()
    return {"issues": [issue_document(issue) for issue in plain["issues"]], "total": plain["total"]}
