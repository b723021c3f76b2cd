"""Sentences for codes: complete, translatable, with fields by name."""

import ast
import re
from pathlib import Path

from scoring.issues import make_issue
from scoring.messages import MESSAGES, NOTES, explain

CODE = re.compile(r"[EW]-[A-Z0-9-]+")
SOURCES = sorted((Path(__file__).parents[2] / "scoring").rglob("*.py"))


def _codes_used() -> set[str]:
    texts = {
        node.value
        for path in SOURCES
        if not path.name.startswith("messages")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return {text for text in texts if CODE.fullmatch(text)}


def test_every_code_of_the_room_has_a_message_and_no_message_is_idle() -> None:
    assert _codes_used() == set(MESSAGES)


def test_messages_are_sentences_with_named_placeholders() -> None:
    for code, message in MESSAGES.items():
        assert message.template.endswith("."), code
        assert message.fix.endswith((".", "%(names)s")), code
        for text in (message.template, message.fix):
            assert re.sub(r"%\(\w+\)s", "", text).count("%") == 0, code
        assert message.help == code.lower()


def test_explained_in_words() -> None:
    issue = make_issue("E-ID-ZEROS", table="scores", line=2, column="id", value="7", right="007").to_json()
    words = explain(issue)
    assert words.text == "“7” is not an id; a spreadsheet or pandas has changed “007”, which it seems to be."
    assert words.fix == "Write 007: read and write ids as text, in pandas with dtype=str."
    assert words.help == "e-id-zeros"


def test_explained_in_another_language() -> None:
    french = {
        MESSAGES["E-NAN"].template: "« %(value)s » n'est pas un nombre.",
        MESSAGES["E-NAN"].fix: "Colonne %(column)s.",
    }
    issue = make_issue("E-NAN", column="score", value="50 %").to_json()
    words = explain(issue, lambda text: french[text])
    assert (words.text, words.fix) == ("« 50 % » n'est pas un nombre.", "Colonne score.")


def test_one_issue_for_many_lines_says_so() -> None:
    issue = make_issue("E-NAN", column="score", value="nan", count=12).to_json()
    assert explain(issue).text.endswith("each row needs one. The same holds for 12 lines of this column.")
    warning = make_issue("W-ID-DUP", value="a", count=3).to_json()
    assert explain(warning).text == "3 rows repeat an id, for example “a”; the first row of each counts."


def test_a_field_or_a_code_that_is_not_known_raises_nothing() -> None:
    assert explain({"code": "E-ID-DUP"}).text == "“None” stands here again; it was first on line ?."
    assert explain({"code": "E-NEW", "value": "%s"}).text == "E-NEW"


def test_notes_are_sentences() -> None:
    assert set(NOTES) == {"N-NO-CLUSTER"}
    assert all(text.endswith(".") for text in NOTES.values())
