"""Runner protocol 1: what a runner and a server say to each other, and nothing else.

Every call carries the header ``Arbitre-Protocol: 1``; a server of another version answers 426 with `Supported`.

======================================  ==========================  ===================================================
call (under /api/v1)                    Authorization: Bearer       body -> answer
======================================  ==========================  ===================================================
POST /runner/register                   one-time token              `Register` -> 201 `Registered`
POST /runner/claim?wait=20              runner's key                `Claim` -> 200 `Claimed` | 204 nothing to do
GET  <Claimed.inputs[].url>             job's token                 - -> the bytes
POST /runner/jobs/{job}/heartbeat       job's token                 `Heartbeat` -> `HeartbeatAnswer` | 409 stale
PUT  /runner/jobs/{job}/blobs/{role}    job's token                 bytes, ``X-Sha256`` -> `BlobStored` | 409 stale
POST /runner/jobs/{job}/finish          job's token                 `Finish` -> `Finished` | 409 stale
======================================  ==========================  ===================================================

``finish`` carries ``X-Signature``: base64 of the Ed25519 signature over the exact body bytes (at most
`FINISH_MAX_BYTES`) by the private key whose public half was registered. It is idempotent: the same body sent again with
the same token is answered like the first. What a runner sends is read strictly (an unknown key is refused); what a
server answers may grow by optional keys, which an older runner ignores. One of these is `Claimed.carried_bytes`: so
many bytes of outputs `finish` may carry itself (`BlobRef.data`), which saves their calls.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Base64Bytes, BaseModel, ConfigDict, Field, model_validator

PROTOCOL = 1
SUPPORTED = (1, 1)
PROTOCOL_HEADER = "Arbitre-Protocol"
SIGNATURE_HEADER = "X-Signature"
SHA256_HEADER = "X-Sha256"
FINISH_MAX_BYTES = 1_048_576
CARRIED_BYTES = 600_000
CLAIM_WAIT_S = 20
ISSUES_SHOWN = 50

Outcome = Literal["ok", "time", "memory", "output", "crash", "invalid", "internal"]
Kind = Literal["check", "score"]
OutputRole = Literal["replicates", "case_table"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Role = Annotated[str, Field(pattern=r"^[a-z_]+(/[A-Za-z0-9_.-]{1,64})?$", max_length=80)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Code = Annotated[str, Field(pattern=r"^[EWN]-[A-Z0-9-]{1,40}$")]
Count = Annotated[int, Field(ge=0, le=2**53)]
Text = Annotated[str, Field(max_length=500)]


class Request(BaseModel):
    """What a runner sends."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """What a server answers."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Register(Request):
    """A runner introduces itself. `public_key` is base64 of the 32 raw bytes of an Ed25519 public key."""

    name: str = Field(min_length=1, max_length=100)
    public_key: str = Field(min_length=44, max_length=44)
    queues: list[str] = Field(max_length=20)
    tags: list[str] = Field(default=[], max_length=20)
    versions: dict[str, str] = {}


class Registered(Answer):
    """`key` is shown once and stands in the Authorization header of every claim."""

    runner_id: str
    key: str


class Claim(Request):
    """Asks for one job. `capacity` = free slots, `versions` e.g. ``{"arbitre": "0.1.0", "numpy": "2.4.0"}``."""

    queues: list[str] = Field(max_length=20)
    tags: list[str] = Field(default=[], max_length=20)
    capacity: int = Field(ge=1, le=1000)
    versions: dict[str, str] = {}


class Input(Answer):
    """One blob the job may read: `role` is spec, cases, attributes, plan, reference/<table>, entry or entry/<table>.

    `url` is a path on the same server, opened with the job's token. `size` in bytes.
    """

    role: Role
    sha256: Sha256
    size: int = Field(ge=0)
    url: str


class Limits(Answer):
    """What one sandbox may use: wall-clock and CPU seconds, address space and answer in MiB.

    `entry_mb`: size of each table of an entry when unpacked, in MB of 10^6 bytes.
    """

    wall_s: float = Field(default=60, gt=0)
    cpu_s: int = Field(default=60, ge=1)
    memory_mb: int = Field(default=2048, ge=1)
    output_mb: int = Field(default=64, ge=1)
    entry_mb: int = Field(default=256, ge=1)


