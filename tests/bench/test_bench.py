"""Every bench at smoke size: all ways compute the same, and a push is never held in memory. Nothing about time."""

from __future__ import annotations

import pytest

from tests.bench import board, core, machine, push, risks, rush, submit, throughput
from tests.bench.report import Report, Row, table

pytestmark = [pytest.mark.slow, pytest.mark.sandbox]


def test_all_ways_of_scoring_a_file_give_the_same() -> None:
    (report,) = submit.run(smoke=True)
    found = {value["slice"]: value for value in report.results[risks.LIKE_PEERS]["values"]}
    bare = {value.slice: value.to_json() for value in report.results["bare"]}
    assert found["split:whole"] == bare["split:whole"]
    assert found["split:whole"]["value"] == report.results["point"]
    if "docker run" in report.results:
        assert round(report.results["docker run"]["auroc"], 12) == round(report.results["point"], 12)


def test_every_entry_of_a_queue_is_scored_by_every_shape() -> None:
    (found,) = throughput.run(smoke=True)
    assert (found.results["scored"], len(found.rows) >= 2) == (8, True)


def test_a_rush_is_worked_off() -> None:
    (found,) = rush.run(smoke=True)
    assert (found.results["ended"], len(found.results["checks"])) == (15, 3)


def test_all_ratios_stand_in_one_table_beside_the_machine() -> None:
    rows = [Row("a", 0.5), Row("b", 1.0, "2 a second")]
    assert table([Report("title", rows)]).splitlines() == [
        "| what | way | time | ratio |",
        "|---|---|---|---|",
        "| title | a | 500.0 ms | 1.00 |",
        "|  | b (2 a second) | 1.00 s | 2.00 |",
    ]
    assert "cores" in machine.described()


def test_boards_of_all_sizes_are_whole() -> None:
    reads, _ = board.run(smoke=True)
    for slug, (teams, each) in board.SMOKE.items():
        rows = reads.results[slug]["rows"]
        assert len(rows) == teams
        assert {row["entries"] for row in rows} == {each}
        assert [row["value"] for row in rows] == sorted((row["value"] for row in rows), reverse=True)


def test_a_pushed_folder_arrives_whole_and_never_stands_in_memory() -> None:
    (report,) = push.run(smoke=True)
    digests, expected = report.results["digests"], report.results["expected"]
    assert {path: digests[path] for path in expected} == expected
    assert report.results["grown"] < report.results["size"] / 2


def test_one_aggregation_gives_what_the_loops_give() -> None:
    for report in core.run(smoke=True):
        assert report.results["ours"] == report.results["theirs"], report.title
