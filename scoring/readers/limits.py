"""How much of a file is read before it is refused."""

from dataclasses import dataclass


class Unusable(Exception):
    """The bytes cannot be read on; `code` and `fields` are those of the issue to report."""

    def __init__(self, code: str, **fields: str | int) -> None:
        """`code`: of `scoring.messages`."""
        super().__init__(code)
        self.code = code
        self.fields = fields

    def told(self, expected: str) -> dict[str, str | int]:
        """The fields; of E-FORMAT also the format that was `expected`."""
        return {**self.fields, "expected": expected} if self.code == "E-FORMAT" else self.fields


class TooLong(Exception):
    """A line, or a record of several lines, is longer than a record may be."""


@dataclass(frozen=True)
class Limits:
    """Bounds of one file.

    `expanded_bytes`: after unpacking. `ratio`: expanded to uploaded size, tested only above `ratio_from_bytes`, since a
    file of constant predictions shrinks a lot and is honest. `record_characters`: one line, or one record whose quoted
    cells hold line breaks. `columns`: in the header. `rows_per_case`, `rows_least`: cap for rows = "many" where the
    keys are not known beforehand. `text_bytes`: memory of all columns of text together.
    """

    expanded_bytes: int = 256_000_000
    ratio: int = 200
    ratio_from_bytes: int = 16_000_000
    record_characters: int = 1_000_000
    columns: int = 2_000
    rows_per_case: int = 100
    rows_least: int = 10_000
    text_bytes: int = 256_000_000


ORGANISER = Limits(
    expanded_bytes=4_000_000_000, ratio=2_000, rows_per_case=10_000, rows_least=10_000_000, text_bytes=4_000_000_000
)
