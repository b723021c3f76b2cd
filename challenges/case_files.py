"""The files that say which cases there are and what is known of each: public/cases.csv and the attributes file.

They are read by the same reader as entries; here its issues become problems of the folder.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from challenges.layout import CASES_FILE
from challenges.problems import Problem, shown
from challenges.rule import words
from challenges.spec import ChallengeSpec
from challenges.tables import scoring_cases, scoring_tables
from scoring import spec as scoring
from scoring.cases import CaseIndex, read_attributes, read_case_index
from scoring.issues import InputRefused, Issue, IssueLog
from scoring.messages import explain


def case_problems(spec: ChallengeSpec, files: Mapping[str, Path]) -> list[Problem]:
    """Every problem of the case files of a spec whose shape is right."""
    if CASES_FILE not in files:
        return []
    try:
        index = case_index(spec, files[CASES_FILE])
    except InputRefused as error:
        return issue_problems(error.issues, CASES_FILE)
    problems = [*_secret_columns(spec, files[CASES_FILE]), *_repeated(spec, files[CASES_FILE])]
    problems += _unknown_rows(index)
    if spec.cases.file in files:
        problems += _attributes(spec, index, files[spec.cases.file])
    return problems


def case_index(spec: ChallengeSpec, path: Path) -> CaseIndex:
    """The cases that validation may know of, from public/cases.csv. Errors: InputRefused with all problems."""
    with path.open("rb") as stream:
        return read_case_index(stream, tables=scoring_tables(spec), cases=scoring_cases(spec))


def issue_problems(issues: IssueLog, file: str) -> list[Problem]:
    """What the reader found, as problems of that file of the folder; how many more there are, where there are more."""
    problems = [_from_issue(issue, file) for issue in issues.errors]
    more = sum(count for code, count in issues.total.items() if code.startswith("E-")) - len(problems)
    return [*problems, Problem("C-MORE", file=file, found=str(more))] if more > 0 else problems


def _from_issue(issue: Issue, file: str) -> Problem:
    plain = issue.to_json()
    words = explain(plain)
    known: dict[str, Any] = {"file": file, "line": issue.line, "key": issue.column, "found": issue.value}
    return Problem("C-ISSUE", **known, fields={"why": f"{words.text} {words.fix}"}, issue=plain)


def _attributes(spec: ChallengeSpec, index: CaseIndex, path: Path) -> list[Problem]:
    """Problems of the attributes under the splits of each phase; the same problem is told once."""
    found: dict[str, Problem] = {}
    for phase in spec.phases:
        splits = [scoring.SplitSpec(**split.model_dump()) for split in phase.splits]
        try:
            with path.open("rb") as stream:
                read_attributes(stream, index=index, cases=scoring_cases(spec), splits=splits, seed=0)
        except InputRefused as error:
            found |= {str(problem): problem for problem in issue_problems(error.issues, spec.cases.file)}
    return list(found.values())


def _unknown_rows(index: CaseIndex) -> Iterator[Problem]:
    """Where nobody knows which rows a case has, a missing one is not missed, whatever the table says of it."""
    for table in index.tables:
        known = table.row_key and table.name in index.rows
        if table.combine is not None and table.missing != "empty" and not known:
            names = words(table.row_key or table.key)
            yield Problem("C-COMBINE-KEYS", file=CASES_FILE, line=1, found=shown(table.name), expected=names)


def _header(path: Path) -> Sequence[str]:
    """The columns of a file that was read before."""
    with path.open(newline="", encoding="utf-8-sig") as stream:
        return next(csv.reader(stream), [])


def _secret_columns(spec: ChallengeSpec, path: Path) -> Iterator[Problem]:
    """A split column in the public file, though another file is declared for it."""
    if spec.cases.split in _header(path):
        yield Problem("C-SECRET-COLUMN", file=CASES_FILE, line=1, found=spec.cases.split, expected="split")


def _repeated(spec: ChallengeSpec, path: Path) -> Iterator[Problem]:
    """With one row per case in every table, an id that stands twice is a slip."""
    if any(table.rows == "many" for table in spec.entry.tables.values()):
        return
    with path.open(newline="", encoding="utf-8-sig") as stream:
        counts = Counter(row[spec.cases.id] for row in csv.DictReader(stream))
    twice = [case for case, count in counts.items() if count > 1]
    yield from (Problem("C-ID-TWICE", file=CASES_FILE, key=spec.cases.id, found=case) for case in twice[:50])
