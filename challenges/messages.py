"""English sentence of each problem of a challenge folder; the templates are the gettext messages.

Placeholders: file, key, expected, found, and those a code adds. A code is stable: tests and help pages name it.
"""


def N_(text: str) -> str:
    """Mark a text for translation, by the name that gettext tools look for; it is translated where it is shown."""
    return text


TEMPLATES: dict[str, str] = {
    # the archive
    "A-KIND": N_("This is not a zip, tar or tar.gz archive but %(found)s. Pack the folder as one of these."),
    "A-DAMAGED": N_("%(file)s is damaged: %(found)s. Pack the folder again and send it again."),
    "A-ENCRYPTED": N_("%(found)s is encrypted. Pack the folder again without a password."),
    "A-METHOD": N_(
        "%(found)s is compressed in a way that is not read here. Pack the folder with ordinary compression."
    ),
    "A-PATH": N_("%(found)s is not a path inside the folder: %(why)s."),
    "A-LINK": N_("%(found)s is a link. Put the file itself in its place: links are not followed."),
    "A-SPECIAL": N_("%(found)s is not a regular file (a device, a pipe or a sparse file). Take it out of the archive."),
    "A-TWICE": N_("%(found)s stands in the archive twice, or as a file and as a folder. Keep one of them."),
    "A-MANY": N_("The archive holds too many files: %(found)s. Put many small files into fewer larger ones."),
    "A-BIG": N_("The archive is too big once expanded: %(found)s."),
    "A-BOMB": N_("The archive expands to far more than its own size (%(found)s), as bombs do. It was not unpacked."),
    "A-HEADERS": N_("The archive's table of names is far larger than any challenge needs. It was not unpacked."),
    "A-NO-SPEC": N_(
        "challenge.toml must stand at the top of the archive, or in the only folder at its top; %(found)s."
    ),
    # the folder
    "F-NOT-A-FOLDER": N_("There is no folder at this place. Give the folder that holds challenge.toml."),
    "F-NO-SPEC": N_("challenge.toml is missing. It describes the challenge and stands at the top of the folder."),
    "F-MISSING": N_("%(expected)s is missing%(why)s. Add the file, or correct the path in challenge.toml."),
    "F-EMPTY": N_("%(file)s is empty. Write its text: participants read this page."),
    "F-ENCODING": N_("%(file)s is not UTF-8 text (%(found)s). Save it again as UTF-8."),
    "F-TOO-BIG": N_("%(file)s is too large: %(found)s, at most %(expected)s."),
    "F-LINK": N_("%(file)s is a link or not a regular file. Put the file itself in its place: links are not followed."),
    "F-PATH": N_("%(file)s is not a name that can be kept: %(why)s. Rename it."),
    "F-PLACE": N_("%(file)s has no place in a challenge folder. Move it under %(expected)s, or take it out."),
    "F-HIDDEN": N_("%(key)s names %(found)s, which participants cannot read. Put the file in documents/."),
    # challenge.toml
    "T-SYNTAX": N_("challenge.toml is not valid TOML: %(found)s."),
    "T-UNKNOWN-KEY": N_("The key %(key)s is not known%(hint)s. Correct its spelling or remove it."),
    "T-MISSING-KEY": N_("The key %(key)s is missing. Add it."),
    "T-TYPE": N_("%(key)s must be %(expected)s; found %(found)s."),
    "T-VALUE": N_("%(key)s must be %(expected)s; found %(found)s."),
    "T-WORD": N_("%(key)s: %(why)s; found %(found)s."),
    "T-SLUG": N_("%(key)s must be lower-case letters, digits and single hyphens, e.g. breast-cancer; found %(found)s."),
    "T-NAME": N_(
        "%(key)s must be lower-case letters, digits and underscores, beginning with a letter; found %(found)s."
    ),
    "T-LANGUAGE": N_(
        "%(key)s lacks the language %(expected)s. Texts of a challenge are given in French and in English."
    ),
    "T-MOMENT": N_("%(key)s must be a date, a time and an offset, e.g. %(expected)s; found %(found)s."),
    "T-LATER": N_("%(key)s = %(found)s cannot be used in this version of Arbitre%(hint)s. Use %(expected)s."),
    "T-LATER-KEY": N_("%(key)s cannot be used in this version of Arbitre%(hint)s. Remove it."),
    "T-LATER-FILE": N_("%(file)s cannot be used in this version of Arbitre%(hint)s. Remove it."),
    # what keys mean for each other
    "R-TWICE": N_("%(key)s repeats %(found)s, which is already used above. Each must be different."),
    "R-CASE-COLUMN": N_("%(key)s = %(found)s with rows = 'one' must be %(expected)s alone: one row per case."),
    "R-LABELS": N_("%(key)s is a label column and needs labels = [...], each different; found %(found)s."),
    "R-NO-LABELS": N_("%(key)s has labels but is not of type label. Remove the labels or change the type."),
    "R-RANGE": N_("%(key)s must be [low, high] with low below high%(why)s; found %(found)s."),
    "R-NO-RANGE": N_("%(key)s is a range, which only columns of type number, integer or probability have. Remove it."),
    "R-COLUMN-ID": N_("%(key)s is the column of ids; it is always text and not declared among the columns. Remove it."),
    "R-UNKNOWN-METRIC": N_("%(key)s: there is no metric %(found)s. There are: %(expected)s."),
    "R-UNKNOWN-TABLE": N_("%(key)s: there is no table %(found)s in [entry.tables]. There are: %(expected)s."),
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
    "E-REFERENCE": N_("The reference cannot be scored against: %(why)s."),
}
