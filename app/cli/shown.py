"""What a command would tell a person, kept instead of printed: as text for a terminal, as HTML for a notebook."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.cli.output import Cell, Output, aligned, cell, clean


@dataclass(frozen=True)
class Grid:
    """A table of texts."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Part = str | Grid


@dataclass(frozen=True)
class Kept(Output):
    """Keeps sentences and tables in `parts`; progress and hints are dropped."""

    plain: bool = True
    parts: list[Part] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.parts.append(clean(text))

    def note(self, text: str) -> None:
        """Nothing: what is kept outlives it."""

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        self.parts.append(Grid(tuple(columns), tuple(tuple(map(cell, row)) for row in rows)))


def as_text(parts: Sequence[Part]) -> str:
    """Sentences and aligned tables, one below the other."""
    return "\n".join(part if isinstance(part, str) else aligned(part.columns, part.rows) for part in parts)


def as_html(parts: Sequence[Part]) -> str:
    """Paragraphs and tables; nothing that others wrote is markup."""
    return "".join(_paragraph(part) if isinstance(part, str) else _table(part) for part in parts)


def _paragraph(text: str) -> str:
    return f"<p>{html.escape(text)}</p>"


def _table(grid: Grid) -> str:
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in grid.columns)
    lines = "".join("<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in row) + "</tr>" for row in grid.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
