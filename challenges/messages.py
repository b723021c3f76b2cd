"""English sentence of each problem of a challenge folder; the templates are the gettext messages.

Placeholders: file, key, expected, found, and those a code adds. A code is stable: tests and help pages name it.
"""


def N_(text: str) -> str:
    """Mark a text for translation, by the name that gettext tools look for; it is translated where it is shown."""
    return text


TEMPLATES: dict[str, str] = {
    # the archive
    "A-KIND": N_("This is no zip, tar or tar.gz archive. Pack the challenge folder as one of these."),
    "A-KIND-NAMED": N_(
        "This is a file of the kind %(found)s. Pack the challenge folder as zip, tar or tar.gz instead."
    ),
    "A-EMPTY": N_("The file is empty. Pack the challenge folder again and send it again."),
    "A-DAMAGED": N_("%(file)s is damaged (%(found)s). Pack the folder again and send it again."),
    "A-CUT": N_("The archive ends too early: part of it is missing. Send it again."),
    "A-TAIL": N_("Other data follows the end of the archive. Pack the folder again and send it again."),
    "A-ENCRYPTED": N_("%(found)s is encrypted. Pack the folder again without a password."),
    "A-METHOD": N_(
        "%(found)s is compressed in a way that is not read here. Pack the folder with ordinary compression."
    ),
    "A-PATH": N_(
        "%(found)s is not a path inside the folder. Names are relative, with forward slashes and without '..'."
    ),
    "A-PATH-INVISIBLE": N_("The name %(found)s has an invisible character (%(expected)s). Rename the file."),
    "A-PATH-LONG": N_("The name %(found)s is too long. Give at most 255 bytes to a name and 500 to a path."),
    "A-LINK": N_("%(found)s is a link. Put the file itself in its place: links are not followed."),
    "A-SPECIAL": N_("%(found)s is not a regular file (a device, a pipe or a sparse file). Take it out of the archive."),
    "A-TWICE": N_("%(found)s stands in the archive twice, or as a file and as a folder. Keep one of them."),
    "A-MANY": N_("The archive holds more than %(expected)s files. Put many small files into fewer larger ones."),
    "A-BIG": N_("Expanded, the archive is larger than %(expected)s bytes, the most that is accepted."),
    "A-BIG-FILE": N_("%(found)s is larger than %(expected)s bytes, the most that is accepted for one file."),
    "A-BOMB": N_(
        "The archive expands to more than %(expected)s bytes, far more than its own size. It was not unpacked."
    ),
    "A-HEADERS": N_("The archive's table of names is far larger than any challenge needs. It was not unpacked."),
    "A-NO-SPEC": N_("The archive has no challenge.toml. It must stand at its top, or in the only folder at its top."),
    "A-SPEC-DEEP": N_(
        "challenge.toml stands at %(found)s. It must be at the top of the archive, or in the only folder there."
    ),
    # the folder
    "F-NOT-A-FOLDER": N_("There is no folder at this place. Give the folder that holds challenge.toml."),
    "F-NO-SPEC": N_("challenge.toml is missing. It describes the challenge and stands at the top of the folder."),
    "F-MISSING": N_("%(expected)s is missing, and %(key)s needs it. Add the file, or correct challenge.toml."),
    "F-MISSING-PAGE": N_("%(expected)s is missing. Every page is there in both languages, and there is an overview."),
    "F-MISSING-CASES": N_("%(expected)s is missing. It lists the cases to predict; add it."),
    "F-MISSING-SAMPLE": N_("%(expected)s is missing. Participants start from it; add an entry that is accepted."),
    "F-MISSING-EXAMPLE": N_("%(expected)s is missing. An example is an entry and its expected.toml; add the file."),
    "F-EMPTY": N_("%(file)s is empty. Write its text: participants read this page."),
    "F-ENCODING": N_("%(file)s is not UTF-8 text (byte %(found)s). Save it again as UTF-8."),
    "F-TOO-BIG": N_("%(file)s is too large: %(found)s bytes, at most %(expected)s."),
    "F-LINK": N_("%(file)s is a link or not a regular file. Put the file itself in its place: links are not followed."),
    "F-PATH": N_("%(file)s is not a name that can be kept (%(found)s). Rename it."),
    "F-PLACE": N_("%(file)s has no place in a challenge folder. Move it under one of %(expected)s, or take it out."),
    "F-HIDDEN": N_("%(key)s names %(found)s, which participants cannot read. Put the file in documents/."),
    # challenge.toml
    "T-SYNTAX": N_("challenge.toml is not valid TOML: %(found)s."),
    "T-DEEP": N_("Lists or tables stand too deep in each other in challenge.toml. Write it with fewer levels."),
    "T-UNKNOWN-KEY": N_("The key %(key)s is not known. Correct its spelling or remove it."),
    "T-UNKNOWN-NEAR": N_("The key %(key)s is not known; did you mean %(expected)s? Correct its spelling or remove it."),
    "T-MISSING-KEY": N_("The key %(key)s is missing. Add it."),
    "T-LANGUAGE": N_(
        "%(key)s lacks the language %(expected)s. Texts of a challenge are given in French and in English."
    ),
    "T-TEXT": N_("%(key)s must be a text in quotes; found %(found)s."),
    "T-WHOLE": N_("%(key)s must be a whole number; found %(found)s."),
    "T-NUMBER": N_("%(key)s must be a finite number; found %(found)s."),
    "T-BOOLEAN": N_("%(key)s must be true or false; found %(found)s."),
    "T-LIST": N_("%(key)s must be a list in [brackets]; found %(found)s."),
    "T-TABLE": N_("%(key)s must be a table; found %(found)s."),
    "T-CHOICE": N_("%(key)s must be one of %(expected)s; found %(found)s."),
    "T-LEAST": N_("%(key)s must be at least %(expected)s; found %(found)s."),
    "T-ABOVE": N_("%(key)s must be above %(expected)s; found %(found)s."),
    "T-MOST": N_("%(key)s must be at most %(expected)s; found %(found)s."),
    "T-BELOW": N_("%(key)s must be below %(expected)s; found %(found)s."),
    "T-LONG": N_("%(key)s is longer than %(expected)s characters. Shorten it."),
    "T-EMPTY": N_("%(key)s is empty. Write a text."),
    "T-FEW": N_("%(key)s needs at least %(expected)s items; found %(found)s."),
    "T-MANY": N_("%(key)s takes %(expected)s items; found %(found)s."),
    "T-OTHER": N_("%(key)s cannot be read: %(expected)s; found %(found)s."),
    "T-SLUG": N_("%(key)s must be lower-case letters, digits and single hyphens, e.g. breast-cancer; found %(found)s."),
    "T-NAME": N_(
        "%(key)s must be lower-case letters, digits and underscores, beginning with a letter; found %(found)s."
    ),
    "T-MOMENT": N_("%(key)s must be a date, a time and an offset, e.g. %(expected)s; found %(found)s."),
    "T-LATER-CONTAINER": N_(
        "%(key)s = %(found)s must wait: this version scores files of predictions only. Use %(expected)s."
    ),
    "T-LATER-GUARD": N_("%(key)s = %(found)s must wait: this version cannot guard the live split. Use %(expected)s."),
    "T-LATER-FORMAT": N_("%(key)s = %(found)s must wait: this version reads tables, no images. Use %(expected)s."),
    "T-LATER-KEY": N_("%(key)s must wait: this version of Arbitre does not have it. Remove it."),
    "T-LATER-METRIC": N_(
        "%(file)s must wait: this version runs no metrics of one's own. Use a built-in metric and remove it."
    ),
    "T-LATER-INPUTS": N_(
        "%(file)s must wait: this version runs no containers, and hidden inputs have no use. Remove it."
    ),
    # single words
    "W-INVISIBLE": N_("%(key)s has an invisible character (%(expected)s): %(found)s. Remove it."),
    "W-BLANKS": N_("%(key)s has blanks at its start or end: %(found)s. Remove them."),
    "W-PATH": N_(
        "%(key)s must be a path from the challenge folder, with forward slashes, without '..'; found %(found)s."
    ),
    "W-LONG": N_("%(key)s is too long a path. Give at most 255 bytes to a name and 500 to a path; found %(found)s."),
    "W-ZONE": N_("%(key)s must be a name of the IANA time zone database, e.g. Europe/Paris; found %(found)s."),
    "W-JSON": N_("%(key)s may hold texts, finite numbers, true or false, lists and tables only; found %(found)s."),
    # what keys mean for each other
    "R-TWICE": N_("%(key)s repeats %(found)s, which is already used above. Each must be different."),
    "R-CASE-COLUMN": N_("%(key)s = %(found)s with rows = 'one' must be %(expected)s alone: one row per case."),
    "R-COMBINE-ONE": N_(
        '%(key)s = %(found)s has nothing to combine: the table has one row per case. Set rows = "many" or remove it.'
    ),
    "R-COMBINE-MAX": N_(
        '%(key)s = "max" cannot be used with the metric %(found)s: the highest probabilities of the labels do not sum '
        'to 1. Set combine = "mean".'
    ),
    "R-COMBINE-TYPE": N_(
        "%(key)s = %(found)s has no %(expected)s, and the table combines its rows. Use numbers or probabilities only."
    ),
    "R-LABELS": N_("%(key)s is a label column and needs labels = [...], each different; found %(found)s."),
    "R-NO-LABELS": N_("%(key)s has labels but is not of type label. Remove the labels or change the type."),
    "R-RANGE": N_("%(key)s must be [low, high] with low below high; found %(found)s."),
    "R-RANGE-PROBABILITY": N_("%(key)s must lie within [0, 1], as a probability does; found %(found)s."),
    "R-RANGE-INTEGER": N_("%(key)s must have whole numbers as bounds, as the column has; found %(found)s."),
    "R-NO-RANGE": N_("%(key)s is a range, which only columns of type number, integer or probability have. Remove it."),
    "R-COLUMN-ID": N_("%(key)s is the column of ids; it is always text and not declared among the columns. Remove it."),
    "R-UNKNOWN-METRIC": N_("%(key)s: there is no metric %(found)s. There are: %(expected)s."),
    "R-UNKNOWN-TABLE": N_("%(key)s: there is no table %(found)s in [entry.tables]. There are: %(expected)s."),
    "R-NO-TABLE": N_("%(key)s: this metric reads a table. Name one: %(expected)s."),
    "R-TABLE-UNUSED": N_("%(key)s: this metric reads no table, but outputs of other metrics. Remove the key."),
    "R-TERM-COMPOSITE": N_(
        "%(key)s: %(found)s is a composite, and a composite is made of other metrics. Name one of %(expected)s."
    ),
    "R-TERM-UNUSED": N_("%(key)s: %(found)s is made of %(expected)s, which is not among this phase's metrics. Add it."),
    "R-METRIC-ID": N_("%(key)s: no [[metrics]] has the id %(found)s. There are: %(expected)s."),
    "R-RANKING-UNUSED": N_("%(key)s: %(found)s ranks, but is not among this phase's metrics (%(expected)s). Add it."),
    "R-OUTPUT": N_("%(key)s: this metric has no output %(found)s. It has: %(expected)s."),
    "R-PARAMS": N_("%(key)s: %(why)s. Correct the parameters or the columns of the table."),
    "R-DATES": N_("%(key)s: a phase must close after it opens; it opens %(expected)s and closes %(found)s."),
    "R-SPLIT-HOW": N_(
        "%(key)s says neither value nor share. Give the value of the split column, or a share of the cases."
    ),
    "R-SPLIT-BOTH": N_("%(key)s says both value and share. Keep one of them."),
    "R-SPLIT-MIXED": N_(
        "%(key)s: some splits of this phase have a value and some a share. Use one way for all of them."
    ),
    "R-SPLIT-COLUMN": N_('%(key)s has a value, but [cases] names no split column. Add split = "..." there.'),
    "R-SHARES": N_("%(key)s: the shares of a phase must add up to 1; they add up to %(found)s."),
    "R-SPLIT-SEEN": N_("%(key)s: no split is ever shown, so the board would stay empty. Make one live or after_close."),
    "R-SPLIT-FINAL": N_(
        "%(key)s: only one split can be after_close, since it decides the final board; found %(found)s."
    ),
    "R-FINALS": N_('%(key)s counts only with select = "final". Remove it or change select.'),
    "R-QUOTA": N_("%(key)s: the quota of a day (%(found)s) is larger than the total (%(expected)s)."),
    "R-CASES-FILE": N_("%(key)s must be %(expected)s or a file in reference/; found %(found)s."),
    "R-SPLIT-PUBLIC": N_(
        "%(key)s: public/cases.csv would tell participants the split of each case. "
        "Put the column %(found)s in a file in reference/ and name that file as [cases] file."
    ),
    # public/cases.csv, the attributes and the reference
    "C-ISSUE": N_("%(why)s"),
    "C-MORE": N_("%(found)s more problems in %(file)s."),
    "C-ID-TWICE": N_("The %(key)s %(found)s stands on several lines. Each case has one line here."),
    "C-COMBINE-KEYS": N_(
        "Table %(found)s combines the rows of a case, but %(file)s does not name them (key: %(expected)s): a team "
        'could leave out the hard ones unseen. Add the columns of the key there, or set missing = "empty".'
    ),
    "C-SECRET-COLUMN": N_(
        "%(file)s is public, and its column %(found)s would give away the %(expected)s of each case. "
        "Move that column to a file in reference/."
    ),
    # examples
    "E-NONE": N_("examples/ holds no example. Each is a folder with an entry and expected.toml; add at least one."),
    "E-EXPECTED": N_("%(file)s: %(why)s."),
    "E-METRIC": N_("%(key)s: no metric output of this phase has that name. There are: %(expected)s."),
    "E-OUTCOME": N_("The example %(name)s should end as %(expected)s; it ended as %(found)s."),
    "E-CODES": N_("The example %(name)s should give the codes %(expected)s; it gave %(found)s."),
    "E-VALUE": N_("The example %(name)s should have %(key)s = %(expected)s; it has %(found)s."),
}
