"""What each code says: a sentence that names what is wrong, and one that says how to mend it.

Templates are English, and the keys of their translations. Placeholders are the fields of the issue, by name: `table`,
`line`, `column`, `value`, and those that the code adds. Where the row stands is shown beside the sentence.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scoring.messages_of_boxes import BOXES
from scoring.messages_of_form import COLUMNS, FILES, JSON, N_, PARQUET, TEXT


@dataclass(frozen=True)
class Message:
    """`template`: what is wrong; `fix`: what to do. Both with %(name)s placeholders."""

    template: str
    fix: str
    code: str = ""

    @property
    def help(self) -> str:
        """The last part of the address of the help page of this code; never changes."""
        return self.code.lower()


@dataclass(frozen=True)
class Explained:
    """An issue in words. `help`: last part of the address of its help page."""

    text: str
    fix: str
    help: str


MANY = N_("The same holds for %(count)s lines of this column.")


def explain(issue: Mapping[str, Any], translate: Callable[[str], str] = str) -> Explained:
    """The words for an issue as JSON (`Issue.to_json`). `translate`: English template → template in another language.

    A field that a template names and the issue lacks is shown as "?"; an unknown code gives the code itself.
    """
    message = MESSAGES.get(issue["code"], Message(issue["code"], "", issue["code"]))
    place = {name: issue.get(name) for name in ("table", "line", "column", "value")}
    fields = _Fields({**place, **(issue.get("fields") or {})})
    count = fields.get("count")
    text = translate(message.template) % fields
    if isinstance(count, int) and count > 1 and "%(count)" not in message.template:
        text = f"{text} {translate(MANY) % fields}"
    return Explained(text, translate(message.fix) % fields, message.help)


class _Fields(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def _table(messages: Mapping[str, tuple[str, str]]) -> dict[str, Message]:
    return {code: Message(template, fix, code) for code, (template, fix) in messages.items()}


_CELLS = {
    "E-CELL-EMPTY": (
        N_("The cell is empty."),
        N_("Write a value in each row of the column %(column)s."),
    ),
    "E-CELL-TEXT": (
        N_("%(value)s is a text; this column holds numbers."),
        N_("Write the number as a number: in JSON without quotation marks, in Parquet in a column of numbers."),
    ),
    "E-CELL-BOOL": (
        N_("%(value)s is a truth value; a number or a text is expected."),
        N_("Write the number 1 or 0, or the text that is meant."),
    ),
    "E-CELL-NESTED": (
        N_("A list or an object (%(value)s) stands where one number or one text is expected."),
        N_("Write one value per cell, and several values as several columns or rows, as the data page says."),
    ),
    "E-NUMBER": (
        N_("“%(value)s” is not a number."),
        N_("Write digits 0 to 9 with a decimal point, for example 0.93 or 1.2e-05."),
    ),
    "E-INTEGER": (
        N_("“%(value)s” is not a whole number."),
        N_("Write a whole number, without decimals or exponent."),
    ),
    "E-NAN": (
        N_("“%(value)s” stands for a missing number; each row needs one."),
        N_("Replace it by a number; find in your code where it comes from."),
    ),
    "E-INF": (
        N_("“%(value)s” is infinite or too large for a number."),
        N_("Replace it by a finite number; find in your code where it comes from."),
    ),
    "E-RANGE": (
        N_("%(value)s is outside the allowed range, from %(low)s to %(high)s."),
        N_("Write a value in the range; do not cut it off silently if it comes from an error."),
    ),
    "E-DECIMAL-COMMA": (
        N_("“%(value)s” is written with a decimal comma."),
        N_("Write a decimal point: %(right)s. In pandas use to_csv(..., sep=',', decimal='.')."),
    ),
    "E-PERCENT": (
        N_("“%(value)s” looks like a percentage; a probability from 0 to 1 is expected."),
        N_("Divide by 100: write %(right)s."),
    ),
    "E-LABEL": (
        N_("“%(value)s” is not a label of this column."),
        N_("Use one of the labels exactly as written: %(labels)s."),
    ),
    "E-LABEL-FORM": (
        N_("“%(value)s” is not a label of this column; the label is written “%(right)s”."),
        N_("Write %(right)s: capitals, spaces and leading zeros count."),
    ),
    "E-LABEL-INDEX": (
        N_("“%(value)s” looks like the number of a class; the name of the class is expected."),
        N_("Write the name instead of its position, one of: %(labels)s."),
    ),
    "E-PROB-SUM": (
        N_("The probabilities of the case %(case)s sum to %(value)s, not to 1."),
        N_("Divide the probabilities of each case by their sum, and write them with enough digits."),
    ),
    "E-BOX": (
        N_("The box of the case %(case)s is empty or turned around (%(value)s)."),
        N_("Write the smaller number in %(column)s and the larger one in %(other)s."),
    ),
}

_IDS = {
    "E-ID-UNKNOWN": (
        N_("The id “%(value)s” is not one of this challenge."),
        N_("Use the ids of cases.csv exactly, and no others."),
    ),
    "E-ID-ZEROS": (
        N_("“%(value)s” is not an id; a spreadsheet or pandas has changed “%(right)s”, which it seems to be."),
        N_("Write %(right)s: read and write ids as text, in pandas with dtype=str."),
    ),
    "E-ID-FORM": (
        N_("“%(value)s” is not an id; it differs a little from “%(right)s”, which it seems to be."),
        N_("Write %(right)s: capitals, spaces, invisible characters and file endings count."),
    ),
    "E-ID-SCIENTIFIC": (
        N_("“%(value)s” is not an id; a spreadsheet has turned a long id into a number."),
        N_("Read and write ids as text; in a spreadsheet format the column as text before opening the data."),
    ),
    "E-ID-DUP": (
        N_("“%(value)s” stands here again; it was first on line %(first)s."),
        N_("Keep one row for each id."),
    ),
    "W-ID-DUP": (
        N_("%(count)s rows repeat an id, for example “%(value)s”; the first row of each counts."),
        N_("Keep one row for each id, to be sure which one counts."),
    ),
    "E-ID-MISSING": (
        N_("There is no row for “%(value)s”."),
        N_("Add a row for each id of cases.csv."),
    ),
    "W-ID-MISSING": (
        N_("%(count)s ids have no row, for example %(value)s; the rule for missing answers holds (%(rule)s)."),
        N_("Add a row for each id of cases.csv, unless you leave them out on purpose."),
    ),
    "E-KEY-CASE": (
        N_("%(key)s belongs to “%(right)s”, not to “%(value)s”."),
        N_("Write %(right)s in the column %(column)s, as in cases.csv."),
    ),
}

_ORGANISER = {
    "E-ID-HIDDEN": (
        N_("The id “%(value)s” has invisible characters in it, or spaces around it."),
        N_("Rename it, so that participants can write it."),
    ),
    "E-KEY-EMPTY": (
        N_("The case %(case)s is listed without a %(column)s."),
        N_("Give each row of a case its %(column)s, or leave the case out: nobody could answer it."),
    ),
    "E-CASE-CONFLICT": (
        N_("The rows of the case %(case)s differ in the column %(column)s: “%(first)s” and “%(value)s”."),
        N_("Give all rows of a case the same value."),
    ),
    "E-CLUSTER-EMPTY": (
        N_("The case %(value)s has no cluster in the column %(column)s."),
        N_("Give each case the cluster (the patient) that it belongs to."),
    ),
    "E-SPLIT-VALUE": (
        N_("The case %(case)s has “%(value)s” in the split column; the splits are %(expected)s."),
        N_("Give each case the value of one split; declare a split that is never visible for cases to leave out."),
    ),
    "E-SPLIT-EMPTY": (
        N_("The split %(value)s has no case."),
        N_("Give it a larger share or a value that cases have."),
    ),
    "E-SPLIT-CLUSTER": (
        N_("The cluster %(value)s is in two splits, %(first)s and %(second)s."),
        N_("Put all cases of a cluster (a patient) in one split: else one split tells about the other."),
    ),
}

NOTES = {
    "N-NO-CLUSTER": N_("The interval is per case (no patient is declared), and too narrow if cases share a patient."),
}

MESSAGES = _table(FILES | TEXT | JSON | PARQUET | COLUMNS | _CELLS | _IDS | _ORGANISER | BOXES)
