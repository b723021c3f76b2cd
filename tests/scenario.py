"""A tiny challenge and the acts of its people, over HTTP: what tests of the whole service stand on."""

from __future__ import annotations

import io
import random
import tarfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

PASSWORD = "correct horse battery"
SPEC = """\
spec = 1
slug = "{slug}"
zone = "Europe/Paris"
sensitivity = "{sensitivity}"

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
missing = "refuse"
duplicates = "refuse"

[entry.tables.risks.columns.risk]
type = "probability"

[cases]
file = "reference/cases.csv"
id = "id"
cluster = "patient"
subgroups = ["sex"]
split = "usage"

[[metrics]]
id = "auroc"
use = "auroc"
table = "risks"
params = {{ label = "label", score = "risk", positive = "1" }}

[[metrics]]
id = "brier"
use = "brier"
table = "risks"
params = {{ label = "label", score = "risk", positive = "1" }}

[[phases]]
slug = "main"
opens = {opens}
closes = {closes}
quotas = {{ day = {day}, total = {total} }}
metrics = ["auroc", "brier"]
{precision}splits = [
    {{ name = "public", visible = "live", value = "Public" }},
    {{ name = "private", visible = "after_close", value = "Private" }},
]
ranking = {{ metric = "auroc", select = "{select}", ties = "bootstrap", finals = 1 }}
"""


@dataclass(frozen=True)
class Case:
    """One case of the tiny challenge."""

    id: str
    patient: str
    sex: str
    usage: str
    label: int


def cases(count: int = 120, seed: int = 1) -> list[Case]:
    """`count` cases of count/2 patients, each patient in one split."""
    draw = random.Random(seed)
    made = []
    for patient in range(count // 2):
        sex, usage = draw.choice("FM"), "Public" if patient % 3 else "Private"
        made += [Case(f"c{2 * patient + k:05d}", f"p{patient}", sex, usage, draw.randint(0, 1)) for k in (0, 1)]
    return made


def folder(
    made: Sequence[Case],
    *,
    slug: str = "tiny",
    sensitivity: str = "open",
    opens: str = "2020-01-01T00:00:00Z",
    closes: str = "2099-01-01T00:00:00Z",
    day: int = 5,
    total: int = 100,
    select: str = "best",
    precision: int | None = 4,
    baseline: bool = False,
    marker: str = "",
) -> dict[str, bytes]:
    """Path -> bytes of the challenge folder. `marker` is planted in the reference."""
    text = SPEC.format(
        slug=slug,
        sensitivity=sensitivity,
        opens=opens,
        closes=closes,
        day=day,
        total=total,
        select=select,
        precision="" if precision is None else f"precision = {precision}\n",
    )
    files = {"challenge.toml": text}
    for language in ("fr", "en"):
        files[f"documents/rules.{language}.md"] = "# Rules\n\nBe fair.\n"
        for page in ("overview", "data", "evaluation", "rules"):
            files[f"pages/{page}.{language}.md"] = f"# {page}\n\nText of {page} ({language}).\n"
    files["public/cases.csv"] = table(["id"], [[case.id] for case in made])
    files["public/sample_submission.csv"] = table(["id", "risk"], [[case.id, "0.5"] for case in made])
    files["reference/cases.csv"] = table(
        ["id", "patient", "sex", "usage"], [[case.id, case.patient, case.sex, case.usage] for case in made]
    )
    files["reference/predictions.csv"] = table(
        ["id", "label", "comment"], [[case.id, str(case.label), marker] for case in made]
    )
    if baseline:
        files["examples/baseline/predictions.csv"] = entry(made, noise=2.0, seed=99).decode()
        files["examples/baseline/expected.toml"] = 'outcome = "ok"\n'
    return {path: content.encode() for path, content in files.items()}


def entry(made: Sequence[Case], *, noise: float = 0.5, seed: int = 5) -> bytes:
    """A prediction file: the label blurred by Gaussian noise, squeezed into [0, 1]."""
    draw = random.Random(seed)
    risks = [min(max((case.label + draw.gauss(0, noise) + 1) / 3, 0), 1) for case in made]
    return table(["id", "risk"], [[case.id, f"{risk:.6f}"] for case, risk in zip(made, risks, strict=True)]).encode()


def table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Rows as CSV."""
    return "".join(",".join(row) + "\n" for row in [header, *lines])


def archive(files: dict[str, bytes]) -> bytes:
    """The folder as a tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


@dataclass(frozen=True)
class Person:
    """Someone with a token; `http` sends it and is rooted at /api/v1."""

    http: httpx.Client
    email: str

    def get(self, path: str, **options: Any) -> Any:
        """The JSON answer of a GET that must succeed."""
        return said(self.http.get(path, **options))

    def post(self, path: str, **options: Any) -> Any:
        """The JSON answer of a POST that must succeed."""
        return said(self.http.post(path, **options))


def said(answer: httpx.Response) -> Any:
    """The JSON of an answer that must be a success."""
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:500]}"
    return answer.json() if answer.content else None


def anonymous(url: str) -> Person:
    """Nobody."""
    return Person(_client(url), "")


def _client(url: str, **headers: str) -> httpx.Client:
    # No connection is kept, so none is left open by a test that forgets its client.
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(base_url=f"{url}/api/v1", timeout=60, headers=headers, limits=limits)


def person(url: str, name: str, scopes: Sequence[str] = ("read", "submit")) -> Person:
    """Sign up (or, when there already, sign in) and make a token."""
    nobody, email = anonymous(url), f"{name}@example.org"
    nobody.http.post("/accounts", json={"email": email, "name": name, "password": PASSWORD})
    return signed_in(url, email, scopes)


def signed_in(url: str, email: str, scopes: Sequence[str] = ("read", "submit")) -> Person:
    """A person who has an account already."""
    wish = {"email": email, "password": PASSWORD, "name": "test", "scopes": list(scopes)}
    token = anonymous(url).post("/tokens", json=wish)["token"]
    return Person(_client(url, Authorization=f"Bearer {token}"), email)


def publish(organiser: Person, files: dict[str, bytes]) -> str:
    """Push and publish a folder; returns the slug."""
    slug: str = organiser.post("/challenges", content=archive(files))["slug"]
    organiser.post(f"/challenges/{slug}/publish")
    return slug


def join(who: Person, slug: str) -> None:
    """Accept all documents and join."""
    documents = [row["id"] for row in who.get(f"/challenges/{slug}/documents")]
    who.post(f"/challenges/{slug}/join", json={"accept": documents})


def submit(who: Person, slug: str, data: bytes, *, phase: str = "main", **options: Any) -> Any:
    """Send an entry; returns the answer's JSON."""
    return who.post(f"/challenges/{slug}/phases/{phase}/submissions", content=data, **options)


def until(ready: Callable[[], Any], *, seconds: float = 60, every: float = 0.1) -> Any:
    """What `ready` returns once it is true; fails after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = ready()
        if found:
            return found
        time.sleep(every)
    raise AssertionError(f"not ready within {seconds} s")


def scored(who: Person, slug: str, number: int, *, seconds: float = 60) -> Any:
    """The submission's document once it is final."""
    until(lambda: who.get(f"/challenges/{slug}/submissions/{number}/status")["final"], seconds=seconds)
    return who.get(f"/challenges/{slug}/submissions/{number}")