class Claimed(Answer):
    """One job, leased for `lease_s` seconds from now; `token` opens this job's calls and blobs only.

    `carried_bytes`: how large all outputs together may be to be sent within the report.
    """

    job: str
    kind: str
    attempt: int = Field(ge=1)
    token: str
    lease_s: float = Field(gt=0)
    deadline: AwareDatetime | None = None
    spec_digest: str
    inputs: list[Input]
    limits: Limits = Limits()
    carried_bytes: int = Field(default=0, ge=0)


class Heartbeat(Request):
    """Extends the lease. Nothing needs to be said: the token names the job and its attempt."""


class HeartbeatAnswer(Answer):
    """`cancel`: stop the work; a `Finish` of whatever outcome then ends the job at once."""

    cancel: bool = False
    lease_s: float = Field(gt=0)


class BlobStored(Answer):
    """`size` in bytes."""

    sha256: Sha256
    size: int = Field(ge=0)


class BlobRef(Request):
    """An output that was put before, or stands here itself: `data` is base64 of its bytes."""

    role: OutputRole
    sha256: Sha256
    data: Base64Bytes | None = Field(default=None, repr=False)


class Issue(Request):
    """One problem of an entry. The text for people is made from `code` and `fields` at the edge."""

    code: Code
    level: Literal["error", "warning"]
    table: Annotated[str, Field(max_length=100)] | None = None
    line: Count | None = None
    column: Annotated[str, Field(max_length=200)] | None = None
    value: Annotated[str, Field(max_length=80)] | None = None
    fields: dict[str, str | int | Finite | None] = Field(default={}, max_length=20)


class Value(Request):
    """One output of one metric on one slice (all, split:public, subgroup:sex=F, site:lyon).

    Never nan: where undefined, `value` is null and `undefined` says why.
    """

    metric: str = Field(max_length=100)
    output: str = Field(max_length=200)
    slice: str = Field(max_length=200)
    value: Finite | None = None
    undefined: Text | None = None
    low: Finite | None = None
    high: Finite | None = None
    interval: Annotated[str, Field(max_length=100)] | None = None
    level: Annotated[float, Field(gt=0, lt=1)] | None = None
    n_cases: Count
    n_clusters: Count

    @model_validator(mode="after")
    def _value_or_reason(self) -> "Value":
        if (self.value is None) != (self.undefined is not None):
            raise ValueError("a value is either a number, or null with a reason in `undefined`")
        return self


class Detail(Request):
    """What stands beside the outcome.

    `issues`: the first 50; `total`: all of them counted by code; `counts`: rows, missing, duplicates, extra_columns;
    `sha256`: digest of the entry's bytes as received; `message`: one sentence, never shown to participants where the
    outcome is internal;
    `plan_digest`: digest of the resample plan.
    """

    issues: list[Issue] = Field(default=[], max_length=ISSUES_SHOWN)
    total: dict[Code, Count] = Field(default={}, max_length=200)
    counts: dict[Annotated[str, Field(max_length=40)], Count] = Field(default={}, max_length=50)
    sha256: Sha256 | None = None
    message: Annotated[str, Field(max_length=2000)] | None = None
    plan_digest: Sha256 | None = None


class Usage(Request):
    """What the sandbox used: seconds, and peak resident memory in MiB."""

    wall_s: Finite = Field(default=0, ge=0)
    cpu_s: Finite = Field(default=0, ge=0)
    memory_mb: Finite = Field(default=0, ge=0)


class Finish(Request):
    """The end of one attempt. Format errors are ``invalid`` with issues; ``internal`` is ours and is run again."""

    outcome: Outcome
    detail: Detail = Detail()
    values: list[Value] = Field(default=[], max_length=5000)
    blobs: list[BlobRef] = Field(default=[], max_length=10)
    usage: Usage = Usage()


class Finished(Answer):
    """`state` is the job's state afterwards, e.g. done or queued (an internal fault is run again)."""

    state: str = "done"


class Supported(Answer):
    """Body of a 426: lowest and highest protocol version the server speaks."""

    supported: tuple[int, int]
