"""What moves on stderr while something lasts, where a terminal can draw it; sentences, or silence, otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from app.cli.output import Output, clean

SMALL = 1_000_000
"""Below this size (bytes) a bar would only flicker."""
LARGE = 50_000_000
"""From this size on each quarter is told in a sentence where no bar can be drawn."""


@contextmanager
def bar(title: str, *, total: int, out: Output) -> Iterator[Callable[[int], None]]:
    """Yields a function that is told how many of `total` bytes are done."""
    if not out.shows_bars or total < SMALL:
        yield _Quarters(title, total, out).tell if total >= LARGE else _silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def working(out: Output) -> Iterator[Callable[[str], None]]:
    """Yields a function that is told each new state: beside a moving sign on a terminal, else a sentence on stderr."""
    if not out.shows_bars:
        yield out.note
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status("") as status:
        yield lambda text: status.update(Text(clean(text)))


class _Quarters:
    """Says when another quarter is done; a beginning that was there already is not told again."""

    def __init__(self, title: str, total: int, out: Output) -> None:
        self.title, self.total, self.out = title, total, out
        self.told = 0

    def tell(self, done: int) -> None:
        quarter = done * 4 // self.total
        if quarter > self.told:
            self.told = quarter
            self.out.note(f"{self.title}: {quarter * 25} % of {self.total / 1e6:,.0f} MB.")


def _silent(done: int) -> None:
    """Nowhere to draw."""


def counted(chunks: Iterable[bytes], tell: Callable[[int], None]) -> Iterator[bytes]:
    """The same chunks; `tell` hears how many bytes went by."""
    done = 0
    for chunk in chunks:
        yield chunk
        done += len(chunk)
        tell(done)
