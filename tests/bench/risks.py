"""A challenge of binary risks: each case a patient, AUROC alone; with one split, or as organisers have it, several."""

from __future__ import annotations

from tests import scenario
from tests.scenario import Case

LIKE_PEERS = "one split"
AS_USED = "two splits and two subgroups"
LAYOUTS = (LIKE_PEERS, AS_USED)

SPEC = """\
spec = 1
slug = "{slug}"
zone = "Europe/Paris"
sensitivity = "open"

[title]
fr = "Risque"
en = "Risk"

[[documents]]
slug = "rules"
version = 1
title = {{ fr = "Règlement", en = "Rules" }}
file = {{ fr = "documents/rules.fr.md", en = "documents/rules.en.md" }}

[entry.tables.risks]
file = "predictions.csv"
case = "id"

[entry.tables.risks.columns.risk]
type = "probability"

[cases]
file = "reference/cases.csv"
id = "id"
{groups}

[[metrics]]
id = "auroc"
use = "auroc"
table = "risks"
params = {{ label = "label", score = "risk", positive = "1" }}

[[phases]]
slug = "main"
opens = 2020-01-01T00:00:00Z
closes = 2099-01-01T00:00:00Z
quotas = {{ day = 10000, total = 10000 }}
metrics = ["auroc"]
precision = 12
splits = [{splits}]
ranking = {{ metric = "auroc", select = "best", ties = "bootstrap" }}
"""
GROUPS = {LIKE_PEERS: "", AS_USED: 'subgroups = ["sex"]\nsplit = "usage"'}
SPLITS = {
    LIKE_PEERS: '{ name = "whole", visible = "live", share = 1.0 }',
    AS_USED: '{ name = "public", visible = "live", value = "Public" }, '
    '{ name = "private", visible = "after_close", value = "Private" }',
}


def cases(count: int) -> list[Case]:
    """Each case a patient of its own, as in the comparison with peers, who resample rows."""
    return [Case(case.id, case.id, case.sex, case.usage, case.label) for case in scenario.cases(count)]


def folder(made: list[Case], *, slug: str, layout: str) -> dict[str, bytes]:
    """Path -> bytes. `layout`: one live split of all cases, or public and private ones and subgroups by sex."""
    text = SPEC.format(slug=slug, groups=GROUPS[layout], splits=SPLITS[layout])
    return scenario.folder(made, slug=slug) | {"challenge.toml": text.encode()}
