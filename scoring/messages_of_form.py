"""Sentences for what is wrong with a file as a file: archives, encoding, delimiters, header. See `scoring.messages`."""


def N_(text: str) -> str:
    """Mark a text for translation, by the name that gettext tools look for; it is translated where it is shown."""
    return text


FILES = {
    "E-FILE-MISSING": (
        N_("The entry has no file for the table %(table)s. It has: %(found)s."),
        N_("Add %(value)s to the entry."),
    ),
    "E-FILE-NAME": (
        N_("A file is named “%(value)s”; the name of this table's file must be exactly “%(right)s”."),
        N_("Rename the file to %(right)s: capitals, spaces and invisible characters count."),
    ),
    "E-FILE-TWICE": (
        N_("The archive holds a second file for this table, %(value)s."),
        N_("Keep one file for each table; folders inside the archive do not tell files apart."),
    ),
    "W-FILE-EXTRA": (
        N_("The file %(value)s is not expected and was not used."),
        N_("Nothing needs to be done, unless its name is wrong."),
    ),
    "E-ARCHIVE-TABLES": (
        N_("The entry is not a ZIP, .tar or .tar.gz archive, but this phase expects several files: %(names)s."),
        N_("Pack these files, under these names, into one ZIP archive and send that."),
    ),
    "E-ARCHIVE-LINK": (
        N_("%(value)s is a link, a device or a sparse file in the archive, not an ordinary file."),
        N_("Put the file itself into the archive."),
    ),
    "E-ARCHIVE-MANY": (
        N_("The archive holds more than %(most)s files."),
        N_("Pack only the expected files."),
    ),
    "E-SIZE": (
        N_("The file is larger than %(megabytes)s MB when unpacked, which is more than this phase accepts."),
        N_("Send only the expected rows and columns, and write numbers with fewer digits."),
    ),
    "E-FORMAT": (
        N_("This is a file of another format (%(found)s), not %(expected)s."),
        N_("Save the predictions as %(expected)s, and send that file, its .gz or its .zip."),
    ),
    "E-WORKBOOK": (
        N_("This is a spreadsheet workbook, which is not read here."),
        N_("In the spreadsheet choose “Save as” and the format “CSV UTF-8 (comma delimited)”, and send that file."),
    ),
    "E-ARCHIVE": (
        N_("The ZIP archive holds %(found)s files; it must hold exactly one."),
        N_("Send the file itself, or an archive with that file alone."),
    ),
    "E-ARCHIVE-ENCRYPTED": (
        N_("The archive is protected by a password."),
        N_("Make the archive again without a password."),
    ),
    "E-ARCHIVE-DAMAGED": (
        N_("The archive is damaged or incomplete."),
        N_("Make the archive again and check that the upload was complete, or send the file without packing it."),
    ),
    "E-ARCHIVE-NESTED": (
        N_("The archive holds another archive (a zip inside a zip, or a gz inside a gz)."),
        N_("Pack the file once, or send it without packing it."),
    ),
    "E-ARCHIVE-METHOD": (
        N_("The ZIP archive uses a compression method that is not accepted."),
        N_("Make the archive with the usual method (“deflate”), or send the file without packing it."),
    ),
    "E-ARCHIVE-BOMB": (
        N_("The archive unpacks to more than %(ratio)s times its size, as only a harmful file does."),
        N_("Send the file without packing it."),
    ),
}

TEXT = {
    "E-ENCODING": (
        N_("The text is encoded as %(found)s; only UTF-8 is accepted."),
        N_("Save the file again as UTF-8, in a spreadsheet as “CSV UTF-8”; in pandas to_csv(..., encoding='utf-8')."),
    ),
    "E-UTF8": (
        N_("This line holds bytes that are not UTF-8: %(value)s."),
        N_("Save the file again as UTF-8; it seems to be in Windows-1252 or Latin-1."),
    ),
    "E-NUL": (
        N_("A NUL character stands here: %(value)s."),
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
        N_("The file names its columns but has no row."),
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

JSON = {
    "E-JSON": (
        N_("This line is not valid JSON: reading stops at character %(at)s."),
        N_('Write one JSON object per line, as {"id": "a", "score": 0.5}; in pandas to_json(..., lines=True) does it.'),
    ),
    "E-JSON-OBJECT": (
        N_("This line holds a JSON value (%(value)s) that is no object."),
        N_('Write each row as an object with the names of the columns, as {"id": "a", "score": 0.5}.'),
    ),
    "E-JSON-WHOLE": (
        N_("The file is one JSON document over all its lines; one object per line is expected."),
        N_("Write JSON lines: in pandas to_json(..., orient='records', lines=True)."),
    ),
    "E-JSON-DEPTH": (
        N_("Lists or objects stand too deep in each other on this line."),
        N_("Write one flat object per line: a number or a text for each column."),
    ),
    "E-JSON-DUP": (
        N_("The key %(column)s stands twice in the object on this line."),
        N_("Write each key once in an object."),
    ),
    "E-KEY-MISSING": (
        N_("The object on this line has no key %(column)s."),
        N_("Give every object all the columns."),
    ),
    "E-SURROGATE": (
        N_("“%(value)s” holds half of a character (a lone surrogate)."),
        N_("Write the text as UTF-8, with whole characters only."),
    ),
}

PARQUET = {
    "E-PARQUET-DAMAGED": (
        N_("This Parquet file is damaged, cut off, or not what its own footer says."),
        N_("Write the file again, close it before it is sent, and check that the upload was complete."),
    ),
    "E-PARQUET-ENCRYPTED": (
        N_("This Parquet file is encrypted."),
        N_("Write the file again without encryption."),
    ),
    "E-COL-TYPE": (
        N_("The column %(column)s has the Parquet type %(found)s; numbers or texts are expected."),
        N_("Convert the column before writing, in pandas with astype(float) or astype(str)."),
    ),
}

COLUMNS = {
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
        N_("Add the column %(column)s, under exactly this name."),
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
