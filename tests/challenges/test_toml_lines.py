"""Lines of keys, compared with what tomllib reads."""

from __future__ import annotations

import tomllib
from typing import Any

from challenges.toml_lines import Key, key_lines

TEXT = '''\
# a comment with [brackets] and = signs
spec = 1
"quoted \\u0041 key" = "a # no comment ] }"

[title]
fr = """
two
lines ] = [ """
en = \'\'\'x\'\'\'
[entry.tables.boxes.columns.x1]
type = "number"
range = [0, # comment ]
   inf,
]
[[phases]]
slug = "one"
splits = [ {name = "a", share = 0.5},
           {name = "b", share = 0.5} ]
ranking.metric = "score"
opens = 2026-01-01 00:00:00Z  # a blank inside
[phases.quotas]
day = 3
[[phases]]
slug = "two"
[phases.quotas]
day = 4
'''


def _paths(value: Any, path: Key = ()) -> set[Key]:
    found: set[Key] = {path} if path else set()
    if isinstance(value, dict):
        return found.union(*(_paths(item, (*path, key)) for key, item in value.items()))
    if isinstance(value, list):
        return found.union(*(_paths(item, (*path, number)) for number, item in enumerate(value)))
    return found


def test_every_key_tomllib_reads_has_a_line_and_no_other() -> None:
    assert set(key_lines(TEXT)) == _paths(tomllib.loads(TEXT))


def test_lines_are_those_of_the_text() -> None:
    lines = key_lines(TEXT)
    assert lines[("spec",)] == 2
    assert lines[("quoted A key",)] == 3
    assert lines[("title", "en")] == 9
    assert lines[("entry", "tables", "boxes", "columns", "x1", "range", 1)] == 13
    assert lines[("phases", 0, "splits", 1, "share")] == 18
    assert lines[("phases", 0, "ranking", "metric")] == 19
    assert lines[("phases", 1)] == 23
    assert lines[("phases", 1, "quotas", "day")] == 26


def test_an_empty_text_has_no_keys() -> None:
    assert key_lines("") == {}
    assert key_lines("# only a comment") == {}
