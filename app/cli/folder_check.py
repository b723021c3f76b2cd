"""`arbitre challenge check`: everything that is wrong with a challenge folder, its examples scored in a sandbox."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.errors import INVALID, OK, Fault, Usage
from app.cli.options import Json, Plain, told
from app.cli.output import Output
from app.cli.parts import need_runner
from app.cli.problems import problem_line
from app.cli.score import runner_command
from app.cli.words import count

if TYPE_CHECKING:
    from challenges.check import Scored
    from challenges.folder import ChallengeFolder
    from challenges.problems import Problem


@told
def check_folder(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The challenge folder, where challenge.toml is.")],
    as_json: Json = False,
    plain: Plain = False,
) -> None:
    """Check a challenge folder: all problems at once, and every example scored."""
    from challenges import check

    out = Output(json=as_json, plain=plain)
    if not folder.is_dir():
        raise Usage(f"{folder} is not a folder." if folder.exists() else f"There is no folder {folder}.")
    need_runner("challenge check")
    problems = [problem_document(problem) for problem in check.check_folder(folder, score=_scored(out))]
    out.document({"good": not problems, "problems": problems})
    for problem in problems:
        out.say(f"- {problem_line(problem)}")
    if problems:
        out.say(f"{folder} has {count(len(problems), 'problem')}.")
    else:
        out.say(f"{folder} is in order. Next: arbitre challenge push {folder}")
    raise typer.Exit(INVALID if problems else OK)


def problem_document(problem: Problem) -> dict[str, Any]:
    """A problem of a folder as JSON."""
    return {
        "code": problem.code,
        "file": problem.file,
        "line": problem.line,
        "key": problem.key,
        "expected": problem.expected,
        "found": problem.found,
        "text": problem.text,
    }


def _scored(out: Output) -> Any:
    """Scores one example by `arbitre-runner score`, a program of its own."""
    from challenges.check import Scored

    def score(*, folder: ChallengeFolder, phase: str, entry: Mapping[str, Path]) -> Scored:
        command = [*runner_command(), "score", str(folder.root), "--phase", phase, "--json"]
        for table, path in entry.items():
            command += ["--entry", f"{table}={path}" if table else str(path)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
        try:
            report = json.loads(done.stdout)
        except ValueError as error:
            raise Fault(f"The examples cannot be scored here: {done.stderr.strip()[-500:]}") from error
        detail = report["detail"]
        if report["outcome"] == "internal":
            raise Fault(f"The examples cannot be scored here: {detail['message']} `arbitre doctor` names the cause.")
        names = sorted({path.parent.name for path in entry.values()})
        out.note(f"Example {', '.join(names)}: {report['outcome']}.")
        return Scored(report["outcome"], tuple(detail["total"]), report["values"], detail["message"])

    return score
