"""What is a name, which names look the same, and what is kept of notes and file names."""

import pytest

from app.domain.names import is_name, likeness, one_line, shown_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Équipe de Rennes", True),
        ("日本語", True),
        ("", False),
        ("x" * 81, False),
        ("a\x00b", False),
        ("right\u202eleft", False),
        ("zero\u200bwidth", False),
    ],
)
def test_a_name_is_one_line_of_visible_characters(text: str, expected: bool) -> None:
    assert is_name(one_line(text), longest=80) is expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("École", "école"),
        ("ÉCOLE", "e\u0301cole"),
        ("Baseline", "ｂａｓｅｌｉｎｅ"),
        ("Straße", "STRASSE"),
        ("fine", "ﬁne"),
        ("two  blanks", "Two blanks"),
    ],
)
def test_names_that_look_the_same(one: str, other: str) -> None:
    assert likeness(one) == likeness(other)


def test_names_that_differ() -> None:
    assert len({likeness(name) for name in ("école", "ecole", "école 2", "l'école")}) == 4


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("risks v2.csv", "risks v2.csv"),
        ("Capture\u202fd’écran\u00a0à 10.csv", "Capture d’écran à 10.csv"),
        ("first\r\nsecond", "first\nsecond"),
        ("evil\u202evsc.exe", "evil\ufffdvsc.exe"),
        ("a\x00b\x1b[31m", "a\ufffdb\ufffd[31m"),
    ],
)
def test_what_is_kept_of_a_note_or_a_file_s_name(text: str, kept: str) -> None:
    assert shown_text(text) == kept
