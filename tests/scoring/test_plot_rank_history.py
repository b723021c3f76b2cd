"""The line of a rank over time."""

import xml.etree.ElementTree as ET

from scoring.plots.rank_history import BOTTOM, LEFT, RIGHT, TOP, Point, Text, data, svg

TEXT = Text("Rank of <A & B>", "It began at 3.", str, lambda at: f"day {at:g}")
MIDDLE = (TOP + BOTTOM) / 2


def test_steps_bands_and_ticks() -> None:
    found = data([Point(0, 3, 2, 3), Point(5, 1, 1, 2), Point(8, None)], until=10)
    assert found is not None
    half = (LEFT + RIGHT) / 2
    assert [(step.start, step.end, step.y, step.band) for step in found.steps] == [
        (LEFT, half, BOTTOM, (MIDDLE, BOTTOM)),
        (half, round(LEFT + 0.8 * (RIGHT - LEFT), 2), TOP, (TOP, MIDDLE)),
    ]
    assert found.ticks == ((TOP, 1), (MIDDLE, 2), (BOTTOM, 3))
    assert (found.first, found.last) == (0, 10)


def test_one_point_is_a_line_in_the_middle_and_no_rank_is_no_picture() -> None:
    found = data([Point(7, 4)], until=7)
    assert found is not None
    assert [(step.start, step.end, step.y, step.band) for step in found.steps] == [(LEFT, RIGHT, MIDDLE, None)]
    assert found.ticks == ((MIDDLE, 4),)
    assert data([Point(7, None)], until=9) is None
    assert data([], until=9) is None


def test_many_ranks_have_few_ticks_and_many_points_no_marks() -> None:
    found = data([Point(at, 1 + at * 10) for at in range(100)], until=100)
    assert found is not None
    assert [rank for _, rank in found.ticks] == [1, 331, 661, 991]
    assert {step.mark for step in found.steps} == {False}


def test_the_svg_has_words_and_classes_and_no_style() -> None:
    found = data([Point(0, 2, 1, 2), Point(4, None), Point(6, 1)], until=8)
    assert found is not None
    text = svg(found, TEXT)
    root = ET.fromstring(text)
    assert root.attrib["role"] == "img" and root.attrib["aria-labelledby"] == "rank-title rank-text"
    assert [part.text for part in root[:2]] == ["Rank of <A & B>", "It began at 3."]
    assert [part.text for part in root if part.tag == "text"] == ["1", "2", "day 0", "day 8"]
    line = next(part.attrib["d"] for part in root if part.tag == "path")
    # The pen is lifted over the stretch without a rank.
    assert line == f"M{LEFT} {BOTTOM}H256.0M362.0 {TOP}H{RIGHT}"
    assert not any("style" in part.attrib for part in root.iter())
