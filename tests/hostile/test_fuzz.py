"""A bounded run of the fuzzers, each in a child with two gigabytes of address space: no input is a fault."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 3

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("atheris") is None,
        reason="atheris has no wheel for this Python or machine: fuzzing not run",
    )
]


@pytest.mark.parametrize("target", ["csv", "jsonl", "coco", "parquet", "upload", "npz"])
def test_no_input_is_a_fault(target: str, tmp_path: Path) -> None:
    if target == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed: fuzzing of Parquet not run")
    program = [sys.executable, "-m", "tests.hostile.fuzz_readers", target, str(tmp_path)]
    program += [f"-max_total_time={SECONDS}", "-seed=1", "-max_len=4096"]
    if target == "parquet":
        program.append("-runs=1500")  # always the same inputs: what is native may end a process for reasons of its own
    alone = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(program, cwd=ROOT, env=alone, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "DONE" in done.stderr
    assert list(tmp_path.glob("fault-*")) == []
