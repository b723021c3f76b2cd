"""Rules of phases: dates, splits, metrics that exist, a ranking that can be made."""

from __future__ import annotations

import math
from collections.abc import Iterator

from challenges.metric_rules import outputs_of, terms_of
from challenges.problems import shown
from challenges.rule import Finding, repeats, words
from challenges.spec import ChallengeSpec, PhaseSpec, SplitSpec
from challenges.toml_lines import Key


def phase_rules(spec: ChallengeSpec) -> Iterator[Finding]:
    """Every broken rule of every phase."""
    phases = spec.phases or ()
    yield from repeats((("phases", i, "slug"), phase.slug) for i, phase in enumerate(phases))
    for number, phase in enumerate(phases):
        key: Key = ("phases", number)
        yield from _window(key, phase)
        yield from _splits(key, phase, spec)
        yield from _metrics(key, phase, spec)
        yield from _ranking(key, phase, spec)


def _window(key: Key, phase: PhaseSpec) -> Iterator[Finding]:
    if phase.opens is not None and phase.closes is not None and phase.closes <= phase.opens:
        opens, closes = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (phase.opens, phase.closes))
        yield Finding("R-DATES", (*key, "closes"), expected=opens, found=closes)
    if phase.quotas.day > phase.quotas.total:
        found, expected = str(phase.quotas.day), str(phase.quotas.total)
        yield Finding("R-QUOTA", (*key, "quotas", "day"), expected=expected, found=found)


def _splits(key: Key, phase: PhaseSpec, spec: ChallengeSpec) -> Iterator[Finding]:
    splits = phase.splits or ()
    places = [(*key, "splits", i) for i in range(len(splits))]
    yield from repeats(((*p, "name"), split.name) for p, split in zip(places, splits, strict=True))
    yield from repeats(((*p, "value"), split.value) for p, split in zip(places, splits, strict=True))
    for where, split in zip(places, splits, strict=True):
        yield from _split(where, split, spec)
    yield from _shares((*key, "splits"), splits)
    shown_at = [split.visible for split in splits]
    if splits and None not in shown_at and set(shown_at) == {"never"}:
        yield Finding("R-SPLIT-SEEN", (*key, "splits"))
    if shown_at.count("after_close") > 1:
        names = words(split.name for split in splits if split.visible == "after_close")
        yield Finding("R-SPLIT-FINAL", (*key, "splits"), found=names)


def _split(key: Key, split: SplitSpec, spec: ChallengeSpec) -> Iterator[Finding]:
    if split.value is None and split.share is None:
        yield Finding("R-SPLIT-HOW", key)
    if split.value is not None and split.share is not None:
        yield Finding("R-SPLIT-BOTH", key)
    if split.value is not None and spec.cases is not None and spec.cases.split is None:
        yield Finding("R-SPLIT-COLUMN", (*key, "value"))


def _shares(key: Key, splits: tuple[SplitSpec, ...]) -> Iterator[Finding]:
    shares = [split.share for split in splits if split.share is not None]
    if not shares or any(split.share is not None and split.value is not None for split in splits):
        return
    if any(split.value is not None for split in splits):
        yield Finding("R-SPLIT-MIXED", key)
    elif len(shares) == len(splits) and not math.isclose(sum(shares), 1, abs_tol=1e-9):
        yield Finding("R-SHARES", key, found=f"{sum(shares):.6g}")


def _metrics(key: Key, phase: PhaseSpec, spec: ChallengeSpec) -> Iterator[Finding]:
    used = phase.metrics or ()
    yield from repeats(((*key, "metrics", i), name) for i, name in enumerate(used))
    for number, name in enumerate(used):
        yield from _known((*key, "metrics", number), name, spec)
        yield from _terms((*key, "metrics", number), name, used, spec)


def _terms(key: Key, name: str, used: tuple[str, ...], spec: ChallengeSpec) -> Iterator[Finding]:
    """What a composite of this phase is made of is computed in this phase too."""
    metrics = {metric.id: metric for metric in spec.metrics or ()}
    needed = terms_of(metrics[name]) if name in metrics else ()
    lacking = [term for term in needed if term in metrics and term not in used]
    if lacking:
        yield Finding("R-TERM-UNUSED", key, expected=words(lacking), found=shown(name))


def _known(key: Key, name: str, spec: ChallengeSpec) -> Iterator[Finding]:
    """A metric whose own id could not be read may be the one that is meant here."""
    ids = [metric.id for metric in spec.metrics or ()]
    if name not in ids and None not in ids:
        yield Finding("R-METRIC-ID", key, expected=words(ids), found=shown(name))


def _ranking(key: Key, phase: PhaseSpec, spec: ChallengeSpec) -> Iterator[Finding]:
    ranking = phase.ranking
    if ranking is None:
        return
    if ranking.select != "final" and ranking.finals != 1:
        yield Finding("R-FINALS", (*key, "ranking", "finals"))
    if ranking.metric is None or phase.metrics is None:
        return
    ids = [metric.id for metric in spec.metrics or ()]
    if ranking.metric not in ids:
        yield from _known((*key, "ranking", "metric"), ranking.metric, spec)
    elif ranking.metric not in phase.metrics:
        place = (*key, "ranking", "metric")
        yield Finding("R-RANKING-UNUSED", place, expected=words(phase.metrics), found=shown(ranking.metric))
    if ranking.output is not None and ranking.metric in ids:
        outputs = outputs_of(spec.metrics[ids.index(ranking.metric)], spec)
        if outputs is not None and ranking.output not in outputs:
            place = (*key, "ranking", "output")
            yield Finding("R-OUTPUT", place, expected=words(outputs), found=shown(ranking.output))
