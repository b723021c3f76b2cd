"""The log of issues: everything counted, fifty kept."""

import tracemalloc

from scoring.issues import Issue, IssueLog, make_issue, shown


def test_counts_and_keeps_the_first_fifty_by_line() -> None:
    log = IssueLog()
    for line in range(300, 1, -1):
        log.add("E-NUMBER", table="t", line=line, column="x", value="?")
    assert log.total == {"E-NUMBER": 299}
    assert [issue.line for issue in log.errors] == list(range(251, 301))
    assert log.refused


def test_each_kind_keeps_at_least_its_first() -> None:
    log = IssueLog()
    for line in range(2, 2_000):
        log.add("E-NUMBER", table="t", line=line, column="x")
    log.add("E-RANGE", table="t", line=1_999, column="y")
    log.add("E-ID-MISSING", table="t", column="id")
    kept = [(issue.code, issue.line) for issue in log.errors]
    assert kept == [*(("E-NUMBER", line) for line in range(2, 50)), ("E-RANGE", 1_999), ("E-ID-MISSING", None)]


def test_warnings_are_apart_and_never_refuse() -> None:
    log = IssueLog()
    log.add("W-BOM", line=1)
    assert not log.refused
    assert log.errors == ()
    assert log.warnings == (Issue("W-BOM", "warning", line=1),)


def test_at_most_fifty_in_the_document_and_errors_before_warnings() -> None:
    log = IssueLog()
    for column in map(str, range(60)):
        log.add("W-COL-EXTRA", column=column, line=1)
    log.add("E-NUL", line=3)
    document = log.to_json()
    assert len(document["issues"]) == 50
    assert document["issues"][0] == {
        "code": "E-NUL", "level": "error", "table": None, "line": 3, "column": None, "value": None, "fields": {},
    }  # fmt: skip
    assert document["total"] == {"E-NUL": 1, "W-COL-EXTRA": 60}


def test_one_issue_may_stand_for_many() -> None:
    log = IssueLog()
    log.add("E-PERCENT", line=2, count=40)
    log.extend([make_issue("E-BOX", count=7), make_issue("E-BOX")])
    log.count("E-BOX", 2)
    log.count("E-BOX", 0)
    assert log.total == {"E-PERCENT": 40, "E-BOX": 10}
    assert [issue.code for issue in log.errors] == ["E-PERCENT", "E-BOX", "E-BOX"]


def test_memory_is_bounded() -> None:
    log = IssueLog()
    tracemalloc.start()
    for i in range(20_000):
        log.add("E-COL-DUP", column=f"column {i}", line=1, value="x" * 1_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000
    assert log.total == {"E-COL-DUP": 20_000}
    assert len(log.errors) == 50


def test_texts_are_safe_to_show() -> None:
    issue = make_issue("E-NUMBER", column="c" * 300, value="a\x1b[31m\u202e\udce9", right="x" * 400, first=3)
    assert issue.value == "a\\x1b[31m\\u202e\\xe9"
    assert issue.column == "c" * 199 + "…"
    assert issue.fields == {"right": "x" * 299 + "…", "first": 3}
    assert shown("é" * 80) == "é" * 80
    assert shown("\0" * 80) == "\\x00" * 19 + "\\x0…"
    assert shown("\ud800") == "\\ud800"
    assert shown("\U000e0001") == "\\U000e0001"
