"""A small challenge of binary risk scores, as the files of a job."""

import json

import numpy as np

from scoring.spec import (
    CasesSpec,
    ColumnSpec,
    MetricUse,
    RankingSpec,
    ResampleSpec,
    ScoringSpec,
    SplitSpec,
    TableSpec,
    to_json,
)

SEED = 1


def spec(replicates: int = 20) -> ScoringSpec:
    """AUROC of one risk per case, on two drawn splits."""
    risk = ColumnSpec("risk", "probability", low=0.0, high=1.0)
    return ScoringSpec(
        tables=(TableSpec("risks", "risks.csv", "id", ("id",), (risk,)),),
        cases=CasesSpec("id"),
        metrics=(MetricUse("auroc", "auroc", "risks", {"label": "label", "score": "risk", "positive": "1"}),),
        splits=(SplitSpec("public", "live", share=0.5), SplitSpec("private", "after_close", share=0.5)),
        ranking=RankingSpec("auroc", "auroc", "higher"),
        resample=ResampleSpec(replicates=replicates),
    )


def job_files(rows: int = 60, *, replicates: int = 20, entry: bytes | None = None) -> dict[str, bytes]:
    """Role -> bytes of a `score` job whose AUROC is the same at every call."""
    random = np.random.default_rng(SEED)
    labels = random.random(rows) < 0.4
    risks = 1 / (1 + np.exp(-(1.2 * labels - 0.5 + random.normal(size=rows))))
    cases = "id\n" + "".join(f"p{i}\n" for i in range(rows))
    return {
        "spec": json.dumps(to_json(spec(replicates))).encode(),
        "cases": cases.encode(),
        "attributes": cases.encode(),
        "plan": json.dumps({"seed": SEED}).encode(),
        "reference/risks": ("id,label\n" + "".join(f"p{i},{int(v)}\n" for i, v in enumerate(labels))).encode(),
        "entry": entry
        if entry is not None
        else ("id,risk\n" + "".join(f"p{i},{v:.6f}\n" for i, v in enumerate(risks))).encode(),
    }


def check_files(files: dict[str, bytes]) -> dict[str, bytes]:
    """Of a score job, what a `check` job may have."""
    return {role: files[role] for role in ("spec", "cases", "entry")}
