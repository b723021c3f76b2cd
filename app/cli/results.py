"""What the functions of `arbitre` return: small frozen objects that print as the command line would tell them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.cli import boards, verdict
from app.cli.errors import CliError, Usage
from app.cli.problems import problem_line
from app.cli.shown import Kept, Part, as_html, as_text


class ArbitreError(Exception):
    """What was refused, or went wrong: the server's own sentence. `code` is stable; `problems` are single faults."""

    def __init__(self, text: str, *, code: str, problems: Sequence[str] = ()) -> None:
        super().__init__("\n".join([text, *(f"- {problem}" for problem in problems)]))
        self.code = code
        self.problems = tuple(problems)


def public_error(error: CliError) -> ArbitreError:
    """The error of a command as the error of a function."""
    return ArbitreError(error.text, code=error.code, problems=[problem_line(p) for p in error.problems])


@dataclass(frozen=True, repr=False)
class Shown:
    """An answer of the server, and how it is told."""

    parts: tuple[Part, ...] = field(compare=False)
    document: Any = field(compare=False)
    """The API's document."""

    def __repr__(self) -> str:
        return as_text(self.parts)

    def _repr_html_(self) -> str:
        return as_html(self.parts)


@dataclass(frozen=True, repr=False)
class Rows(Shown, Sequence[Mapping[str, Any]]):
    """Rows as the API gives them; `frame()` is the same as a pandas DataFrame."""

    rows: tuple[Mapping[str, Any], ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        return self.rows[index]

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return iter(self.rows)

    def frame(self) -> Any:
        """A pandas DataFrame of the rows."""
        try:
            import pandas
        except ImportError as error:
            raise public_error(Usage("pandas is not installed: pip install pandas")) from error
        return pandas.DataFrame(list(self.rows))


@dataclass(frozen=True, repr=False)
class Submission(Shown):
    """An entry: `state` is scored, checked, rejected, failed, dead, cancelled, withdrawn, or on its way.

    `score` is the ranking value where it may be seen; `values` are Values (metric, output, slice, value, low, high, …);
    `problems` are sentences; `quota_left` is None without a limit, or when it was not asked.
    """

    challenge: str
    number: int
    state: str
    new: bool = True
    sha256: str = ""
    score: float | None = None
    values: tuple[Mapping[str, Any], ...] = ()
    problems: tuple[str, ...] = ()
    quota_left: int | None = None


@dataclass(frozen=True, repr=False)
class Check(Shown):
    """Whether a file has the right form; `problems` are sentences, warnings among them."""

    good: bool
    problems: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.good


@dataclass(frozen=True, repr=False)
class Account(Shown):
    """Who is logged in, where."""

    server: str
    name: str


@dataclass(frozen=True, repr=False)
class Files(Shown):
    """Files that were fetched, below `folder`."""

    folder: Path
    paths: tuple[Path, ...] = ()


def problems_of(report: Mapping[str, Any]) -> tuple[str, ...]:
    """The problems of a report in sentences."""
    return tuple(problem_line(issue) for issue in report.get("issues") or [])


def accepted(challenge: str, answer: Mapping[str, Any]) -> Submission:
    """An entry that has just arrived."""
    out = Kept()
    told = "received" if answer["new"] else "has these bytes already; nothing is entered twice (see again=True)"
    out.say(f"Submission {answer['number']} to {challenge} {told}. {verdict.sentence(answer['state'])}")
    return Submission(
        tuple(out.parts),
        answer,
        challenge,
        int(answer["number"]),
        str(answer["state"]),
        bool(answer["new"]),
        str(answer["sha256"]),
        quota_left=(answer.get("quota") or {}).get("left"),
    )


def judged(challenge: str, document: Mapping[str, Any], *, answer: Mapping[str, Any], score: Any) -> Submission:
    """An entry with its verdict."""
    out = Kept()
    verdict.show(document, out)
    return Submission(
        tuple(out.parts),
        document,
        challenge,
        int(document["number"]),
        str(document["state"]),
        bool(answer.get("new", True)),
        str(document.get("sha256") or ""),
        score,
        tuple(document.get("values") or ()),
        problems_of(document.get("report") or {}),
        (answer.get("quota") or {}).get("left"),
    )


def board(document: Mapping[str, Any]) -> Rows:
    """A leaderboard."""
    out = Kept()
    boards.show_board(document, out)
    return Rows(tuple(out.parts), document, tuple(document.get("rows") or ()))
