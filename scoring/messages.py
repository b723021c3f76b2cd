"""What each code says: a sentence that names what is wrong, and one that says how to mend it.

Templates are English, and the keys of their translations. Placeholders are the fields of the issue, by name: `table`,
`line`, `column`, `value`, and those that the code adds. Where the row stands is shown beside the sentence.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


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


def N_(text: str) -> str:
    """Mark a text for translation, by the name that gettext tools look for; it is translated where it is shown."""
    return text


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


_FILES = {
    "E-FILE-MISSING": (
        N_("The entry has no file for the table %(table)s."),
        N_("Add %(value)s to the entry."),
    ),
    "E-SIZE": (
        N_("The file is larger than %(megabytes)s MB when unpacked, which is more than this phase accepts."),
        N_("Send only the expected rows and columns, and write numbers with fewer digits."),
    ),
    "E-FORMAT": (
        N_("This is a file of another format (%(found)s), not CSV."),
        N_("Save the predictions as CSV with UTF-8 encoding, and send that file, its .gz or its .zip."),
    ),
    "E-WORKBOOK": (
        N_("This is a spreadsheet workbook, not CSV."),
        N_("In the spreadsheet choose “Save as” and the format “CSV UTF-8 (comma delimited)”, and send that file."),
    ),
    "E-ARCHIVE": (
        N_("The ZIP archive holds %(found)s files; it must hold exactly one."),
        N_("Send the CSV file itself, or an archive with that file alone."),
    ),
    "E-ARCHIVE-ENCRYPTED": (
        N_("The ZIP archive is protected by a password."),
        N_("Make the archive again without a password."),
    ),
    "E-ARCHIVE-DAMAGED": (
        N_("The archive is damaged or incomplete."),
        N_("Make the archive again and check that the upload was complete, or send the CSV file without packing it."),
    ),
    "E-ARCHIVE-NESTED": (
        N_("The archive holds another archive (a zip inside a zip, or a gz inside a gz)."),
        N_("Pack the CSV file once, or send it without packing it."),
    ),
    "E-ARCHIVE-METHOD": (
        N_("The ZIP archive uses a compression method that is not accepted."),
        N_("Make the archive with the usual method (“deflate”), or send the CSV file without packing it."),
    ),
    "E-ARCHIVE-BOMB": (
        N_("The archive unpacks to more than %(ratio)s times its size, as only a harmful file does."),
        N_("Send the CSV file without packing it."),
    ),
}

_TEXT = {
    "E-ENCODING": (
        N_("The text is encoded as %(found)s; only UTF-8 is accepted."),
        N_("Save the file again as “CSV UTF-8”; in pandas use to_csv(..., encoding='utf-8')."),
    ),
    "E-UTF8": (
        N_("This line holds bytes that are not UTF-8: %(value)s."),
        N_("Save the file again as “CSV UTF-8”; it seems to be in Windows-1252 or Latin-1."),
    ),
    "E-NUL": (
        N_("This line holds NUL bytes: %(value)s."),
        N_("Write the file again as plain text; it seems damaged or binary."),
    ),
    "W-BOM": (
        N_("The file begins with a byte-order mark, which was left out."),
        N_("Nothing needs to be done; to avoid it, save as UTF-8 without BOM."),
    ),
    "E-EMPTY": (
        N_("The file is empty."),
        N_("Check that the predictions were written before the file was sent."),
    ),
    "E-EMPTY-ROWS": (
        N_("The file has a header line but no row."),
        N_("Check that the predictions were written before the file was sent."),
    ),
    "E-SEP-LINE": (
        N_("The first line, %(value)s, is meant for Excel and is not part of a CSV file."),
        N_("Remove this line, so that the column names stand in the first line."),
    ),
    "E-DELIM": (
        N_("The cells are separated by %(found)s; they must be separated by commas."),
        N_("Save with the comma as delimiter; in pandas use to_csv(..., sep=',', decimal='.')."),
    ),
    "E-QUOTE": (
        N_("A quotation mark is opened and not closed where the cell ends."),
        N_('Close the quotation mark; inside a quoted cell write "" for a quotation mark.'),
    ),
    "E-FIELD-SIZE": (
        N_("A cell or line here is longer than %(most)s characters."),
        N_("Look for a missing line end or quotation mark, and send only the expected columns."),
    ),
    "E-ROW-LENGTH": (
        N_("This row has %(found)s cells, but the header has %(expected)s."),
        N_("Give each row one cell per column; put a cell that holds a comma between quotation marks."),
    ),
    "E-ROWS": (
        N_("The file has far more rows than are expected; reading stopped after %(most)s."),
        N_("Send only the rows that the sample submission lists."),
    ),
}

_COLUMNS = {
    "E-HEADER": (
        N_("The first line is a row of data (%(value)s), not the names of the columns."),
        N_("Put this line first: %(names)s"),
    ),
    "E-COL-COUNT": (
        N_("The file has %(found)s columns; at most %(most)s are read."),
        N_("Send only the expected columns."),
    ),
    "E-COL-MISSING": (
        N_("The column %(column)s is missing. The file has: %(found)s."),
        N_("Add the column %(column)s, with its name in the first line."),
    ),
    "E-COL-DUP": (
        N_("The column %(column)s stands more than once (positions %(places)s)."),
        N_("Keep one column %(column)s."),
    ),
    "E-COL-HEADER": (
        N_("A column is named “%(value)s”; its name must be exactly “%(column)s”."),
        N_("Rename the column to %(column)s: capitals, spaces and invisible characters count."),
    ),
    "W-COL-EXTRA": (
        N_("The column %(column)s is not expected and was not used."),
        N_("Nothing needs to be done; in pandas to_csv(..., index=False) avoids an “Unnamed” column."),
    ),
    "W-COL-UNNAMED": (
        N_("Column number %(place)s has no name and was not used."),
        N_("Nothing needs to be done; in pandas to_csv(..., index=False) avoids it."),
    ),
}

_CELLS = {
    "E-CELL-EMPTY": (
        N_("The cell is empty."),
        N_("Write a value in each row of the column %(column)s."),
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

MESSAGES = _table(_FILES | _TEXT | _COLUMNS | _CELLS | _IDS | _ORGANISER)
