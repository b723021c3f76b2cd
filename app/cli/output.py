"""What a person or a script sees: one JSON document, plain sentences, or tables for a terminal.

Results go to stdout. Progress, hints and refusals go to stderr, so that stdout stays clean for pipes.
"""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from app.cli.errors import CliError
from app.cli.problems import problem_line

Cell = str | int | float | None


def wants_plain(stream: TextIO) -> bool:
    """No colour, bars or boxes: not a terminal, `NO_COLOR` set (to anything), or a terminal that says it is dumb."""
    return not stream.isatty() or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def clean(text: str) -> str:
    """`text` without control and direction characters: what others wrote must not drive the terminal."""
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cf", "Cs"} else "�" for c in text)


def cell(value: Cell) -> str:
    """A value of a table; what is not there is a dash."""
    return "-" if value is None or value == "" else clean(str(value)).replace("\n", " ")


@dataclass(frozen=True)
class Output:
    """How to show things. With `json`, stdout holds the document and nothing else."""

    json: bool = False
    plain: bool = False

    @property
    def is_plain(self) -> bool:
        return self.plain or wants_plain(sys.stdout)

    @property
    def shows_bars(self) -> bool:
        return not self.plain and not self.json and not wants_plain(sys.stderr)

    def document(self, value: Any) -> None:
        """Print the one JSON document; nothing without `--json`."""
        if self.json:
            ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
            sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=ascii_only, allow_nan=False) + "\n")

    def say(self, text: str) -> None:
        """A result for a person: stdout, or stderr when stdout is for the document."""
        print_to(sys.stderr if self.json else sys.stdout, text)

    def note(self, text: str) -> None:
        """Progress, hints, warnings: always stderr."""
        print_to(sys.stderr, text)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Rows under named columns, drawn where a terminal can; nothing with `json`: the document has them."""
        if self.json:
            return
        texts = [[cell(value) for value in row] for row in rows]
        if self.is_plain:
            print_to(sys.stdout, aligned(columns, texts))
        else:
            _drawn(columns, texts)

    def refuse(self, error: CliError) -> None:
        """Show why the command ends: the sentence on stderr and, with `--json`, the problem document on stdout."""
        print_to(sys.stderr, error.text)
        for problem in error.problems:
            print_to(sys.stderr, f"- {problem_line(problem)}")
        self.document(error.document)


def print_to(stream: TextIO, text: str) -> None:
    """One cleaned text and a line end."""
    stream.write(clean(text) + "\n")
    stream.flush()


def aligned(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table without lines: two blanks between columns, none at line ends."""
    lines = [list(columns), *(list(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _drawn(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    # rich costs a tenth of a second, which scripts and pipes never need to pay
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(text) for text in row))
    Console().print(table)
