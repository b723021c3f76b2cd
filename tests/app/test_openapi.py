"""The published description of the API is the one that is served, and it is complete."""

import json
import subprocess
import sys
from pathlib import Path

from app.main import create_app
from app.settings import PROJECT, Settings

STORED = PROJECT / "docs" / "openapi.json"
HEAVY = ("pandas", "sklearn", "docker", "scipy.stats", "scipy.sparse", "pyarrow")


def test_the_stored_description_is_current(tmp_path: Path) -> None:
    served = create_app(Settings(data=tmp_path)).openapi()
    assert json.loads(STORED.read_text()) == served, "write it anew: python -m tests.app.test_openapi"


def test_every_operation_says_what_it_does_and_answers(tmp_path: Path) -> None:
    described = create_app(Settings(data=tmp_path)).openapi()
    operations = {
        (method, path): operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if path.startswith("/api/")
    }
    assert [key for key, operation in operations.items() if not operation.get("description")] == []
    ids = [operation["operationId"] for operation in operations.values()]
    assert len(set(ids)) == len(ids)


def test_the_web_service_starts_without_pandas_or_scikit_learn() -> None:
    program = f"import sys, app.main; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=PROJECT)
    assert done.stdout.strip() == "[]"


if __name__ == "__main__":
    STORED.write_text(json.dumps(create_app(Settings(data=Path("/nonexistent"))).openapi(), indent=1) + "\n")
