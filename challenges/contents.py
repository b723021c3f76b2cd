"""Files that a challenge must have: its pages and documents in both languages, its public cases, its reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from challenges.files import text_problem
from challenges.layout import CASES_FILE, LANGUAGES, SPEC_FILE, sample_file, store_of
from challenges.problems import Problem, dotted
from challenges.spec import ChallengeSpec
from challenges.toml_lines import Key, line_of


def content_problems(spec: ChallengeSpec, files: Mapping[str, Path], lines: Mapping[Key, int]) -> list[Problem]:
    """Every file that is missing, empty, or not where it must be. `spec` may come from `challenges.salvage`."""
    return [*_pages(files), *_documents(spec, files, lines), *_data(spec, files, lines)]


def _pages(files: Mapping[str, Path]) -> Iterator[Problem]:
    """Each page in both languages; at least an overview."""
    names = {path.removesuffix(".md").rpartition(".")[0] for path in files if _is_page(path)} | {"pages/overview"}
    for name in sorted(names):
        for language in LANGUAGES:
            path = f"{name}.{language}.md"
            if path not in files:
                yield Problem("F-MISSING-PAGE", file=path, expected=path)
            elif problem := text_problem(path, files[path]):
                yield problem


def _is_page(path: str) -> bool:
    return path.startswith("pages/") and path.endswith(tuple(f".{language}.md" for language in LANGUAGES))


def _documents(spec: ChallengeSpec, files: Mapping[str, Path], lines: Mapping[Key, int]) -> Iterator[Problem]:
    for number, document in enumerate(spec.documents):
        for language in LANGUAGES:
            path = getattr(document.file, language, None)
            key: Key = ("documents", number, "file", language)
            if path is None:
                continue
            if path not in files:
                yield _missing(path, key, lines)
            elif store_of(path) != "public":
                place = {"file": SPEC_FILE, "key": dotted(key), "found": path}
                yield Problem("F-HIDDEN", line=line_of(key, lines), **place)
            elif problem := text_problem(path, files[path]):
                yield problem


def _data(spec: ChallengeSpec, files: Mapping[str, Path], lines: Mapping[Key, int]) -> Iterator[Problem]:
    tables = (spec.entry and spec.entry.tables) or {}
    if CASES_FILE not in files:
        yield Problem("F-MISSING-CASES", file=CASES_FILE, expected=CASES_FILE)
    sample = sample_file([table.format or "csv" for table in tables.values()])
    if len(tables) == 1 and sample not in files:
        yield Problem("F-MISSING-SAMPLE", file=sample, expected=sample)
    attributes = spec.cases.file if spec.cases is not None else None
    if attributes is not None and attributes.startswith("reference/") and attributes not in files:
        yield _missing(attributes, ("cases", "file"), lines)
    for name, table in tables.items():
        if f"reference/{table.file}" not in files:
            yield _missing(f"reference/{table.file}", ("entry", "tables", name, "file"), lines)


def _missing(path: str, key: Key, lines: Mapping[Key, int]) -> Problem:
    return Problem("F-MISSING", file=SPEC_FILE, line=line_of(key, lines), key=dotted(key), expected=path)
